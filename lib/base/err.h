/* err: error codes with words. The codes and rusm_strerror are in rusm.h. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "rusm.h"

/* Leaves a text in *why (NULL is fine) and returns `error`, so that a caller can say
 *     return err_why(why, RUSM_EIO, "%s: %s", path, strerror(errno));
 * The text is cut to fit and control characters in it, a newline too, are escaped. */
int err_why(struct rusm_why *why, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Checks the `reserved` members of an options struct. Returns 0, or RUSM_EINVAL and a text if one
 * of the `count` is not NULL: the struct was not set to zero, or is of a newer header. */
int err_reserved(void *const *reserved, size_t count, struct rusm_why *why);

#endif
