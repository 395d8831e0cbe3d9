/* err: the one table of the texts of rusm.h's error codes. Any thread. */
#include "base/err.h"

#include <stdio.h>
#include "base/utf8.h"

static const char *const err_text[] = {
    [-RUSM_OK] = "success",
    [-RUSM_BUSY] = "busy",
    [-RUSM_EINVAL] = "invalid argument",
    [-RUSM_ENOMEM] = "out of memory",
    [-RUSM_ENOPROC] = "no such process",
    [-RUSM_ENOSPAWNABLE] = "no such spawnable",
    [-RUSM_ENOCONN] = "no connection to the node",
    [-RUSM_EREFUSED] = "refused",
    [-RUSM_ETIMEOUT] = "timed out",
    [-RUSM_EEXIST] = "already taken",
    [-RUSM_ETOOLARGE] = "message too large",
    [-RUSM_EMALFORMED] = "malformed",
    [-RUSM_EINIT] = "the process's init failed",
    [-RUSM_ELIMIT] = "limit reached",
    [-RUSM_ECLOSED] = "the node is stopping",
    [-RUSM_EIO] = "the operating system refused",
};

const char *rusm_version(void)
{
    return RUSM_VERSION;
}

const char *rusm_strerror(int error)
{
    const int last = -(int)(sizeof(err_text) / sizeof(err_text[0])) + 1;

    if (error > 0 || error < last) {
        return "unknown error";
    }
    return err_text[-error];
}

int err_why_list(struct rusm_why *why, int error, const char *format, va_list args)
{
    char plain[sizeof(why->text)];

    if (why) {
        int len = vsnprintf(plain, sizeof(plain), format, args);
        size_t n = len < 0 ? 0 : (size_t)len;
        utf8_escape(why->text, sizeof(why->text), plain, n < sizeof(plain) ? n : sizeof(plain) - 1);
    }
    return error;
}

int err_why(struct rusm_why *why, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    err_why_list(why, error, format, args);
    va_end(args);
    return error;
}

int err_reserved(void *const *reserved, size_t count, struct rusm_why *why)
{
    for (size_t i = 0; i < count; i++) {
        if (reserved[i]) {
            return err_why(why, RUSM_EINVAL,
                           "the options are not those of rusm %s: set the struct to zero before "
                           "you fill it",
                           RUSM_VERSION);
        }
    }
    return 0;
}
