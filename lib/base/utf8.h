/* utf8: decoding and escaping of text that may come from anyone. Pure, without allocation or
 * locale. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the first character of TEXT. Returns its length in bytes (1 to 4), or 0 if LEN is 0 or
 * the bytes are not UTF-8 (overlong, surrogate, beyond U+10FFFF, cut short). */
size_t utf8_decode(const char *text, size_t len, uint32_t *character);

bool utf8_is_control(uint32_t character); /* C0, DEL, C1 */
bool utf8_is_space(uint32_t character);   /* Unicode's White_Space */

/* Copies TEXT and writes each control character and each byte that is not UTF-8 as \xHH. The result
 * is NUL-terminated, and no character or escape in it is cut in two. Returns the length written,
 * which is below CAP. */
size_t utf8_escape(char *out, size_t cap, const char *text, size_t len);

/* Does the same for the inside of a JSON string: writes control characters as \u00HH, quotes and
 * backslashes with a backslash before, and each byte that is not UTF-8 as U+FFFD. */
size_t utf8_escape_json(char *out, size_t cap, const char *text, size_t len);

#endif
