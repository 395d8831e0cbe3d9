/* base64: bytes as text (RFC 4648, section 4), for data in JSON that is not UTF-8. Pure. */
#ifndef PORT_BASE64_H
#define PORT_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes of text for len bytes, without a NUL. */
static inline size_t base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

void base64_encode(char *text, const uint8_t *data, size_t len);
/* Writes at most len / 4 * 3 bytes; how many, or RUSM_EMALFORMED: padding is required, and nothing
 * else is skipped. */
ssize_t base64_decode(uint8_t *data, const char *text, size_t len);

#endif
