/* cluster/registry: which process has a global name. All nodes give the same answer.
 * LINK: -Wl,--wrap=calloc -Wl,--wrap=malloc */
#include "cluster/registry.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/bytes.h"
#include "wire/limits.h"
#include "cluster/registry_state.h"
#include "rusm.h"
#include "wire/gossip.h"

#define NOW UINT64_C(1800000000000) /* milliseconds */

/* Counts the allocations down: the n-th from now on fails. 0: none fails. */
static int allocation_fails;
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool allocation_ok(void)
{
    return allocation_fails == 0 || --allocation_fails != 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return allocation_ok() ? __real_calloc(n, size) : NULL;
}

void *__wrap_malloc(size_t size)
{
    return allocation_ok() ? __real_malloc(size) : NULL;
}

/* ---- two registries, or one and what a peer says --------------------------------------------- */

struct lost {
    struct registry *withdraw_from; /* the hook withdraws the claim at once */
    int count;
    uint64_t serial;
    char name[256], holder[64];
};

static void on_lost(void *user, uint64_t serial, const char *name, size_t len,
                    const struct registry_holder *holder)
{
    struct lost *l = user;

    l->count++;
    l->serial = serial;
    snprintf(l->name, sizeof(l->name), "%.*s", (int)len, name);
    snprintf(l->holder, sizeof(l->holder), "%" PRIu64 "@%s#%" PRIx32, holder->serial,
             holder->node_name, holder->incarnation);
    if (l->withdraw_from) {
        assert_int_equal(registry_withdraw(l->withdraw_from, name, len, serial, NOW), 0);
        assert_string_equal(l->name, name);
    }
}

static struct registry *make(const char *node, size_t names_max, struct lost *lost)
{
    struct registry *r;
    struct registry_options options = {
        .node = node,
        .incarnation = 0xabc,
        .seed = 7,
        .names_max = names_max,
        .user = lost,
        .lost = lost ? on_lost : NULL,
    };
    assert_int_equal(registry_new(&r, &options), 0);
    return r;
}

static int claim(struct registry *r, const char *name, uint64_t serial, uint64_t now_ms)
{
    return registry_claim(r, name, strlen(name), serial, now_ms);
}

static int withdraw(struct registry *r, const char *name, uint64_t serial)
{
    return registry_withdraw(r, name, strlen(name), serial, NOW);
}

/* Returns the name's holder as text, like "17@oslo", or "-". */
static const char *whereis(struct registry *r, const char *name)
{
    static char text[128];
    struct registry_holder h;

    if (registry_whereis(r, name, strlen(name), &h) != 0) {
        return "-";
    }
    snprintf(text, sizeof(text), "%" PRIu64 "@%s", h.serial, h.node_name);
    return text;
}

static struct registry_counters counters(const struct registry *r)
{
    struct registry_counters c;
    registry_count(r, &c);
    return c;
}

/* Receives one frame from a peer: flags, then for each claim its name, serial (0: tombstone) and
 * time, then NULL. */
static int say(struct registry *r, uint32_t index, uint64_t flags, ...)
{
    uint8_t body[4096];
    struct writer w = writer_on(body, sizeof(body));
    const char *name;
    va_list args;

    writer_varint(&w, flags);
    va_start(args, flags);
    while ((name = va_arg(args, const char *))) {
        uint64_t serial = va_arg(args, uint64_t), time = va_arg(args, uint64_t);
        struct claim c = {
            .flags = serial == 0 ? CLAIM_TOMBSTONE : 0,
            .serial = serial,
            .time = time,
            .name = name,
            .name_len = strlen(name),
        };
        claim_write(&w, &c);
    }
    va_end(args);
    assert_false(w.bad);
    return registry_recv(r, index, body, writer_len(&w), NOW);
}

/* Returns a frame as text: "flags name=serial ...". A tombstone is "name=-". */
static const char *shown(const uint8_t *body, size_t len)
{
    static char text[4096];
    struct reader reader = reader_on(body, len);
    struct claim c;
    int at = snprintf(text, sizeof(text), "%" PRIu64, reader_varint(&reader));

    while (claim_read(&reader, &c) == 1) {
        at += snprintf(text + at, sizeof(text) - (size_t)at, " %.*s=", (int)c.name_len, c.name);
        at += c.flags & CLAIM_TOMBSTONE
                  ? snprintf(text + at, sizeof(text) - (size_t)at, "-")
                  : snprintf(text + at, sizeof(text) - (size_t)at, "%" PRIu64, c.serial);
    }
    assert_false(reader.bad);
    return text;
}

static const char *next(struct registry *r, uint32_t index)
{
    uint8_t body[LIMIT_FRAME];
    size_t len = registry_next(r, index, body, sizeof(body));
    return len > 0 ? shown(body, len) : "";
}

#define TIME(ms) ((NOW + (uint64_t)(ms)) << 16)

/* ---- own claims ------------------------------------------------------------------------------ */

static void test_own(void **state)
{
    struct registry *r = make("london", 3, NULL);

    (void)state;
    assert_string_equal(whereis(r, "bank"), "-");
    assert_int_equal(claim(r, "bank", 17, NOW), 0);
    assert_string_equal(whereis(r, "bank"), "17@london");
    assert_int_equal(claim(r, "bank", 17, NOW), RUSM_EEXIST);
    assert_int_equal(claim(r, "bank", 18, NOW), RUSM_EEXIST);
    assert_int_equal(claim(r, "not ok", 18, NOW), RUSM_EINVAL);
    assert_int_equal(claim(r, "17", 18, NOW), RUSM_EINVAL);
    assert_int_equal(claim(r, "till", 17, NOW), 0);
    assert_int_equal(claim(r, "safe", 18, NOW), 0);
    assert_int_equal(claim(r, "door", 18, NOW), RUSM_ELIMIT);
    assert_int_equal(counters(r).names, 3);
    assert_int_equal(counters(r).own, 3);

    assert_int_equal(withdraw(r, "bank", 18), RUSM_ENOPROC);
    assert_int_equal(withdraw(r, "nobody", 17), RUSM_ENOPROC);
    assert_int_equal(withdraw(r, "safe", 18), 0);
    assert_int_equal(withdraw(r, "safe", 18), RUSM_ENOPROC);
    assert_string_equal(whereis(r, "safe"), "-");

    registry_withdraw_all(r, 99, NOW);
    assert_int_equal(counters(r).own, 2);
    registry_withdraw_all(r, 17, NOW);
    assert_string_equal(whereis(r, "bank"), "-");
    assert_string_equal(whereis(r, "till"), "-");
    assert_int_equal(counters(r).names, 0);
    assert_int_equal(counters(r).own, 0);
    assert_int_equal(claim(r, "bank", 19, NOW), 0);
    assert_string_equal(whereis(r, "bank"), "19@london");
    registry_free(r);
    registry_free(NULL);
}

static void test_holder_is_complete(void **state)
{
    struct registry *r = make("london", 0, NULL);
    struct registry_holder h;

    (void)state;
    assert_int_equal(claim(r, "bank", 17, NOW), 0);
    assert_int_equal(registry_whereis(r, "bank", 4, &h), 0);
    assert_int_equal(h.node, 0);
    assert_int_equal(h.incarnation, 0xabc);
    assert_int_equal(registry_peer_up(r, "oslo", 5, 0xdef), 0);
    assert_int_equal(say(r, 5, 3, "till", UINT64_C(9), TIME(0), NULL), 0);
    assert_int_equal(registry_whereis(r, "till", 4, &h), 0);
    assert_int_equal(h.node, 5);
    assert_int_equal(h.incarnation, 0xdef);
    assert_string_equal(h.node_name, "oslo");
    assert_int_equal(claim(r, "till", 17, NOW), RUSM_EEXIST);
    registry_free(r);
}

static void each_counts(void *user, const char *name, size_t len,
                        const struct registry_holder *holder)
{
    int *count = user;

    assert_non_null(holder->node_name);
    assert_int_equal(len, strlen(name));
    ++*count;
}

static void test_scan(void **state)
{
    struct registry *r = make("london", 0, NULL);
    struct map_scan scan = { 0 };
    int count = 0;

    (void)state;
    assert_false(registry_scan(r, &scan, each_counts, &count));
    assert_int_equal(claim(r, "bank", 17, NOW), 0);
    assert_int_equal(claim(r, "gone", 17, NOW), 0);
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0); /* keeps the tombstone */
    assert_int_equal(withdraw(r, "gone", 17), 0);
    assert_int_equal(say(r, 5, 3, "till", UINT64_C(9), TIME(0), NULL), 0);
    while (registry_scan(r, &scan, each_counts, &count)) {}
    assert_int_equal(count, 2);
    registry_free(r);
}

/* ---- what peers are sent --------------------------------------------------------------------- */

static void test_told(void **state)
{
    struct registry *r = make("london", 0, NULL);

    (void)state;
    assert_int_equal(claim(r, "a", 1, NOW), 0);
    assert_int_equal(claim(r, "b", 2, NOW), 0);
    assert_string_equal(next(r, 5), ""); /* oslo is not up */
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(registry_peer_up(r, "rome", 6, 1), 0);
    assert_string_equal(next(r, 5), "3 a=1 b=2");
    assert_string_equal(next(r, 5), "");
    assert_int_equal(withdraw(r, "a", 1), 0);
    assert_int_equal(claim(r, "c", 1, NOW), 0);
    assert_string_equal(next(r, 5), "0 a=- c=1");
    assert_string_equal(next(r, 5), "");
    assert_string_equal(next(r, 6), "3 b=2 a=- c=1");
    assert_string_equal(next(r, 6), "");
    /* A name that came and went between two frames is one tombstone. A name that came back is one
     * claim. */
    assert_int_equal(claim(r, "d", 3, NOW), 0);
    assert_int_equal(claim(r, "e", 3, NOW), 0);
    registry_withdraw_all(r, 3, NOW);
    assert_int_equal(claim(r, "e", 4, NOW), 0);
    assert_string_equal(next(r, 5), "0 d=- e=4");
    /* A peer that comes now gets no tombstones of earlier names. */
    assert_int_equal(registry_peer_up(r, "bonn", 7, 1), 0);
    assert_string_equal(next(r, 7), "3 b=2 c=1 e=4");
    assert_string_equal(next(r, 6), "0 d=- e=4");
    /* A peer that comes again gets all claims again. */
    assert_int_equal(registry_peer_up(r, "bonn", 7, 2), 0);
    assert_string_equal(next(r, 7), "3 b=2 c=1 e=4");
    registry_free(r);
}

/* A tombstone is freed when all peers have had it, even if one peer is slow. */
static void test_tombstones_freed(void **state)
{
    struct registry *r = make("oslo", 0, NULL);
    char name[16];
    (void)state;

    assert_int_equal(registry_peer_up(r, "london", 1, 1), 0);
    assert_int_equal(registry_peer_up(r, "tokyo", 2, 1), 0);
    assert_int_equal(claim(r, "a", 1, NOW), 0);
    assert_string_equal(next(r, 1), "3 a=1");
    assert_string_equal(next(r, 2), "3 a=1");
    assert_int_equal(withdraw(r, "a", 1), 0);
    assert_string_equal(next(r, 1), "0 a=-");
    assert_int_equal(r->tombstone_count, 1);
    assert_string_equal(next(r, 2), "0 a=-");
    assert_int_equal(r->tombstone_count, 0);
    /* One peer has always missed the last change, but no peer misses many. */
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(claim(r, name, 1, NOW), 0);
        assert_int_equal(withdraw(r, name, 1), 0);
        next(r, 1 + (uint32_t)i % 2);
    }
    assert_true(r->tombstone_count < 4096);
    /* A peer that takes nothing keeps all tombstones alive, until it is gone. */
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        assert_int_equal(claim(r, name, 1, NOW), 0);
        assert_int_equal(withdraw(r, name, 1), 0);
        next(r, 1);
    }
    assert_true(r->tombstone_count >= 5000);
    registry_peer_down(r, 2);
    assert_int_equal(r->tombstone_count, 0);
    registry_free(r);
}

static void test_told_nothing(void **state)
{
    struct registry *r = make("london", 0, NULL);

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_string_equal(next(r, 5), "3");
    assert_string_equal(next(r, 5), "");
    assert_int_equal(claim(r, "a", 1, NOW), 0);
    assert_int_equal(registry_peer_up(r, "rome", 6, 1), 0);
    assert_int_equal(withdraw(r, "a", 1), 0);
    assert_string_equal(next(r, 6), "3 a=-");
    registry_peer_down(r, 6);
    registry_peer_down(r, 6);
    assert_string_equal(next(r, 5), "0 a=-");
    registry_free(r);
}

/* A node sends only its own claims, never those of other nodes. */
static void test_told_own_only(void **state)
{
    struct registry *r = make("london", 0, NULL);

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(registry_peer_up(r, "rome", 6, 1), 0);
    assert_int_equal(say(r, 5, 3, "till", UINT64_C(9), TIME(0), NULL), 0);
    assert_string_equal(next(r, 6), "3");
    assert_string_equal(next(r, 6), "");
    registry_free(r);
}

static void test_frames_are_cut(void **state)
{
    struct registry *from = make("london", 0, NULL), *to = make("oslo", 0, NULL);
    uint8_t body[REGISTRY_FRAME_LEAST];
    char name[RUSM_NAME_MAX + 1];
    int frames = 0, last_frames = 0;
    size_t len;

    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "%0255" PRIu64, i);
        name[0] = 'n';
        assert_int_equal(claim(from, name, i + 1, NOW), 0);
    }
    assert_int_equal(registry_peer_up(from, "oslo", 1, 1), 0);
    assert_int_equal(registry_peer_up(to, "london", 1, 1), 0);
    while ((len = registry_next(from, 1, body, sizeof(body))) > 0) {
        assert_int_equal(body[0] & NAMES_FIRST, frames == 0 ? NAMES_FIRST : 0);
        last_frames += (body[0] & NAMES_LAST) != 0;
        assert_int_equal(registry_recv(to, 1, body, len, NOW), 0);
        frames++;
        if (frames == 1000) { /* in the middle, names already sent and names not yet sent change */
            registry_withdraw_all(from, 1, NOW);
            registry_withdraw_all(from, 2000, NOW);
            assert_int_equal(claim(from, "new", 3, NOW), 0);
            assert_int_equal(counters(to).names, 1000);
        }
    }
    assert_int_equal(last_frames, 1);
    assert_int_equal(body[0], NAMES_LAST);
    assert_int_equal(counters(to).names, 1999);
    assert_string_equal(whereis(to, "new"), "3@london");
    registry_free(from);
    registry_free(to);
}

/* ---- what peers say -------------------------------------------------------------------------- */

static void test_least_holds(void **state)
{
    struct registry *r = make("london", 0, NULL);

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(registry_peer_up(r, "rome", 6, 1), 0);
    assert_int_equal(registry_peer_up(r, "bonn", 7, 1), 0);
    assert_int_equal(say(r, 6, 3, "x", UINT64_C(1), TIME(0), NULL), 0);
    assert_string_equal(whereis(r, "x"), "1@rome");
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(2), TIME(0), NULL), 0);
    assert_string_equal(whereis(r, "x"), "2@oslo"); /* the same time, so the lower node name wins */
    assert_int_equal(say(r, 7, 3, "x", UINT64_C(3), TIME(1), NULL), 0);
    assert_string_equal(whereis(r, "x"), "2@oslo");
    assert_int_equal(say(r, 6, 0, "x", UINT64_C(0), TIME(2), NULL), 0);
    assert_string_equal(whereis(r, "x"), "2@oslo");
    assert_int_equal(say(r, 6, 0, "x", UINT64_C(4), TIME(-1), NULL), 0);
    assert_string_equal(whereis(r, "x"), "4@rome"); /* earlier than all others */
    registry_peer_down(r, 6);
    assert_string_equal(whereis(r, "x"), "2@oslo");
    registry_peer_down(r, 5);
    assert_string_equal(whereis(r, "x"), "3@bonn");
    assert_int_equal(counters(r).names, 1);
    registry_peer_down(r, 7);
    assert_string_equal(whereis(r, "x"), "-");
    assert_int_equal(counters(r).names, 0);
    assert_int_equal(say(r, 7, 3, "x", UINT64_C(3), TIME(1), NULL), RUSM_ENOCONN);
    registry_free(r);
}

static void test_snapshot_replaces(void **state)
{
    struct registry *r = make("london", 0, NULL);
    uint64_t changes;

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(say(r, 5, 3, "a", UINT64_C(1), TIME(0), "b", UINT64_C(2), TIME(1), NULL), 0);
    changes = counters(r).changes;
    assert_int_equal(say(r, 5, 1, "a", UINT64_C(1), TIME(0), NULL), 0);
    assert_string_equal(whereis(r, "b"), "2@oslo"); /* the snapshot is not complete yet */
    assert_int_equal(say(r, 5, 2, "c", UINT64_C(3), TIME(2), NULL), 0);
    assert_string_equal(whereis(r, "a"), "1@oslo");
    assert_string_equal(whereis(r, "b"), "-");
    assert_string_equal(whereis(r, "c"), "3@oslo");
    assert_int_equal(counters(r).changes, changes + 2);
    /* A last frame without a first one removes nothing. An empty snapshot removes all. */
    assert_int_equal(say(r, 5, 2, NULL), 0);
    assert_int_equal(counters(r).names, 2);
    assert_int_equal(say(r, 5, 3, NULL), 0);
    assert_int_equal(counters(r).names, 0);
    registry_free(r);
}

static void test_changes(void **state)
{
    struct registry *r = make("london", 0, NULL);
    uint64_t changes;

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(say(r, 5, 3, "a", UINT64_C(1), TIME(0), NULL), 0);
    changes = counters(r).changes;
    assert_int_equal(say(r, 5, 0, "a", UINT64_C(1), TIME(0), NULL), 0); /* a repeat */
    assert_int_equal(counters(r).changes, changes);
    assert_int_equal(say(r, 5, 0, "a", UINT64_C(2), TIME(-5), NULL), 0); /* older: ignored */
    assert_int_equal(say(r, 5, 0, "a", UINT64_C(0), TIME(-5), NULL), 0);
    assert_int_equal(say(r, 5, 0, "unknown", UINT64_C(0), TIME(5), NULL), 0);
    assert_string_equal(whereis(r, "a"), "1@oslo");
    assert_int_equal(counters(r).changes, changes);
    assert_int_equal(say(r, 5, 0, "a", UINT64_C(2), TIME(5), NULL), 0); /* a new claim */
    assert_string_equal(whereis(r, "a"), "2@oslo");
    assert_true(counters(r).changes > changes);
    assert_int_equal(say(r, 5, 0, "a", UINT64_C(0), TIME(6), NULL), 0);
    assert_string_equal(whereis(r, "a"), "-");
    registry_free(r);
}

static void test_peer_again_is_new(void **state)
{
    struct registry *r = make("london", 0, NULL);
    struct registry_holder h;

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(say(r, 5, 3, "a", UINT64_C(1), TIME(0), NULL), 0);
    assert_int_equal(registry_peer_up(r, "oslo", 5, 2), 0);
    assert_string_equal(whereis(r, "a"), "-");
    assert_int_equal(say(r, 5, 3, "a", UINT64_C(1), TIME(0), NULL), 0);
    assert_int_equal(registry_whereis(r, "a", 1, &h), 0);
    assert_int_equal(h.incarnation, 2);
    registry_free(r);
}

static void test_limit_of_a_peer(void **state)
{
    struct registry *r = make("london", 2, NULL);

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(registry_peer_up(r, "rome", 6, 1), 0);
    assert_int_equal(say(r, 5, 3, "a", UINT64_C(1), TIME(0), "b", UINT64_C(2), TIME(0), "c",
                         UINT64_C(3), TIME(0), "a", UINT64_C(1), TIME(0), NULL),
                     0);
    assert_int_equal(counters(r).refused, 1);
    assert_string_equal(whereis(r, "c"), "-");
    assert_int_equal(say(r, 6, 3, "c", UINT64_C(1), TIME(0), NULL), 0); /* its own limit */
    assert_string_equal(whereis(r, "c"), "1@rome");
    assert_int_equal(say(r, 5, 0, "a", UINT64_C(0), TIME(1), "d", UINT64_C(3), TIME(2), NULL), 0);
    assert_string_equal(whereis(r, "d"), "3@oslo");
    assert_int_equal(counters(r).refused, 1);
    registry_free(r);
}

/* All peers together are limited too, to a multiple of the limit of one peer. */
static void test_limit_of_all_peers(void **state)
{
    struct registry *r = make("london", 2, NULL);
    char node[] = "peer0", name[] = "a0";

    (void)state;
    for (uint32_t i = 1; i <= 5; i++) {
        node[4] = name[1] = (char)('0' + i);
        name[0] = 'a';
        assert_int_equal(registry_peer_up(r, node, i, 1), 0);
        assert_int_equal(say(r, i, 0, name, UINT64_C(1), TIME(0), NULL), 0);
        name[0] = 'b';
        assert_int_equal(say(r, i, 0, name, UINT64_C(2), TIME(0), NULL), 0);
    }
    assert_int_equal(counters(r).refused, 2);
    assert_string_equal(whereis(r, "b4"), "2@peer4");
    assert_string_equal(whereis(r, "a5"), "-");
    registry_peer_down(r, 1);
    assert_int_equal(say(r, 5, 0, "a5", UINT64_C(1), TIME(1), NULL), 0);
    assert_string_equal(whereis(r, "a5"), "1@peer5");
    assert_int_equal(registry_claim(r, "own", 3, 1, NOW), 0); /* our own limit */
    registry_free(r);
}

static void test_malformed(void **state)
{
    static const uint8_t serial0[] = { 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 'a' };
    static const uint8_t blank[] = { 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, ' ' };
    static const uint8_t good[] = { 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 'a', 'b' };
    struct registry *r = make("london", 0, NULL);

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(registry_recv(r, 5, NULL, 0, NOW), RUSM_EMALFORMED);
    assert_int_equal(registry_recv(r, 5, serial0, sizeof(serial0), NOW), RUSM_EMALFORMED);
    assert_int_equal(registry_recv(r, 5, blank, sizeof(blank), NOW), RUSM_EMALFORMED);
    for (size_t len = 2; len < sizeof(good); len++) {
        assert_int_equal(registry_recv(r, 5, good, len, NOW), RUSM_EMALFORMED);
    }
    assert_int_equal(counters(r).malformed, 3 + sizeof(good) - 2);
    assert_int_equal(counters(r).names, 0);
    assert_int_equal(registry_recv(r, 5, good, sizeof(good), NOW), 0);
    assert_string_equal(whereis(r, "ab"), "1@oslo");
    registry_free(r);
}

/* ---- hybrid time ----------------------------------------------------------------------------- */

static uint64_t told_time(struct registry *r, uint32_t index)
{
    uint8_t body[LIMIT_FRAME];
    struct reader reader = reader_on(body, registry_next(r, index, body, sizeof(body)));
    struct claim c;

    reader_varint(&reader);
    assert_int_equal(claim_read(&reader, &c), 1);
    return c.time;
}

static void test_clock(void **state)
{
    struct registry *r = make("london", 0, NULL);

    (void)state;
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(claim(r, "a", 1, NOW), 0);
    assert_int_equal(told_time(r, 5), TIME(0));
    assert_int_equal(claim(r, "b", 1, NOW - 1000), 0); /* the wall clock was set back */
    assert_int_equal(told_time(r, 5), TIME(0) + 1);
    /* A time up to 60 s ahead is merged, a later one is not. */
    assert_int_equal(say(r, 5, 3, "p", UINT64_C(1), TIME(60000) | 7, NULL), 0);
    assert_int_equal(counters(r).ahead, 0);
    assert_int_equal(claim(r, "c", 1, NOW), 0);
    assert_int_equal(told_time(r, 5), TIME(60000) + 8);
    assert_int_equal(say(r, 5, 0, "q", UINT64_C(1), TIME(60001), NULL), 0);
    assert_int_equal(say(r, 5, 0, "s", UINT64_C(1), UINT64_MAX, NULL), 0);
    assert_int_equal(counters(r).ahead, 2);
    assert_string_equal(whereis(r, "q"), "1@oslo"); /* the claim still counts */
    assert_int_equal(claim(r, "d", 1, NOW), 0);
    assert_int_equal(told_time(r, 5), TIME(60000) + 9);
    assert_int_equal(claim(r, "e", 1, NOW + 90000), 0);
    assert_int_equal(told_time(r, 5), TIME(90000));
    registry_free(r);
}

/* ---- lost names ------------------------------------------------------------------------------ */

static void test_lost(void **state)
{
    struct lost lost = { 0 };
    struct registry *r = make("london", 0, &lost);

    (void)state;
    assert_int_equal(claim(r, "x", 17, NOW), 0);
    assert_int_equal(registry_peer_up(r, "oslo", 5, 0xdef), 0);
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(9), TIME(1), NULL), 0);
    assert_int_equal(lost.count, 0); /* the peer's claim is later than ours */
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(9), TIME(-1), NULL), 0);
    assert_int_equal(lost.count, 0); /* older than what that peer said before */
    assert_int_equal(registry_peer_up(r, "oslo", 5, 0xdef), 0);
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(9), TIME(-1), NULL), 0);
    assert_int_equal(lost.count, 1);
    assert_int_equal(lost.serial, 17);
    assert_string_equal(lost.name, "x");
    assert_string_equal(lost.holder, "9@oslo#def");
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(9), TIME(-1), NULL), 0);
    assert_int_equal(registry_peer_up(r, "rome", 6, 1), 0);
    assert_int_equal(say(r, 6, 3, "x", UINT64_C(8), TIME(-2), NULL), 0);
    assert_int_equal(lost.count, 1); /* the name was no longer ours */
    registry_peer_down(r, 6);
    registry_peer_down(r, 5);
    assert_string_equal(whereis(r, "x"), "17@london"); /* our claim was kept */
    assert_int_equal(registry_peer_up(r, "oslo", 5, 0xdef), 0);
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(9), TIME(-1), NULL), 0);
    assert_int_equal(lost.count, 2);
    assert_int_equal(counters(r).lost, 2);
    /* A name that is lost and regained within one frame is not lost. */
    registry_peer_down(r, 5);
    assert_int_equal(registry_peer_up(r, "oslo", 5, 0xdef), 0);
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(9), TIME(-1), "x", UINT64_C(0), TIME(0), NULL), 0);
    assert_int_equal(lost.count, 2);
    assert_string_equal(whereis(r, "x"), "17@london");
    registry_free(r);
}

static void test_lost_may_withdraw(void **state)
{
    struct lost lost = { 0 };
    struct registry *r = make("london", 0, &lost);

    (void)state;
    lost.withdraw_from = r;
    assert_int_equal(claim(r, "x", 17, NOW), 0);
    assert_int_equal(claim(r, "y", 17, NOW), 0);
    assert_int_equal(registry_peer_up(r, "oslo", 5, 1), 0);
    assert_int_equal(say(r, 5, 3, "x", UINT64_C(9), TIME(-1), "y", UINT64_C(9), TIME(-1), NULL), 0);
    assert_int_equal(lost.count, 2);
    assert_int_equal(counters(r).own, 0);
    registry_peer_down(r, 5);
    assert_string_equal(whereis(r, "x"), "-");
    registry_free(r);
}

/* ---- no memory ------------------------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    struct registry *r;
    struct registry_options options = { .node = "london", .incarnation = 1 };

    (void)state;
    allocation_fails = 1;
    assert_int_equal(registry_new(&r, &options), RUSM_ENOMEM);
    r = make("london", 0, NULL);
    int failures = 0;
    for (int rc = RUSM_ENOMEM, n = 1; rc != 0; n++) {
        registry_free(r);
        r = make("london", 0, NULL);
        allocation_fails = n;
        rc = claim(r, "x", 17, NOW);
        assert_true(rc == 0 || rc == RUSM_ENOMEM);
        failures += rc != 0;
        allocation_fails = 0;
        assert_int_equal(counters(r).own, rc == 0);
    }
    assert_int_equal(failures, 5); /* process, its table, claim, name, its table */
    failures = 0;
    for (int rc = RUSM_ENOMEM, n = 1; rc != 0; n++) {
        allocation_fails = n;
        rc = registry_peer_up(r, "oslo", 5, 1);
        failures += rc != 0;
    }
    assert_int_equal(failures, 2);
    for (int n = 1; n <= 2; n++) {
        allocation_fails = n;
        assert_int_equal(say(r, 5, 3, "y", UINT64_C(1), TIME(0), NULL), RUSM_ENOMEM);
        assert_int_equal(counters(r).names, 1);
    }
    allocation_fails = 0;
    assert_int_equal(say(r, 5, 3, "y", UINT64_C(1), TIME(0), NULL), 0);
    registry_free(r);
}

/* With many names and many peers, each change costs each peer one entry, not a walk. */
static void test_many(void **state)
{
    struct registry *r = make("london", 0, NULL);
    uint8_t body[LIMIT_FRAME];
    char name[32];

    (void)state;
    for (uint32_t peer = 1; peer <= 12; peer++) {
        assert_int_equal(registry_peer_up(r, "peer", peer, 1), 0);
    }
    for (uint64_t i = 1; i <= 10000; i++) {
        int len = snprintf(name, sizeof(name), "name-%" PRIu64, i);
        assert_int_equal(registry_claim(r, name, (size_t)len, i, NOW), 0);
        for (uint32_t peer = 1; peer <= 12; peer++) {
            assert_true(registry_next(r, peer, body, sizeof(body)) > 0);
            assert_int_equal(registry_next(r, peer, body, sizeof(body)), 0);
        }
    }
    assert_int_equal(counters(r).names, 10000);
    for (uint64_t i = 1; i <= 10000; i++) {
        registry_withdraw_all(r, i, NOW);
    }
    assert_int_equal(counters(r).names, 0);
    registry_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_holder_is_complete),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_tombstones_freed),
        cmocka_unit_test(test_told_nothing),
        cmocka_unit_test(test_told_own_only),
        cmocka_unit_test(test_frames_are_cut),
        cmocka_unit_test(test_least_holds),
        cmocka_unit_test(test_snapshot_replaces),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_peer_again_is_new),
        cmocka_unit_test(test_limit_of_a_peer),
        cmocka_unit_test(test_limit_of_all_peers),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_lost_may_withdraw),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
