/* err: error codes with a text. The codes and rusm_strerror are in rusm.h. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#include "rusm.h"

/* Puts a text into *why, which may be NULL, and returns ERROR. A caller can write
 *     return err_why(why, RUSM_EIO, "%s: %s", path, strerror(errno));
 * It cuts the text to fit, and escapes control characters, newlines too. */
int err_why(struct rusm_why *why, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Does what err_why does, for the arguments of another such function. */
int err_why_list(struct rusm_why *why, int error, const char *format, va_list args);

/* Checks the `reserved` members of an options struct. Returns 0, or RUSM_EINVAL with a text if one
 * of the COUNT members is not NULL. Then the caller did not set the struct to zero, or uses a newer
 * header. */
int err_reserved(void *const *reserved, size_t count, struct rusm_why *why);

#endif
