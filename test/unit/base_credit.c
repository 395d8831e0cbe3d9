/* base/credit: bytes on their way back to a lane that may be gone.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * The sanitizers check that each credit is freed exactly once. */
#include "base/credit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "doubles/memory.h"

static void test_given_bytes_make_it_dirty(void **state)
{
    (void)state;
    struct credit_owner owner;
    credit_owner_init(&owner, NULL);
    struct credit *c = credit_new(&owner);

    assert_non_null(c);
    assert_int_equal(c->refs, 1);
    credit_hold(c);
    credit_hold(c);
    assert_int_equal(c->refs, 3);
    assert_true(list_empty(&owner.dirty));
    credit_give(c, 100);
    assert_ptr_equal(list_first(&owner.dirty), &c->dirty);
    credit_give(c, 23);
    assert_int_equal(c->given, 123);
    assert_int_equal(c->messages, 2);
    assert_int_equal(c->refs, 1);

    /* The owner takes what was given and clears it. The next byte makes the credit dirty again. */
    list_remove(&c->dirty);
    c->given = 0;
    c->messages = 0;
    credit_hold(c);
    credit_give(c, 1);
    assert_ptr_equal(list_first(&owner.dirty), &c->dirty);
    assert_int_equal(c->given, 1);
    credit_orphan(c);
    assert_true(list_empty(&owner.dirty));
}

static void test_lane_goes_before_its_messages(void **state)
{
    (void)state;
    struct credit_owner owner;
    credit_owner_init(&owner, NULL);
    struct credit *c = credit_new(&owner);

    assert_non_null(c);
    credit_hold(c);
    credit_hold(c);
    credit_give(c, 5);
    credit_orphan(c);
    assert_true(list_empty(&owner.dirty));
    assert_int_equal(c->refs, 1);
    credit_give(c, 7);
    assert_true(list_empty(&owner.dirty));
}

static void test_owner_is_due_once(void **state)
{
    (void)state;
    struct list dues;
    struct credit_owner a, b;
    list_init(&dues);
    credit_owner_init(&a, &dues);
    credit_owner_init(&b, &dues);
    struct credit *c = credit_new(&a), *d = credit_new(&a);

    assert_non_null(c);
    assert_non_null(d);
    credit_hold(c);
    credit_hold(d);
    assert_true(list_empty(&dues));
    credit_give(c, 1);
    credit_give(d, 1);
    credit_owner_due(&b);
    credit_owner_due(&b);
    assert_ptr_equal(list_first(&dues), &a.due);
    list_remove(&a.due);
    assert_ptr_equal(list_first(&dues), &b.due);
    list_remove(&b.due);
    assert_true(list_empty(&dues));

    /* Bytes of a lane that is gone make no owner due. */
    credit_hold(c);
    credit_orphan(c);
    credit_give(c, 1);
    assert_true(list_empty(&dues));
    credit_orphan(d);
}

static void test_null_and_no_memory(void **state)
{
    (void)state;
    struct credit_owner owner;

    credit_owner_init(&owner, NULL);
    credit_give(NULL, 5);
    credit_orphan(NULL);
    memory_fail_after(0);
    assert_null(credit_new(&owner));
    memory_works();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given_bytes_make_it_dirty),
        cmocka_unit_test(test_lane_goes_before_its_messages),
        cmocka_unit_test(test_owner_is_due_once),
        cmocka_unit_test(test_null_and_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
