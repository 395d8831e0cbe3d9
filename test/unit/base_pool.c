/* base/pool: a pool reuses what it was given, keeps no more than it may, and survives a lack of
 * memory.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/pool.h"
#include "doubles/memory.h"

static void test_reuse(void **state)
{
    struct pool p;
    (void)state;
    pool_init(&p, 48, 2);
    void *a = pool_take(&p), *b = pool_take(&p), *c = pool_take(&p);
    assert_true(a && b && c);
    memset(a, 1, 48);
    memset(b, 2, 48);
    memset(c, 3, 48);
    pool_give(&p, a);
    pool_give(&p, b);
    pool_give(&p, c);
    pool_give(&p, NULL);
    assert_true(p.count <= 2);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(p.count, 2);
    memory_fail_after(0);
    assert_ptr_equal(pool_take(&p), b); /* the third was more than the pool keeps */
    assert_ptr_equal(pool_take(&p), a);
    assert_null(pool_take(&p));
    memory_works();
    pool_give(&p, a);
    pool_give(&p, b);
#endif
    pool_fini(&p);
    assert_int_equal(p.count, 0);
    assert_null(p.spare);
}

static void test_no_memory(void **state)
{
    struct pool p;
    (void)state;
    pool_init(&p, sizeof(void *), 0);
    memory_fail_after(0);
    assert_null(pool_take(&p));
    memory_works();
    void *a = pool_take(&p);
    assert_non_null(a);
    pool_give(&p, a);
    assert_int_equal(p.count, 0);
    pool_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
