/* wire/lane: lane headers and records. */
#include "wire/lane.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "wire/limits.h"
#include "base/rng.h"
#include "doubles/target.h"

static ssize_t show_lane(struct vector *v)
{
    struct lane_header h;
    ssize_t n = lane_header_decode(v->in, v->len, &h);

    if (n > 0) {
        vector_say(v, "%s after=%" PRIu64 " from=%" PRIu64 " to=",
                   h.type == LANE_ORDERED ? "ordered" : "unordered", h.after, h.from);
        target_say(v, &h.to);
        ssize_t again = lane_header_encode(v->again, sizeof(v->again), &h);
        assert_true(again > 0);
        v->again_len = (size_t)again;
    }
    return n;
}

static ssize_t show_record(struct vector *v)
{
    struct record r;
    ssize_t n = record_head_decode(v->in, v->len, &r);

    if (n > 0) {
        vector_say(v, "kind=%u", r.kind);
        if (r.has_ref) {
            vector_say(v, " ref=%" PRIu64, r.ref);
        }
        if (r.has_receipt) {
            vector_say(v, " receipt=%" PRIu64, r.receipt);
        }
        vector_say(v, "%s payload=%" PRIu64, r.skip ? " skip" : "", r.payload_len);
        v->again_len = record_head_encode(v->again, &r);
        assert_true(v->again_len <= RECORD_HEAD_MAX);
    }
    return n;
}

static unsigned kinds_seen;

static ssize_t see_kind(struct vector *v)
{
    struct record r;

    if (record_head_decode(v->in, v->len, &r) > 0) {
        kinds_seen |= 1u << r.kind;
    }
    return show_record(v);
}

static void test_header_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("lane", show_lane, 1) >= 16);
}

static void test_record_vectors(void **state)
{
    (void)state;
    kinds_seen = 0;
    assert_true(vectors_check("record", see_kind, 1) >= 46);
    assert_int_equal(kinds_seen & ((1u << RECORD_KINDS) - 1), (1u << RECORD_KINDS) - 1);
}

static void test_longest_header_fits(void **state)
{
    (void)state;
    char name[RUSM_NAME_MAX];
    uint8_t bytes[LIMIT_LANE_HEADER];
    struct lane_header h = { .after = VARINT_MAX,
                             .from = VARINT_MAX,
                             .to = { .kind = TARGET_GLOBAL, .name = name, .name_len = 255 } };
    struct lane_header back;

    memset(name, 'n', sizeof(name));
    ssize_t n = lane_header_encode(bytes, sizeof(bytes), &h);
    assert_true(n > 0);
    assert_int_equal(lane_header_decode(bytes, (size_t)n, &back), n);
    assert_true(back.after == VARINT_MAX && back.from == VARINT_MAX);
    assert_int_equal(lane_header_encode(bytes, (size_t)n - 1, &h), RUSM_ELIMIT);
    assert_int_equal(lane_header_encode(bytes, 0, &h), RUSM_ELIMIT);
}

/* The decoders never consume more than they got, and let nothing above the limits through, whatever
 * the bytes. */
static void test_hostile_bytes(void **state)
{
    (void)state;
    struct rng rng;
    unsigned taken = 0;

    rng_init(&rng, 17);
    for (unsigned i = 0; i < 200000; i++) {
        size_t len = (size_t)rng_below(&rng, 40);
        uint8_t *bytes = malloc(len > 0 ? len : 1);
        struct record r;
        struct lane_header h;
        assert_non_null(bytes);
        for (size_t at = 0; at < len; at++) {
            /* Mostly small numbers, so that some inputs pass the length checks. */
            uint64_t word = rng_u64(&rng);
            bytes[at] = (uint8_t)(word & 0x300 ? word & 0x2f : word);
        }
        ssize_t n = record_head_decode(bytes, len, &r);
        assert_true(n <= (ssize_t)len);
        if (n > 0) {
            assert_true(r.payload_len <= RUSM_MESSAGE_MAX);
            taken++;
        }
        n = lane_header_decode(bytes, len, &h);
        assert_true(n <= (ssize_t)len);
        if (n > 0 && h.to.kind != TARGET_PID) {
            assert_true((const uint8_t *)h.to.name + h.to.name_len <= bytes + n);
        }
        free(bytes);
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_vectors),
        cmocka_unit_test(test_record_vectors),
        cmocka_unit_test(test_longest_header_fits),
        cmocka_unit_test(test_hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
