/* wire/close: every code has its own text. */
#include "wire/close.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_every_code_has_its_own_text(void **state)
{
    (void)state;
    for (uint64_t a = 0; a <= CLOSE_WRONG_SHARE; a++) {
        assert_non_null(close_code_text(a));
        assert_string_not_equal(close_code_text(a), "unknown code");
        for (uint64_t b = 0; b < a; b++) {
            assert_string_not_equal(close_code_text(a), close_code_text(b));
        }
    }
}

static void test_unknown_codes(void **state)
{
    (void)state;
    assert_string_equal(close_code_text(CLOSE_WRONG_SHARE + 1), "unknown code");
    assert_string_equal(close_code_text(UINT64_MAX), "unknown code");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_its_own_text),
        cmocka_unit_test(test_unknown_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
