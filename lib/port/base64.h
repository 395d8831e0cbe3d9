/* base64: bytes as text (RFC 4648, section 4), for data in JSON that is not UTF-8. Pure. */
#ifndef PORT_BASE64_H
#define PORT_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Returns the length of the text for len bytes, without a NUL. */
static inline size_t base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

void base64_encode(char *text, const uint8_t *data, size_t len);
/* Decodes text into data, which has room for len / 4 * 3 bytes. Padding is required, and no other
 * character is skipped. Returns the number of bytes, or RUSM_EMALFORMED. */
ssize_t base64_decode(uint8_t *data, const char *text, size_t len);

#endif
