/* base/list: a doubly linked list that allocates no memory. */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

struct item {
    int value;
    struct list link;
};

static int sum_in_order(struct list *head)
{
    int sum = 0;

    list_each(it, head) {
        sum = sum * 10 + container_of(it, struct item, link)->value;
    }
    return sum;
}

static void test_order(void **state)
{
    (void)state;
    struct item a = { .value = 1 }, b = { .value = 2 }, c = { .value = 3 };
    struct list head;

    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
    list_append(&head, &b.link);
    list_append(&head, &c.link);
    list_prepend(&head, &a.link);
    assert_int_equal(sum_in_order(&head), 123);
    assert_ptr_equal(list_first(&head), &a.link);
    list_remove(&b.link);
    assert_int_equal(sum_in_order(&head), 13);
    list_append(&head, &b.link);
    assert_int_equal(sum_in_order(&head), 132);
}

static void test_removed_is_unlinked(void **state)
{
    (void)state;
    struct item a = { .value = 1 };
    struct list head;

    list_init(&head);
    list_init(&a.link);
    assert_false(list_linked(&a.link));
    list_append(&head, &a.link);
    assert_true(list_linked(&a.link));
    list_remove(&a.link);
    assert_false(list_linked(&a.link));
    list_remove(&a.link); /* a second remove does nothing */
    assert_true(list_empty(&head));
}

static void test_walk_may_remove(void **state)
{
    (void)state;
    struct item items[9];
    struct list head;

    list_init(&head);
    for (int i = 0; i < 9; i++) {
        items[i].value = i + 1;
        list_append(&head, &items[i].link);
    }
    list_each_safe(it, &head) {
        if (container_of(it, struct item, link)->value % 2) {
            list_remove(it);
        }
    }
    assert_int_equal(sum_in_order(&head), 2468);
    list_each_safe(it, &head) {
        list_remove(it);
    }
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_removed_is_unlinked),
        cmocka_unit_test(test_walk_may_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
