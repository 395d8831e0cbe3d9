/* base/utf8: characters and escapes. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static size_t encode(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6) {
        out[i] = (char)(0x80 | (c & 0x3f));
    }
    out[0] = (char)((n == 2 ? 0xc0u : n == 3 ? 0xe0u : 0xf0u) | c);
    return n;
}

static void test_every_character(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        char text[4];
        uint32_t back = ~c;
        size_t n = encode(text, c);
        bool good = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
        assert_int_equal(utf8_decode(text, n, &back), good ? n : 0);
        assert_true(!good || back == c);
        assert_int_equal(utf8_decode(text, n - 1, &back), 0);
    }
}

/* Overlong forms of every length, and bytes that start no character. */
static void test_not_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = { "\x80",
                                       "\xbf",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xe0\x80\x80",
                                       "\xe0\x9f\xbf",
                                       "\xf0\x80\x80\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "\xc3(",
                                       "\xe2\x82(",
                                       "\xf0\x9f\x98(" };
    uint32_t c;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &c), 0);
    }
}

static void test_classes(void **state)
{
    (void)state;
    static const uint32_t space[] = {
        9,      10,     11,     12,     13,     32,     0x85,   0xa0,
        0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000
    };
    unsigned spaces = 0, controls = 0;

    for (size_t i = 0; i < sizeof(space) / sizeof(space[0]); i++) {
        assert_true(utf8_is_space(space[i]));
    }
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        spaces += utf8_is_space(c);
        controls += utf8_is_control(c);
    }
    assert_int_equal(spaces, 25);   /* Unicode's White_Space */
    assert_int_equal(controls, 65); /* Unicode's Cc */
}

static const char *escaped(const char *text, size_t len, size_t cap)
{
    static char out[64];
    char *room = malloc(cap); /* exactly that size, so that a sanitizer sees a write past the end */

    assert_non_null(room);
    size_t n = utf8_escape(room, cap, text, len);
    assert_true(n < cap && room[n] == '\0' && strlen(room) == n);
    memcpy(out, room, n + 1);
    free(room);
    return out;
}

static void test_escape(void **state)
{
    (void)state;
    assert_string_equal(escaped("", 0, 1), "");
    assert_string_equal(escaped("plain text", 10, 64), "plain text");
    assert_string_equal(escaped("zähler 漢 😀", 16, 64), "zähler 漢 😀");
    assert_string_equal(escaped("zähler 漢 😀", 15, 64), "zähler 漢 \\xf0\\x9f\\x98");
    assert_string_equal(escaped("a\nb\0c\x7f", 6, 64), "a\\x0ab\\x00c\\x7f");
    assert_string_equal(escaped("\xc2\x9b"
                                "31m",
                                5, 64),
                        "\\xc2\\x9b31m");
    assert_string_equal(escaped("\xff\xc3", 2, 64), "\\xff\\xc3");
}

static void test_escape_cuts_between_characters(void **state)
{
    (void)state;
    assert_string_equal(escaped("aä", 3, 4), "aä");
    assert_string_equal(escaped("aä", 3, 3), "a");
    assert_string_equal(escaped("a\n", 2, 6), "a\\x0a");
    assert_string_equal(escaped("a\n", 2, 5), "a");
    assert_string_equal(escaped("abc", 3, 1), "");
    assert_int_equal(utf8_escape(NULL, 0, "abc", 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_not_utf8),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_escape_cuts_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
