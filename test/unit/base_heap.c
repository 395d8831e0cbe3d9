/* base/heap: the node with the least key is always first.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/rng.h"
#include "doubles/memory.h"
#include "rusm.h"

#define NODES 200

static void test_empty(void **state)
{
    (void)state;
    struct heap_node n = { 0 };
    struct heap h;

    heap_init(&h);
    assert_null(heap_min(&h));
    assert_false(heap_has(&n));
    heap_remove(&h, &n);
    heap_fini(&h);
}

/* Inserts, moves and removes nodes at random. Compares the minimum with a search through all of
 * them. */
static void test_minimum_is_always_first(void **state)
{
    (void)state;
    struct heap_node nodes[NODES] = { 0 };
    struct heap h;
    struct rng rng;

    rng_init(&rng, 3);
    heap_init(&h);
    for (unsigned tick = 0; tick < 50000; tick++) {
        struct heap_node *n = &nodes[rng_below(&rng, NODES)];
        uint64_t key = rng_below(&rng, 1000);
        if (!heap_has(n)) {
            assert_int_equal(heap_insert(&h, n, key), 0);
        } else if (rng_below(&rng, 2)) {
            heap_move(&h, n, key);
        } else {
            heap_remove(&h, n);
            assert_false(heap_has(n));
        }
        uint64_t least = UINT64_MAX;
        size_t count = 0;
        for (size_t i = 0; i < NODES; i++) {
            if (heap_has(&nodes[i])) {
                count++;
                assert_ptr_equal(h.at[nodes[i].index], &nodes[i]);
                least = nodes[i].key < least ? nodes[i].key : least;
            }
        }
        assert_int_equal(h.count, count);
        struct heap_node *min = heap_min(&h);
        assert_true(count == 0 ? min == NULL : min->key == least);
    }
    heap_fini(&h);
}

static void test_drains_in_order(void **state)
{
    (void)state;
    struct heap_node nodes[NODES] = { 0 };
    struct heap h;
    struct rng rng;
    uint64_t last = 0;

    rng_init(&rng, 4);
    heap_init(&h);
    for (size_t i = 0; i < NODES; i++) {
        assert_int_equal(heap_insert(&h, &nodes[i], i % 3 ? rng_u64(&rng) : UINT64_MAX), 0);
    }
    for (struct heap_node *n; (n = heap_min(&h)); heap_remove(&h, n)) {
        assert_true(n->key >= last);
        last = n->key;
    }
    assert_true(last == UINT64_MAX);
    heap_fini(&h);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct heap_node nodes[NODES] = { 0 };
    struct heap h;
    size_t in = 0;

    heap_init(&h);
    memory_fail_after(0);
    assert_int_equal(heap_insert(&h, &nodes[0], 1), RUSM_ENOMEM);
    assert_false(heap_has(&nodes[0]));
    memory_fail_after(1);
    while (heap_insert(&h, &nodes[in], NODES - in) == 0) {
        in++;
    }
    memory_works();
    assert_true(in > 0 && in < NODES);
    assert_int_equal(h.count, in);
    assert_false(heap_has(&nodes[in]));
    assert_ptr_equal(heap_min(&h), &nodes[in - 1]);
    assert_int_equal(heap_insert(&h, &nodes[in], 0), 0);
    assert_ptr_equal(heap_min(&h), &nodes[in]);
    heap_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_minimum_is_always_first),
        cmocka_unit_test(test_drains_in_order),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
