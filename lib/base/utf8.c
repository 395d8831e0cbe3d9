/* utf8: see the header. Used by id (names), log and err (foreign text). Any thread. */
#include "base/utf8.h"

#include <string.h>

size_t utf8_decode(const char *text, size_t len, uint32_t *character)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const uint8_t *p = (const uint8_t *)text;

    if (len == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        *character = p[0];
        return 1;
    }
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len < n) {
        return 0;
    }
    uint32_t c = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }
    *character = c;
    return n;
}

bool utf8_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

bool utf8_is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

size_t utf8_escape(char *out, size_t cap, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;

    if (cap == 0) {
        return 0;
    }
    for (size_t i = 0; i < len;) {
        uint32_t c;
        size_t n = utf8_decode(text + i, len - i, &c);
        if (n > 0 && !utf8_is_control(c)) {
            if (cap - used <= n) {
                break;
            }
            memcpy(out + used, text + i, n);
            used += n;
            i += n;
            continue;
        }
        /* Escape one byte at a time: a C1 character becomes two escapes. */
        if (cap - used <= 4) {
            break;
        }
        uint8_t byte = (uint8_t)text[i++];
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = hex[byte >> 4];
        out[used++] = hex[byte & 15];
    }
    out[used] = '\0';
    return used;
}

/* Writes one character, as it stands in a JSON string, into `out`. Returns its length. */
static size_t utf8_in_json(char out[6], uint32_t c, const char *text, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    if (n == 0) {
        memcpy(out, "\xef\xbf\xbd", 3); /* U+FFFD */
        return 3;
    }
    if (utf8_is_control(c)) { /* all of them are below 0x100 */
        memcpy(out, "\\u00", 4);
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
        return 6;
    }
    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    memcpy(out, text, n);
    return n;
}

size_t utf8_escape_json(char *out, size_t cap, const char *text, size_t len)
{
    size_t used = 0;

    if (cap == 0) {
        return 0;
    }
    for (size_t i = 0; i < len;) {
        char one[6];
        uint32_t c = 0;
        size_t n = utf8_decode(text + i, len - i, &c);
        size_t one_len = utf8_in_json(one, c, text + i, n);
        if (cap - used <= one_len) {
            break;
        }
        memcpy(out + used, one, one_len);
        used += one_len;
        i += n > 0 ? n : 1;
    }
    out[used] = '\0';
    return used;
}
