/* base/blocks: large blocks are reused. What is kept is bounded, and is freed when nobody uses it.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/blocks.h"
#include "base/limits.h"
#include "doubles/memory.h"

#define MIB ((size_t)1024 * 1024)

static void *take(struct blocks *b, size_t size)
{
    void *block = blocks_take(b, size);
    assert_non_null(block);
    memset(block, 1, size < MIB ? size : MIB);
    return block;
}

static void test_found_again(void **state)
{
    struct blocks b;
    (void)state;
    blocks_init(&b);
    void *four = take(&b, 4 * MIB), *two = take(&b, 2 * MIB), *small = take(&b, 100);
    blocks_give(&b, four);
    blocks_give(&b, two);
    blocks_give(&b, small);
    blocks_give(&b, NULL);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(b.count, 2); /* the small one went back to malloc */
    memory_fail_after(0);
    assert_null(blocks_take(&b, 5 * MIB));
    assert_null(blocks_take(&b, MIB / 2)); /* both are too large for it */
    assert_null(blocks_take(&b, 100));
    assert_ptr_equal(blocks_take(&b, MIB + MIB / 2), two); /* the smallest one that fits */
    assert_ptr_equal(blocks_take(&b, 3 * MIB), four);
    assert_null(blocks_take(&b, 2 * MIB));
    memory_works();
    blocks_give(&b, four);
    blocks_give(&b, two);
#endif
    blocks_fini(&b);
    assert_false(blocks_any(&b));
    assert_int_equal(b.bytes, 0);
}

static void test_bounds(void **state)
{
    enum { MANY = 2 * BLOCKS_SPARE };
    void *at[MANY];
    struct blocks b;
    (void)state;
    blocks_init(&b);
    for (size_t i = 0; i < MANY; i++) {
        at[i] = take(&b, BLOCKS_LEAST);
    }
    for (size_t i = 0; i < MANY; i++) {
        blocks_give(&b, at[i]);
        assert_true(b.count <= BLOCKS_SPARE && b.bytes <= LIMIT_SPARE_BLOCKS);
    }
    for (size_t i = 0; i < 4; i++) {
        at[i] = take(&b, RUSM_MESSAGE_MAX / 2 + i);
    }
    for (size_t i = 0; i < 4; i++) {
        blocks_give(&b, at[i]);
        assert_true(b.bytes <= LIMIT_SPARE_BLOCKS);
    }
    void *all = take(&b, RUSM_MESSAGE_MAX + 100), *more = take(&b, LIMIT_SPARE_BLOCKS + 1);
    blocks_give(&b, all);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(b.count, 1); /* the newest stays, the others are freed to make room */
    assert_ptr_equal(b.spare[0].at, all);
#endif
    blocks_give(&b, more);
    assert_true(b.count <= 1);
    blocks_fini(&b);
}

static void test_goes_back(void **state)
{
    struct blocks b;
    (void)state;
    blocks_init(&b);
    void *one = take(&b, MIB), *two = take(&b, 4 * MIB);
    blocks_give(&b, one);
    blocks_tick(&b);
    blocks_give(&b, two);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(b.count, 2);
    blocks_tick(&b);
    assert_int_equal(b.count, 1);
    assert_ptr_equal(b.spare[0].at, two);
    two = take(&b, 4 * MIB);
    blocks_give(&b, two); /* used since the last tick, so it stays for one more */
    blocks_tick(&b);
    assert_true(blocks_any(&b));
#endif
    blocks_tick(&b);
    assert_false(blocks_any(&b));
    blocks_fini(&b);
}

static void test_without(void **state)
{
    (void)state;
    void *block = take(NULL, MIB);
    blocks_give(NULL, block);
    memory_fail_after(0);
    assert_null(blocks_take(NULL, MIB));
    memory_works();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_again),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_goes_back),
        cmocka_unit_test(test_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
