/* base/repeat: the first warning of a kind is written at once, the others are counted, and a line a
 * minute says how many. */
#include "base/repeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SECOND ((uint64_t)1000000000)

struct taken {
    unsigned lines;
    char last[512];
};

static void take(void *context, enum rusm_log_level level, const char *text)
{
    struct taken *t = context;

    assert_int_equal(level, RUSM_LOG_WARN);
    t->lines++;
    snprintf(t->last, sizeof(t->last), "%s", text);
}

static void begin(struct repeat *r, struct log *log, struct taken *t)
{
    *t = (struct taken){ 0 };
    log_init(log, 2, RUSM_LOG_WARN, "london");
    log_to(log, take, t);
    repeat_init(r, log);
}

static void test_first_then_a_count(void **state)
{
    static struct repeat r;
    struct log log;
    struct taken t;

    (void)state;
    begin(&r, &log, &t);
    assert_true(repeat_tick(&r, 5 * SECOND) == UINT64_MAX);
    assert_true(repeat_warn(&r, 5 * SECOND, "refused 192.0.2.1", "refused %s", "192.0.2.1:7"));
    assert_string_equal(t.last, "refused 192.0.2.1:7");
    for (int i = 0; i < 1000; i++) {
        assert_false(repeat_warn(&r, 6 * SECOND, "refused 192.0.2.1", "refused %d", i));
    }
    assert_true(repeat_warn(&r, 6 * SECOND, "refused 192.0.2.2", "refused 192.0.2.2:7"));
    assert_int_equal(t.lines, 2);
    assert_int_equal(repeat_tick(&r, 64 * SECOND), 65 * SECOND);
    assert_int_equal(t.lines, 2);
    assert_int_equal(repeat_tick(&r, 65 * SECOND), 66 * SECOND);
    assert_int_equal(t.lines, 3);
    assert_string_equal(t.last, "1000 more in the last minute: refused 192.0.2.1:7");
    /* What did not come again is forgotten, and is new when it comes then. */
    assert_int_equal(repeat_tick(&r, 66 * SECOND), 125 * SECOND);
    assert_true(repeat_tick(&r, 125 * SECOND) == UINT64_MAX);
    assert_true(repeat_warn(&r, 126 * SECOND, "refused 192.0.2.1", "refused 192.0.2.1:8"));
    assert_int_equal(t.lines, 4);
}

static void test_many_origins(void **state)
{
    static struct repeat r;
    struct log log;
    struct taken t;
    char key[32];

    (void)state;
    begin(&r, &log, &t);
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(key, sizeof(key), "refused %u", i);
        assert_int_equal(repeat_warn(&r, SECOND, key, "%s", key), i < LIMIT_REPEATS);
    }
    assert_int_equal(t.lines, LIMIT_REPEATS);
    repeat_tick(&r, 61 * SECOND);
    assert_int_equal(t.lines, LIMIT_REPEATS + 1);
    assert_non_null(strstr(t.last, "more warnings of that kind"));
    assert_true(repeat_warn(&r, 62 * SECOND, "new", "new"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_then_a_count),
        cmocka_unit_test(test_many_origins),
    };
    return cmocka_run_group_tests_name("base/repeat", tests, NULL, NULL);
}
