/* base/map: a hash table of elements that the caller owns.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/list.h"
#include "base/rng.h"
#include "doubles/memory.h"
#include "rusm.h"

#define ITEMS 5000

struct item {
    struct map_node node;
    uint64_t key;
    bool in, seen;
};

static struct item *item_of(struct map_node *n)
{
    return container_of(n, struct item, node);
}

static bool item_eq(const struct map_node *node, const void *key)
{
    uint64_t k;
    memcpy(&k, key, sizeof(k));
    return container_of(node, const struct item, node)->key == k;
}

static struct item *find(const struct map *m, uint64_t key)
{
    struct map_node *n = map_find(m, map_hash_u64(m, key), item_eq, &key);
    return n ? item_of(n) : NULL;
}

static void test_empty(void **state)
{
    (void)state;
    struct map m;
    struct map_iter it;

    map_init(&m, 1);
    assert_null(find(&m, 0));
    assert_null(map_first(&m, &it));
    map_fini(&m);
}

/* Inserts and removes items at random. Compares the map with a flag in each item. */
static void test_finds_what_is_in_it(void **state)
{
    (void)state;
    struct item *items = calloc(ITEMS, sizeof(*items));
    struct rng rng;
    struct map m;
    size_t count = 0;

    assert_non_null(items);
    rng_init(&rng, 2);
    map_init(&m, rng_u64(&rng));
    for (uint64_t i = 0; i < ITEMS; i++) {
        items[i].key = i * 4; /* serials and stream ids look like this */
    }
    for (unsigned tick = 0; tick < 100000; tick++) {
        struct item *item = &items[rng_below(&rng, ITEMS)];
        assert_ptr_equal(find(&m, item->key), item->in ? item : NULL);
        assert_null(find(&m, item->key + 1));
        if (item->in) {
            map_remove(&m, &item->node);
            count--;
        } else {
            assert_int_equal(map_insert(&m, map_hash_u64(&m, item->key), &item->node), 0);
            count++;
        }
        item->in = !item->in;
        assert_int_equal(m.count, count);
    }
    map_fini(&m);
    free(items);
}

static void test_walk_visits_each_once_and_may_remove(void **state)
{
    (void)state;
    struct item *items = calloc(ITEMS, sizeof(*items));
    struct map_iter it;
    struct map m;

    assert_non_null(items);
    map_init(&m, 3);
    for (uint64_t i = 0; i < ITEMS; i++) {
        items[i].key = i;
        assert_int_equal(map_insert(&m, map_hash_u64(&m, i), &items[i].node), 0);
    }
    for (struct map_node *n = map_first(&m, &it); n; n = map_next(&m, &it)) {
        assert_false(item_of(n)->seen);
        item_of(n)->seen = true;
        if (item_of(n)->key % 2) {
            map_remove(&m, n);
        }
    }
    assert_int_equal(m.count, ITEMS / 2);
    for (uint64_t i = 0; i < ITEMS; i++) {
        assert_true(items[i].seen);
        assert_ptr_equal(find(&m, i), i % 2 ? NULL : &items[i]);
    }
    map_fini(&m);
    free(items);
}

/* Scans the map in steps, between which it changes and grows. */
static void test_scan_misses_none_that_stay(void **state)
{
    (void)state;
    struct item *items = calloc(ITEMS, sizeof(*items));
    struct map_scan scan;
    struct map_node *n;
    struct rng rng;
    struct map m;

    assert_non_null(items);
    rng_init(&rng, 5);
    map_init(&m, 6);
    scan = (struct map_scan){ 0 };
    assert_false(map_scan(&m, &scan, &n));
    for (unsigned round = 0; round < 40; round++) {
        size_t stay = 1 + rng_below(&rng, 200), in = stay;
        map_fini(&m);
        for (uint64_t i = 0; i < stay; i++) {
            items[i] = (struct item){ .key = i };
            assert_int_equal(map_insert(&m, map_hash_u64(&m, i), &items[i].node), 0);
        }
        scan = (struct map_scan){ 0 };
        while (map_scan(&m, &scan, &n)) {
            for (; n; n = n->next) {
                assert_false(item_of(n)->seen);
                item_of(n)->seen = true;
            }
            for (uint64_t more = rng_below(&rng, 20); more > 0 && in < ITEMS; more--, in++) {
                items[in] = (struct item){ .key = in };
                assert_int_equal(map_insert(&m, map_hash_u64(&m, in), &items[in].node), 0);
            }
        }
        for (uint64_t i = 0; i < stay; i++) {
            assert_true(items[i].seen);
        }
        assert_false(map_scan(&m, &scan, &n));
        for (size_t i = 0; i < in; i++) {
            map_remove(&m, &items[i].node);
        }
    }
    map_fini(&m);
    free(items);
}

/* Elements with the same hash are all found: eq tells them apart. */
static void test_one_bucket_for_all(void **state)
{
    (void)state;
    struct item items[50] = { 0 };
    struct map m;

    map_init(&m, 4);
    for (uint64_t i = 0; i < 50; i++) {
        items[i].key = i;
        assert_int_equal(map_insert(&m, 42, &items[i].node), 0);
    }
    for (uint64_t i = 0; i < 50; i++) {
        assert_ptr_equal(map_find(&m, 42, item_eq, &i), &items[i].node);
    }
    map_remove(&m, &items[25].node);
    for (uint64_t i = 0; i < 50; i++) {
        assert_ptr_equal(map_find(&m, 42, item_eq, &i), i == 25 ? NULL : &items[i].node);
    }
    map_fini(&m);
}

/* Keys that differ only in low bits, in high bits or by a stride spread as random ones would. Of
 * 4,096 random keys in 4,096 buckets, the fullest bucket has about 7. More than 14 cannot be bad
 * luck. */
static void test_hashes_spread(void **state)
{
    (void)state;
    struct map m;

    for (uint64_t seed = 0; seed < 8; seed++) {
        map_init(&m, seed * UINT64_C(0x123456789abcdef));
        for (unsigned shift = 0; shift <= 48; shift += 4) {
            uint8_t numbers[4096] = { 0 }, texts[4096] = { 0 };
            for (uint64_t i = 0; i < 4096; i++) {
                uint64_t key = i << shift;
                assert_true(++numbers[map_hash_u64(&m, key) & 4095] < 15);
                assert_true(++texts[map_hash_bytes(&m, &key, sizeof(key)) & 4095] < 15);
            }
        }
    }
}

/* The hash depends on every byte, the length, and the seed. */
static void test_hash_of_bytes_depends_on_all(void **state)
{
    (void)state;
    uint8_t text[80];
    struct map m, other;

    memset(text, 'x', sizeof(text));
    map_init(&m, 5);
    map_init(&other, 6);
    for (size_t len = 0; len <= sizeof(text); len++) {
        uint64_t h = map_hash_bytes(&m, text, len);
        assert_true(h == map_hash_bytes(&m, text, len));
        assert_true(h != map_hash_bytes(&other, text, len));
        assert_true(len == 0 || h != map_hash_bytes(&m, text, len - 1));
        for (size_t i = 0; i < len; i++) {
            text[i] = 'y';
            assert_true(h != map_hash_bytes(&m, text, len));
            text[i] = 'x';
        }
    }
    assert_true(map_hash_bytes(&m, NULL, 0) == map_hash_bytes(&m, text, 0));
    assert_true(map_hash_u64(&m, 7) != map_hash_u64(&other, 7));
}

static void test_no_memory(void **state)
{
    (void)state;
    struct item items[100] = { 0 };
    struct map m;

    map_init(&m, 7);
    memory_fail_after(0);
    assert_int_equal(map_insert(&m, 1, &items[0].node), RUSM_ENOMEM);
    assert_int_equal(m.count, 0);
    memory_works();
    for (uint64_t i = 0; i < 100; i++) {
        items[i].key = i;
        /* After the first buckets, the map works without more memory. */
        assert_int_equal(map_insert(&m, map_hash_u64(&m, i), &items[i].node), 0);
        memory_fail_after(0);
    }
    memory_works();
    assert_int_equal(m.mask, 7);
    for (uint64_t i = 0; i < 100; i++) {
        assert_ptr_equal(find(&m, i), &items[i]);
    }
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_finds_what_is_in_it),
        cmocka_unit_test(test_walk_visits_each_once_and_may_remove),
        cmocka_unit_test(test_scan_misses_none_that_stay),
        cmocka_unit_test(test_one_bucket_for_all),
        cmocka_unit_test(test_hashes_spread),
        cmocka_unit_test(test_hash_of_bytes_depends_on_all),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
