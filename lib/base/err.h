/* err: error codes with words. The codes and rusm_strerror are in rusm.h. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "rusm.h"

/* Leaves a text in *why (NULL is fine) and returns `error`, so that a caller can say
 *     return err_why(why, RUSM_EIO, "%s: %s", path, strerror(errno));
 * The text is cut to fit and control characters in it, a newline too, are escaped. */
int err_why(struct rusm_why *why, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
