/* scan: see the header. */
#include "port/scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/utf8.h"
#include "rusm.h"

struct scan {
    const char *at, *end;
    size_t depth;
    uint8_t object[SCAN_DEPTH / 8]; /* a bit for each level: whether it is an object */
};

static void scan_blank(struct scan *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n')) {
        s->at++;
    }
}

/* Takes the byte c, after blanks. Returns whether it is there. */
static bool scan_byte(struct scan *s, char c)
{
    scan_blank(s);
    if (s->at == s->end || *s->at != c) {
        return false;
    }
    s->at++;
    return true;
}

static bool scan_escape(struct scan *s)
{
    char c = s->at < s->end ? *s->at++ : '\0';

    if (c != 'u') {
        return c != '\0' && strchr("\"\\/bfnrt", c);
    }
    for (int i = 0; i < 4; i++) {
        if (s->at == s->end || !isxdigit((unsigned char)*s->at++)) {
            return false;
        }
    }
    return true;
}

static bool scan_string(struct scan *s)
{
    uint32_t character;

    if (!scan_byte(s, '"')) {
        return false;
    }
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        size_t len = c < 0x80 ? 1 : utf8_decode(s->at, (size_t)(s->end - s->at), &character);
        if (len == 0 || c < 0x20) {
            return false;
        }
        s->at += len;
        if (c == '"') {
            return true;
        }
        if (c == '\\' && !scan_escape(s)) {
            return false;
        }
    }
    return false;
}

static bool scan_digits(struct scan *s)
{
    const char *first = s->at;

    while (s->at < s->end && isdigit((unsigned char)*s->at)) {
        s->at++;
    }
    return s->at > first;
}

static bool scan_number(struct scan *s)
{
    if (s->at < s->end && *s->at == '-') {
        s->at++;
    }
    if (s->at < s->end && *s->at == '0') {
        s->at++;
    } else if (!scan_digits(s)) {
        return false;
    }
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-')) {
            s->at++;
        }
        return scan_digits(s);
    }
    return true;
}

static bool scan_word(struct scan *s)
{
    static const char *const words[] = { "true", "false", "null" };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(s->end - s->at) >= len && memcmp(s->at, words[i], len) == 0) {
            s->at += len;
            return true;
        }
    }
    return false;
}

static bool scan_in_object(const struct scan *s)
{
    return s->object[(s->depth - 1) / 8] >> (s->depth - 1) % 8 & 1;
}

/* Takes the key of a member, and its colon. */
static bool scan_key(struct scan *s)
{
    return scan_string(s) && scan_byte(s, ':');
}

/* Takes a text, number or word, or the bracket that opens an array or object. */
static bool scan_begin(struct scan *s)
{
    uint8_t bit = (uint8_t)(1 << s->depth % 8);

    scan_blank(s);
    if (s->at == s->end) {
        return false;
    }
    if (*s->at == '"') {
        return scan_string(s);
    }
    if (*s->at != '{' && *s->at != '[') {
        return *s->at == '-' || isdigit((unsigned char)*s->at) ? scan_number(s) : scan_word(s);
    }
    if (s->depth == SCAN_DEPTH) {
        return false;
    }
    s->object[s->depth / 8] &= (uint8_t)~bit;
    s->object[s->depth / 8] |= *s->at++ == '{' ? bit : 0;
    s->depth++;
    return true;
}

/* Takes one whole value, in a loop: a program may print as many brackets as it likes. */
static bool scan_whole(struct scan *s)
{
    size_t outside = s->depth;
    bool first = true; /* nothing of the innermost array or object was taken */

    if (!scan_begin(s)) {
        return false;
    }
    while (s->depth > outside) {
        bool object = scan_in_object(s);
        size_t depth = s->depth;
        if (scan_byte(s, object ? '}' : ']')) {
            s->depth--;
            first = false;
        } else if ((!first && !scan_byte(s, ',')) || (object && !scan_key(s)) || !scan_begin(s)) {
            return false;
        } else {
            first = s->depth > depth;
        }
    }
    return true;
}

/* Takes the members of an object, after its opening bracket. */
static bool scan_members(struct scan *s, const char *const *key, struct scan_value *value)
{
    if (scan_byte(s, '}')) {
        return true;
    }
    do {
        scan_blank(s);
        const char *name = s->at;
        if (!scan_string(s)) {
            return false;
        }
        size_t len = (size_t)(s->at - name) - 2;
        if (!scan_byte(s, ':')) {
            return false;
        }
        scan_blank(s);
        const char *text = s->at;
        if (!scan_whole(s)) {
            return false;
        }
        for (size_t i = 0; key[i]; i++) {
            if (strlen(key[i]) == len && memcmp(key[i], name + 1, len) == 0) {
                value[i] = (struct scan_value){ .text = text, .len = (size_t)(s->at - text) };
            }
        }
    } while (scan_byte(s, ','));
    return scan_byte(s, '}');
}

int scan_object(const char *text, size_t len, const char *const *key, struct scan_value *value)
{
    struct scan s = { .at = text, .end = text + len };

    for (size_t i = 0; key[i]; i++) {
        value[i] = (struct scan_value){ 0 };
    }
    if (scan_byte(&s, '{') ? !scan_members(&s, key, value) : !scan_whole(&s)) {
        return RUSM_EMALFORMED;
    }
    scan_blank(&s);
    return s.at == s.end ? 0 : RUSM_EMALFORMED;
}
