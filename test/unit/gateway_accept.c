/* gateway/accept: which format the Accept fields of scrapers and of nobody ask for. */
#include "gateway/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define OPEN "application/openmetrics-text"
#define TEXT "text/plain"

static enum accept_format best(const char *value)
{
    struct accept a = { 0 };

    accept_add(&a, value, strlen(value));
    return accept_best(&a);
}

static void test_scrapers(void **state)
{
    (void)state;
    assert_int_equal(best(OPEN ";version=1.0.0;q=0.5," OPEN ";version=0.0.1;q=0.4," TEXT
                               ";version=0.0.4;q=0.3,*/*;q=0.2"),
                     ACCEPT_OPEN);
    assert_int_equal(best("application/vnd.google.protobuf;proto=a.b.C;encoding=delimited," TEXT
                          ";version=1.0.0;escaping=allow-utf-8;q=0.4," TEXT
                          ";version=0.0.4;q=0.3,*/*;q=0.2"),
                     ACCEPT_TEXT);
    assert_int_equal(best(OPEN "; version=0.0.1," TEXT ";version=0.0.4;q=0.5,*/*;q=0.1"),
                     ACCEPT_OPEN_OLD);
    assert_int_equal(best("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
                     ACCEPT_TEXT);
}

static void test_preference(void **state)
{
    static const struct {
        const char *value;
        enum accept_format want;
    } cases[] = {
        { "*/*", ACCEPT_TEXT },
        { TEXT, ACCEPT_TEXT },
        { "text/*", ACCEPT_TEXT },
        { OPEN, ACCEPT_OPEN },
        { "APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=1", ACCEPT_OPEN },
        { OPEN ";version=2.0.0", ACCEPT_TEXT },
        { OPEN ";x=\"a,b;q=0\";q=0.5, " TEXT ";q=0.4", ACCEPT_OPEN },
        { OPEN ";q=0.4, " TEXT ";q=0.5", ACCEPT_TEXT },
        { OPEN ";q=0.49, " TEXT ";q=0.499", ACCEPT_TEXT },
        { OPEN ";q=0.499, " TEXT ";q=0.49", ACCEPT_OPEN },
        { OPEN ", " TEXT, ACCEPT_OPEN },
        { TEXT ", " OPEN, ACCEPT_TEXT },
        { "*/*, " OPEN, ACCEPT_OPEN },
        { "*/*, " OPEN ";q=0", ACCEPT_TEXT },
        { "*/*;q=0.5, " OPEN ";q=0.4", ACCEPT_TEXT },
        { "text/*;q=0.9, */*", ACCEPT_OPEN },
        { OPEN ";q=0, " TEXT ";q=0", ACCEPT_TEXT },
        { "application/*", ACCEPT_OPEN },
        { TEXT ";q=0.1, " TEXT ";version=0.0.4, " OPEN ";q=0.5", ACCEPT_TEXT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (best(cases[i].value) != cases[i].want) {
            fail_msg("%s", cases[i].value);
        }
    }
}

static void test_several_fields(void **state)
{
    struct accept a = { 0 };

    (void)state;
    assert_int_equal(accept_best(&a), ACCEPT_TEXT);
    accept_add(&a, TEXT ";q=0.5", strlen(TEXT ";q=0.5"));
    accept_add(&a, OPEN, strlen(OPEN));
    assert_int_equal(accept_best(&a), ACCEPT_OPEN);
}

/* Any bytes: nothing is read beyond their end. */
static void test_nonsense(void **state)
{
    static const char *const values[] = {
        "",         ",",         ";",           ",;=,",           "=",          "\"",
        "\"\\",     ";q",        ";q=",         ";q=0.",          ";q=.5",      ";q=2",
        ";version", ";version=", ";version=\"", OPEN ";q=0.5555", OPEN ";q=-1", "text",
        "/",        " \t , ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        size_t len = strlen(values[i]);
        char *copy = malloc(len ? len : 1); /* of this length exactly, for the sanitizer */
        struct accept a = { 0 };
        memcpy(copy, values[i], len);
        accept_add(&a, copy, len);
        assert_in_range(accept_best(&a), ACCEPT_TEXT, ACCEPT_FORMATS - 1);
        free(copy);
    }
    assert_int_equal(best(OPEN ";q=0.5555, " TEXT ";q=0.9"), ACCEPT_OPEN); /* no qvalue: 1 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scrapers),
        cmocka_unit_test(test_preference),
        cmocka_unit_test(test_several_fields),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
