/* utf8: walking over text that may come from anyone. Pure; no allocation, no locale. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at the front of text: its bytes (1 to 4), or 0 when they are not UTF-8 (overlong,
 * surrogate, beyond U+10FFFF, cut short) or len is 0. */
size_t utf8_decode(const char *text, size_t len, uint32_t *character);

bool utf8_is_control(uint32_t character); /* C0, DEL, C1 */
bool utf8_is_space(uint32_t character);   /* Unicode's White_Space */

/* Copies text with every control character and every byte that is not UTF-8 as \xHH,
 * NUL-terminated, never cutting a character or an escape in two. Returns the length written, below
 * cap. */
size_t utf8_escape(char *out, size_t cap, const char *text, size_t len);

#endif
