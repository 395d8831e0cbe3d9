/* base/rng: repeatable random numbers. */
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The first outputs of xoshiro256** from the state 1, 2, 3, 4, as the code of its authors gives
 * them. */
static void test_known_outputs(void **state)
{
    (void)state;
    static const uint64_t want[] = { 11520, 0, 1509978240, UINT64_C(1215971899390074240) };
    struct rng r = { .s = { 1, 2, 3, 4 } };

    for (size_t i = 0; i < 4; i++) {
        assert_true(rng_u64(&r) == want[i]);
    }
}

/* The first outputs of splitmix64 from the seed 1234567, as published with it. */
static void test_known_seed(void **state)
{
    (void)state;
    struct rng r;

    rng_init(&r, 1234567);
    assert_true(r.s[0] == UINT64_C(6457827717110365317));
    assert_true(r.s[1] == UINT64_C(3203168211198807973));
    assert_true(r.s[2] == UINT64_C(9817491932198370423));
    assert_true(r.s[3] == UINT64_C(4593380528125082431));
}

static void test_same_seed_same_numbers(void **state)
{
    (void)state;
    struct rng a, b, c;

    rng_init(&a, 7);
    rng_init(&b, 7);
    rng_init(&c, 8);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t v = rng_u64(&a);
        assert_true(v == rng_u64(&b));
        assert_true(v != rng_u64(&c));
    }
}

static void test_below(void **state)
{
    (void)state;
    struct rng r;
    unsigned seen[10] = { 0 };
    uint64_t high = 0;

    rng_init(&r, 9);
    for (unsigned i = 0; i < 100000; i++) {
        seen[rng_below(&r, 10)]++;
        assert_int_equal(rng_below(&r, 1), 0);
        /* With this bound, a plain remainder would give the lower half twice as often. */
        high += rng_below(&r, UINT64_C(3) << 62) >= UINT64_C(3) << 61;
    }
    for (unsigned i = 0; i < 10; i++) {
        assert_in_range(seen[i], 9000, 11000);
    }
    assert_in_range(high, 49000, 51000);
}

static void test_secret(void **state)
{
    (void)state;
    uint8_t a[1000], b[1000];

    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    assert_int_equal(rng_secret(a, sizeof(a)), 0);
    assert_int_equal(rng_secret(b, sizeof(b)), 0);
    assert_int_equal(rng_secret(NULL, 0), 0);
    assert_memory_not_equal(a, b, 16);
    assert_memory_not_equal(a + 984, b + 984, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_outputs),
        cmocka_unit_test(test_known_seed),
        cmocka_unit_test(test_same_seed_same_numbers),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
