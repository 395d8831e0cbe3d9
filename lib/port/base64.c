/* base64: see the header. */
#include "port/base64.h"

#include "rusm.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(char *text, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16;
        if (have > 1) {
            bits |= (uint32_t)data[i + 1] << 8;
        }
        if (have > 2) {
            bits |= data[i + 2];
        }
        *text++ = base64_digits[bits >> 18];
        *text++ = base64_digits[bits >> 12 & 63];
        *text++ = have > 1 ? base64_digits[bits >> 6 & 63] : '=';
        *text++ = have > 2 ? base64_digits[bits & 63] : '=';
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ssize_t base64_decode(uint8_t *data, const char *text, size_t len)
{
    size_t used = 0, pad = 0;

    if (len % 4 != 0) {
        return RUSM_EMALFORMED;
    }
    while (pad < 2 && pad < len && text[len - 1 - pad] == '=') {
        pad++;
    }
    for (size_t i = 0; i < len; i += 4) {
        size_t digits = i + 4 == len ? 4 - pad : 4;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j < digits ? base64_value(text[i + j]) : 0;
            if (value < 0) {
                return RUSM_EMALFORMED;
            }
            bits = bits << 6 | (uint32_t)value;
        }
        for (size_t j = 0; j + 1 < digits; j++) {
            data[used++] = (uint8_t)(bits >> (16 - 8 * j));
        }
        if (digits < 4 && (bits & (digits == 2 ? 0xffff : 0xff)) != 0) {
            return RUSM_EMALFORMED; /* the bits beyond the last byte must be 0 */
        }
    }
    return (ssize_t)used;
}
