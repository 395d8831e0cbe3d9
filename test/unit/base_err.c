/* base/err: every code has a text, and a why is one line. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <string.h>
#include <cmocka.h>

static void test_every_code_has_its_own_text(void **state)
{
    (void)state;
    for (int a = RUSM_OK; a >= RUSM_EIO; a--) {
        assert_non_null(rusm_strerror(a));
        assert_string_not_equal(rusm_strerror(a), "unknown error");
        for (int b = RUSM_OK; b > a; b--) {
            assert_string_not_equal(rusm_strerror(a), rusm_strerror(b));
        }
    }
    assert_string_equal(rusm_strerror(RUSM_ENOPROC), "no such process");
}

static void test_unknown_codes(void **state)
{
    (void)state;
    const int unknown[] = { 1, RUSM_EIO - 1, INT_MIN, INT_MAX };
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(rusm_strerror(unknown[i]), "unknown error");
    }
}

static void test_why(void **state)
{
    (void)state;
    struct rusm_why why = { "before" };

    assert_int_equal(err_why(&why, RUSM_EIO, "%s: %d", "london", 7), RUSM_EIO);
    assert_string_equal(why.text, "london: 7");
    assert_int_equal(err_why(NULL, RUSM_EINVAL, "%s", "nobody reads it"), RUSM_EINVAL);
    err_why(&why, RUSM_EIO, "two\nlines \x1b[31m");
    assert_string_equal(why.text, "two\\x0alines \\x1b[31m");
}

static void test_long_why_is_cut(void **state)
{
    (void)state;
    char text[2000];
    struct rusm_why why;

    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    err_why(&why, RUSM_EIO, "%s", text);
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
    memset(text, '\n', sizeof(text) - 1);
    err_why(&why, RUSM_EIO, "%s", text);
    assert_true(strlen(why.text) < sizeof(why.text));
    assert_int_equal(strlen(why.text) % 4, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_its_own_text),
        cmocka_unit_test(test_unknown_codes),
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_long_why_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
