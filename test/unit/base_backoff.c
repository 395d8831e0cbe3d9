/* base/backoff: pauses double up to the maximum, chance takes at most half of one, and they begin
 * anew when it works. */
#include "base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_grows_and_stays(void **state)
{
    static const struct backoff_policy policy = { .min_ns = 100, .max_ns = 1500 };
    static const uint64_t most[] = { 100, 200, 400, 800, 1500, 1500, 1500 };
    struct rng rng;

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct backoff b = { 0 };
        rng_init(&rng, seed);
        for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
            uint64_t ns = backoff_next_ns(&b, &policy, &rng);
            assert_in_range(ns, most[i] / 2, most[i]);
        }
        backoff_reset(&b);
        assert_in_range(backoff_next_ns(&b, &policy, &rng), 50, 100);
    }
}

/* Many that failed at once do not come back at once. */
static void test_spreads(void **state)
{
    static const struct backoff_policy policy = { .min_ns = 1000, .max_ns = 1000 };
    unsigned early = 0;
    struct rng rng;

    (void)state;
    rng_init(&rng, 7);
    for (int i = 0; i < 1000; i++) {
        struct backoff b = { 0 };
        early += backoff_next_ns(&b, &policy, &rng) < 750;
    }
    assert_in_range(early, 400, 600);
}

/* Limits that are no power of two apart, and the largest there are. */
static void test_extremes(void **state)
{
    static const struct backoff_policy same = { .min_ns = 7, .max_ns = 7 };
    static const struct backoff_policy huge = { .min_ns = UINT64_MAX / 2,
                                                .max_ns = UINT64_MAX - 1 };
    struct backoff b = { 0 };
    struct rng rng;

    (void)state;
    rng_init(&rng, 1);
    for (int i = 0; i < 100; i++) {
        assert_in_range(backoff_next_ns(&b, &same, &rng), 3, 7);
    }
    backoff_reset(&b);
    for (int i = 0; i < 100; i++) {
        assert_true(backoff_next_ns(&b, &huge, &rng) >= UINT64_MAX / 4 - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_stays),
        cmocka_unit_test(test_spreads),
        cmocka_unit_test(test_extremes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
