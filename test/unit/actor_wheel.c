/* actor/wheel: each timer expires once, in time and in order, whatever was set, moved and
 * cancelled. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "actor/wheel.h"
#include "base/rng.h"

#define TICK (UINT64_C(1) << WHEEL_TICK_BITS)
#define NODES 2000

struct item {
    struct wheel_node node;     /* first member */
    uint64_t from_ns, until_ns; /* expires at from_ns or later, by the first tick after until_ns */
    unsigned told;
    bool set;
};

static uint64_t now_ns;

static void told(struct wheel_node *node)
{
    struct item *it = (struct item *)(void *)node;

    assert_true(it->set);
    assert_true(now_ns >= it->from_ns);
    it->set = false;
    it->told++;
}

static void set(struct wheel *w, struct item *it, uint64_t ms)
{
    it->from_ns = now_ns + ms * 1000000;
    it->until_ns = ms ? it->from_ns + TICK : now_ns;
    it->set = true;
    wheel_set(w, &it->node, ms, now_ns);
}

/* Times from nothing to a year, steps from a tick to days. The result must be that of a model that
 * looks at all items. */
static void test_model(void **state)
{
    struct item *items = calloc(NODES, sizeof(*items));
    struct wheel *w = malloc(sizeof(*w));
    struct rng rng;
    uint64_t all = 0, expected = 0;

    (void)state;
    assert_non_null(items);
    assert_non_null(w);
    rng_init(&rng, 42);
    wheel_init(w);
    now_ns = UINT64_C(123456789012345);
    for (size_t i = 0; i < NODES; i++) {
        wheel_node_init(&items[i].node, told);
    }
    for (int tick = 0; tick < 3000; tick++) {
        for (int n = 0; n < 20; n++) {
            struct item *it = &items[rng_u64(&rng) % NODES];
            if (rng_u64(&rng) % 4 == 0) {
                wheel_cancel(w, &it->node);
                it->set = false;
            } else {
                set(w, it, rng_u64(&rng) >> (29 + rng_u64(&rng) % 35));
            }
        }
        uint64_t next = wheel_next_ns(w), first = UINT64_MAX;
        for (size_t i = 0; i < NODES; i++) {
            if (items[i].set && items[i].until_ns < first) {
                first = items[i].until_ns;
            }
        }
        assert_true(next <= first);
        now_ns += rng_u64(&rng) >> (20 + rng_u64(&rng) % 44);
        wheel_advance(w, now_ns);
        size_t left = 0;
        for (size_t i = 0; i < NODES; i++) {
            assert_true(!items[i].set || items[i].until_ns > now_ns);
            left += items[i].set;
        }
        assert_int_equal(w->count, left);
    }
    for (size_t i = 0; i < NODES; i++) {
        all += items[i].told;
        expected += items[i].set;
    }
    assert_true(all > 1000 && expected > 0);
    free(w);
    free(items);
}

static unsigned order[3], at;

struct ordered {
    struct wheel_node node;
    unsigned number;
};

static void note(struct wheel_node *node)
{
    order[at++] = ((struct ordered *)(void *)node)->number;
}

/* Timers of one tick, set from near and from far, expire in the order they were set. */
static void test_order(void **state)
{
    struct wheel *w = malloc(sizeof(*w));
    struct ordered a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };

    (void)state;
    assert_non_null(w);
    wheel_init(w);
    wheel_node_init(&a.node, note);
    wheel_node_init(&b.node, note);
    wheel_node_init(&c.node, note);
    wheel_advance(w, 0);
    wheel_set(w, &a.node, 10000, 0);
    wheel_advance(w, 9000 * (uint64_t)1000000);
    wheel_set(w, &b.node, 1000, 9000 * (uint64_t)1000000);
    wheel_advance(w, 9990 * (uint64_t)1000000);
    wheel_set(w, &c.node, 10, 9990 * (uint64_t)1000000);
    wheel_advance(w, 9999 * (uint64_t)1000000);
    assert_int_equal(at, 0);
    wheel_advance(w, 10002 * (uint64_t)1000000);
    assert_int_equal(at, 3);
    assert_true(order[0] == 1 && order[1] == 2 && order[2] == 3);
    assert_true(wheel_next_ns(w) == UINT64_MAX);
    free(w);
}

static struct wheel *again_wheel;
static unsigned again_count;

static void again(struct wheel_node *node)
{
    again_count++;
    wheel_set(again_wheel, node, 0, now_ns);
}

/* A timer that sets itself again at once does not keep the tick from ending. */
static void test_again(void **state)
{
    struct wheel_node node;

    (void)state;
    again_wheel = malloc(sizeof(*again_wheel));
    assert_non_null(again_wheel);
    wheel_init(again_wheel);
    now_ns = 5000 * TICK;
    wheel_node_init(&node, again);
    wheel_set(again_wheel, &node, 0, now_ns);
    for (unsigned ticks = 1; ticks < 5; ticks++) {
        wheel_advance(again_wheel, now_ns);
        assert_int_equal(again_count, ticks);
        assert_true(wheel_next_ns(again_wheel) <= now_ns + TICK);
        now_ns += TICK;
    }
    free(again_wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
