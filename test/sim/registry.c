/* sim: the registries of five nodes while connections come and go, names are claimed, withdrawn and
 * raced for, and frames are on their way. Whenever all nodes are connected and all frames have
 * arrived, all registries agree. A failing run prints its seed. With one argument, only that seed
 * runs. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "wire/limits.h"
#include "base/list.h"
#include "base/rng.h"
#include "cluster/registry.h"

#define NOW UINT64_C(1800000000000) /* milliseconds */
#define NODES 5
#define NAMES 12
#define SERIALS 6

struct flying {
    struct list at;
    size_t len;
    uint8_t body[];
};

struct world {
    struct rng rng;
    struct registry *registry[NODES];
    uint64_t wall[NODES];             /* each node has its own clock */
    bool up[NODES][NODES];            /* [a][b]: a has a connection to b; symmetric */
    struct list flying[NODES][NODES]; /* [from][to]: in order, as on a stream */
};

static const char *const node_names[NODES] = { "bonn", "london", "oslo", "rome", "tokyo" };

static void world_drop(struct world *w, size_t a, size_t b)
{
    list_each_safe(at, &w->flying[a][b]) {
        list_remove(at);
        free(container_of(at, struct flying, at));
    }
}

static void world_cut(struct world *w, size_t a, size_t b)
{
    registry_peer_down(w->registry[a], (uint32_t)b + 1);
    registry_peer_down(w->registry[b], (uint32_t)a + 1);
    world_drop(w, a, b);
    world_drop(w, b, a);
    w->up[a][b] = w->up[b][a] = false;
}

static void world_join(struct world *w, size_t a, size_t b)
{
    assert_int_equal(registry_peer_up(w->registry[a], node_names[b], (uint32_t)b + 1, 1), 0);
    assert_int_equal(registry_peer_up(w->registry[b], node_names[a], (uint32_t)a + 1, 1), 0);
    world_drop(w, a, b);
    world_drop(w, b, a);
    w->up[a][b] = w->up[b][a] = true;
}

/* Sends one frame from a to b. Returns whether there was one. */
static bool world_send(struct world *w, size_t a, size_t b)
{
    uint8_t body[LIMIT_FRAME];
    /* Frames are small, so that snapshots are cut. */
    size_t len = registry_next(w->registry[a], (uint32_t)b + 1, body, REGISTRY_FRAME_LEAST);

    if (len == 0) {
        return false;
    }
    struct flying *f = malloc(sizeof(*f) + len);
    assert_non_null(f);
    f->len = len;
    memcpy(f->body, body, len);
    list_append(&w->flying[a][b], &f->at);
    return true;
}

static bool world_deliver(struct world *w, size_t a, size_t b)
{
    struct list *at = list_first(&w->flying[a][b]);

    if (!at) {
        return false;
    }
    struct flying *f = container_of(at, struct flying, at);
    /* A stream neither loses nor repeats anything, but a repeated frame must not matter. */
    for (uint64_t n = 1 + rng_below(&w->rng, 2); n > 0; n--) {
        assert_int_equal(registry_recv(w->registry[b], (uint32_t)a + 1, f->body, f->len,
                                       w->wall[b]),
                         0);
    }
    list_remove(at);
    free(f);
    return true;
}

static void world_step(struct world *w)
{
    static const char *const names[NAMES] = { "a", "b", "c", "d", "e", "f",
                                              "g", "h", "i", "j", "k", "l" };
    size_t a = rng_below(&w->rng, NODES), b = rng_below(&w->rng, NODES);
    uint64_t serial = 1 + rng_below(&w->rng, SERIALS);
    const char *name = names[rng_below(&w->rng, NAMES)];

    w->wall[a] += rng_below(&w->rng, 3);
    switch (rng_below(&w->rng, 40)) {
    case 0:
        if (a != b && w->up[a][b]) {
            world_cut(w, a, b);
        }
        break;
    case 1:
    case 2:
        if (a != b) { /* also if up: it replaces the connection */
            world_join(w, a, b);
        }
        break;
    case 3: registry_withdraw_all(w->registry[a], serial, w->wall[a]); break;
    case 4:
    case 5:
    case 6: registry_withdraw(w->registry[a], name, 1, serial, w->wall[a]); break;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12: registry_claim(w->registry[a], name, 1, serial, w->wall[a]); break;
    default:
        if (a != b && rng_below(&w->rng, 2)) {
            world_send(w, a, b);
        } else if (a != b) {
            world_deliver(w, a, b);
        }
    }
}

static void world_settle(struct world *w)
{
    for (size_t a = 0; a < NODES; a++) {
        for (size_t b = 0; b < NODES; b++) {
            while (a != b && (world_send(w, a, b) || world_deliver(w, a, b))) {}
        }
    }
}

static void agree(struct world *w, uint64_t seed, int *held)
{
    for (char name = 'a'; name < 'a' + NAMES; name++) {
        struct registry_holder first, h;
        int rc = registry_whereis(w->registry[0], &name, 1, &first);
        *held += rc == 0;
        for (size_t i = 1; i < NODES; i++) {
            if (registry_whereis(w->registry[i], &name, 1, &h) != rc ||
                (rc == 0 && (h.serial != first.serial || strcmp(h.node_name, first.node_name)))) {
                fail_msg("seed %" PRIu64 ": bonn and %s disagree on %c", seed, node_names[i], name);
            }
        }
    }
}

static void on_lost(void *user, uint64_t serial, const char *name, size_t len,
                    const struct registry_holder *holder)
{
    (void)serial, (void)name, (void)len, (void)holder;
    ++*(int *)user;
}

static struct registry *make(const char *node, int *lost)
{
    struct registry *r;
    struct registry_options options = {
        .node = node,
        .incarnation = 1,
        .seed = 7,
        .user = lost,
        .lost = on_lost,
    };
    assert_int_equal(registry_new(&r, &options), 0);
    return r;
}

static void run_world(uint64_t seed, int *held, int *lost)
{
    struct world w = { 0 };

    rng_init(&w.rng, seed);
    for (size_t a = 0; a < NODES; a++) {
        w.registry[a] = make(node_names[a], lost);
        w.wall[a] = NOW + rng_below(&w.rng, 30);
        for (size_t b = 0; b < NODES; b++) {
            list_init(&w.flying[a][b]);
        }
    }
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 1500; i++) {
            world_step(&w);
        }
        for (size_t a = 0; a < NODES; a++) {
            for (size_t b = a + 1; b < NODES; b++) {
                if (!w.up[a][b]) {
                    world_join(&w, a, b);
                }
            }
        }
        world_settle(&w);
        agree(&w, seed, held);
    }
    for (size_t a = 0; a < NODES; a++) {
        registry_free(w.registry[a]);
    }
}

static void test_all_agree(void **state)
{
    int held = 0, lost = 0;

    if (*state) {
        run_world(*(const uint64_t *)*state, &held, &lost);
        return;
    }
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run_world(seed, &held, &lost);
    }
    /* The runs test something: names were held in the end, and races were lost on the way. */
    assert_true(held > 60 * NAMES);
    assert_true(lost > 60);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_all_agree, argc > 1 ? &seed : NULL),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
