/* peer/lane_in: what a peer may send on a lane, byte by byte: lanes broken off, successors,
 * unordered lanes, unknown records, and bytes that no honest peer sends. */
#include "base/rng.h"
#include "doubles/peer_raw.h"

/* ---- lanes broken off ------------------------------------------------------------------------ */

static void test_reset(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 1, 0);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_letter(&p->raw, st, 10, 0);
    raw_letter(&p->raw, st, 10, 1);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].count == 1 && st->acked == st->len);
    conn_reset(p->raw.c, st->id, STREAM_GONE);
    pair_until(NULL, &p->b, &p->raw, p->b.losses == 1);
    assert_int_equal(p->b.lost_cause, RUSM_ENOCONN);
    assert_int_equal(p->b.lanes_closed, 0); /* it is held: complete records still count */
    p->b.box[5].take = 1;
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 2 && p->b.lanes_closed == 1);
    assert_int_equal(p->b.losses, 1);
}

static void test_reset_at_once(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false), *half = raw_open(&p->raw, false);
    struct side_stream *next;
    raw_say(&p->raw, half, "\0", 1); /* half of its header */
    pair_until(NULL, &p->b, &p->raw, half->acked == 1);
    conn_reset(p->raw.c, st->id, STREAM_GONE);
    conn_reset(p->raw.c, half->id, STREAM_GONE);
    pair_until(NULL, &p->b, &p->raw, p->b.losses == 2);
    assert_int_equal(p->b.opened, 0);
    assert_int_equal(host_count(&p->b).lanes_in, 0);
    box_open(&p->b, 5, 1, 1, 1);
    next = raw_open(&p->raw, false);
    raw_header(&p->raw, next, LANE_ORDERED, ((uint64_t)half->id >> 2) + 1, 1, 5);
    raw_letter(&p->raw, next, 10, 0);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 1);
}

static void test_too_large(void **state)
{
    static const uint64_t too_large[] = { RUSM_MESSAGE_MAX + 2, (uint64_t)1 << 40 };
    struct duo *p = *state;
    box_open(&p->b, 5, 10, 1000, 10);
    for (size_t i = 0; i < 2; i++) {
        uint8_t head[RECORD_HEAD_MAX];
        struct side_stream *st = raw_open(&p->raw, false);
        size_t n = varint_encode(head, too_large[i]);
        head[n++] = RECORD_SEND;
        raw_header(&p->raw, st, LANE_ORDERED, 0, 1 + i, 5);
        raw_letter(&p->raw, st, 10, 0);
        raw_say(&p->raw, st, head, n);
        pair_until(NULL, &p->b, &p->raw, st->stopped && p->b.lanes_closed == i + 1);
        assert_int_equal(st->stop_code, STREAM_TOO_LARGE);
        assert_int_equal(p->b.lost_cause, RUSM_ETOOLARGE);
    }
    assert_int_equal(p->b.box[5].taken, 2);
    assert_int_equal(p->b.losses, 2);
    assert_int_equal(p->b.closes, 0);
}

/* A lane that we stop after its FIN has come. */
static void test_too_large_with_fin(void **state)
{
    struct duo *p = *state;
    uint8_t head[RECORD_HEAD_MAX];
    struct side_stream *st = raw_open(&p->raw, false);
    size_t n = varint_encode(head, RUSM_MESSAGE_MAX + 2);
    head[n++] = RECORD_SEND;
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, head, n);
    raw_fin(&p->raw, st);
    pair_until(NULL, &p->b, &p->raw, p->b.lanes_closed == 1);
    assert_int_equal(p->b.losses, 1);
    pair_for(NULL, &p->b, &p->raw, 10);
    assert_int_equal(p->b.closes, 0);
}

/* A lane whose FIN is on its way when we stop it. No reset follows. */
static void test_too_large_then_fin(void **state)
{
    struct duo *p = *state;
    uint8_t head[RECORD_HEAD_MAX];
    struct side_stream *st = raw_open(&p->raw, false);
    size_t n = varint_encode(head, RUSM_MESSAGE_MAX + 2);
    bool full;
    head[n++] = RECORD_SEND;
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, head, n);
    endpoint_flush(p->raw.e, &full);
    pair_until(NULL, &p->b, NULL, p->b.losses == 1);
    raw_fin(&p->raw, st);
    endpoint_flush(p->raw.e, &full);
    pair_until(NULL, &p->b, NULL, p->b.lanes_closed == 1);
    pair_for(NULL, &p->b, &p->raw, 10);
    assert_int_equal(p->b.closes, 0);
}

/* ---- successors ------------------------------------------------------------------------------ */

static uint64_t after(const struct side_stream *st)
{
    return ((uint64_t)st->id >> 2) + 1;
}

/* The third lane waits for the second, which waits for the first, of which no byte has come yet. */
static void test_successors_wait(void **state)
{
    struct duo *p = *state;
    struct side_stream *first = raw_open(&p->raw, false), *second = raw_open(&p->raw, false);
    struct side_stream *third = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 1, 1);
    raw_header(&p->raw, third, LANE_ORDERED, after(second), 1, 5);
    raw_letter(&p->raw, third, 10, 4);
    raw_fin(&p->raw, third);
    pair_until(NULL, &p->b, &p->raw, third->acked == third->len);
    raw_header(&p->raw, second, LANE_ORDERED, after(first), 1, 5);
    raw_letter(&p->raw, second, 10, 2);
    raw_letter(&p->raw, second, 10, 3);
    raw_fin(&p->raw, second);
    pair_until(NULL, &p->b, &p->raw, second->acked == second->len);
    pair_for(NULL, &p->b, &p->raw, 20);
    assert_int_equal(p->b.box[5].taken, 0);
    raw_header(&p->raw, first, LANE_ORDERED, 0, 1, 5);
    raw_letter(&p->raw, first, 10, 0);
    raw_letter(&p->raw, first, 10, 1);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 2);
    pair_for(NULL, &p->b, &p->raw, 20);
    assert_int_equal(p->b.box[5].taken, 2); /* the first is not closed yet */
    raw_fin(&p->raw, first);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 5 && p->b.lanes_closed == 3);
}

/* Closed is not enough: the first lane's records must be in the mailbox. */
static void test_successor_of_a_held_one(void **state)
{
    struct duo *p = *state;
    struct side_stream *first = raw_open(&p->raw, false), *second = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 1, 0);
    raw_header(&p->raw, first, LANE_ORDERED, 0, 1, 5);
    for (uint64_t i = 0; i < 3; i++) {
        raw_letter(&p->raw, first, 10, i);
    }
    raw_fin(&p->raw, first);
    raw_header(&p->raw, second, LANE_ORDERED, after(first), 1, 5);
    raw_letter(&p->raw, second, 10, 3);
    raw_fin(&p->raw, second);
    pair_until(NULL, &p->b, &p->raw, first->closed && second->closed);
    assert_int_equal(p->b.lanes_closed, 0);
    p->b.box[5].take = 1;
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 4 && p->b.lanes_closed == 2);
}

/* The first lane is broken off, and its successor goes on. A lane that was forgotten long ago is
 * not waited for. */
static void test_successor_of_a_broken_one(void **state)
{
    struct duo *p = *state;
    struct side_stream *first = raw_open(&p->raw, false), *second = raw_open(&p->raw, false);
    struct side_stream *third = raw_open(&p->raw, false), *other = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 1, 1);
    raw_header(&p->raw, second, LANE_ORDERED, after(first), 1, 5);
    raw_letter(&p->raw, second, 10, 0);
    raw_fin(&p->raw, second);
    pair_for(NULL, &p->b, &p->raw, 20);
    assert_int_equal(p->b.box[5].taken, 0);
    conn_reset(p->raw.c, first->id, STREAM_GONE);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 1 && p->b.lanes_closed == 1);
    raw_header(&p->raw, third, LANE_ORDERED, after(second), 1, 5);
    raw_letter(&p->raw, third, 10, 1);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 2);
    raw_header(&p->raw, other, LANE_ORDERED, after(second), 2, 5);
    raw_letter(&p->raw, other, 10, 0);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 3);
}

/* ---- unordered lanes, unknown records -------------------------------------------------------- */

static void test_unordered(void **state)
{
    struct duo *p = *state;
    struct side_stream *small = raw_open(&p->raw, false), *large = raw_open(&p->raw, false);
    struct side_stream *full = raw_open(&p->raw, false);
    box_open(&p->b, 5, 2, 100000, 0);
    raw_header(&p->raw, small, LANE_UNORDERED, 0, 1, 5);
    raw_letter(&p->raw, small, 10, 0);
    raw_fin(&p->raw, small);
    pair_until(NULL, &p->b, &p->raw, p->b.lanes_closed == 1);
    raw_header(&p->raw, large, LANE_UNORDERED, 0, 2, 5);
    raw_letter(&p->raw, large, 50000, 0);
    raw_fin(&p->raw, large);
    pair_until(NULL, &p->b, &p->raw, p->b.lanes_closed == 2);
    raw_header(&p->raw, full, LANE_UNORDERED, 0, 3, 5);
    raw_letter(&p->raw, full, 10, 0);
    raw_fin(&p->raw, full);
    pair_until(NULL, &p->b, &p->raw, p->b.lanes_closed == 3);
    assert_int_equal(p->b.overflow, 1);
    box_take(&p->b.box[5]);
    box_take(&p->b.box[5]);
}

/* A record of an unknown kind that allows it is skipped, however long it is. */
static void test_unknown_kinds_are_skipped(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    uint8_t head[RECORD_HEAD_MAX], *data = calloc(1, 100000);
    box_open(&p->b, 5, 10, 1000, 10);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    for (uint64_t i = 0; i < 2; i++) {
        struct record record = { .kind = 31, .skip = true, .payload_len = i * 100000 };
        record.has_ref = record.has_receipt = i == 1;
        raw_say(&p->raw, st, head, record_head_encode(head, &record));
        raw_say(&p->raw, st, data, i * 100000);
        raw_letter(&p->raw, st, 10, i);
    }
    raw_fin(&p->raw, st);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 2 && p->b.lanes_closed == 1);
    free(data);
}

/* The lane's bytes come one by one, or cut anywhere. The records are the same. */
static void test_cut_anywhere(void **state)
{
    struct duo *p = *state;
    box_open(&p->b, 5, 10, 1000, 10);
    for (size_t piece = 1; piece <= 7; piece += 2) {
        struct side_stream *st = raw_open(&p->raw, false);
        uint64_t from = piece;
        p->raw.piece = piece;
        raw_header(&p->raw, st, LANE_ORDERED, 0, from, 5);
        raw_letter(&p->raw, st, 0, 0);
        raw_letter(&p->raw, st, 100, 1);
        raw_letter(&p->raw, st, 3, 2);
        raw_fin(&p->raw, st);
        pair_until(NULL, &p->b, &p->raw, p->b.box[5].next_by_from[from] == 3);
    }
    pair_until(NULL, &p->b, &p->raw, p->b.lanes_closed == 4);
}

/* ---- hostile bytes: each ends the connection as malformed ------------------------------------ */

static void expect_malformed(struct duo *p)
{
    pair_until(NULL, &p->b, &p->raw, p->raw.closes == 1 && p->b.closes == 1);
    assert_int_equal(p->raw.end.kind, CONN_END_PEER);
    assert_int_equal(p->raw.end.code, CLOSE_MALFORMED);
    assert_int_equal(p->b.opened, p->b.lanes_closed);
}

static void test_bad_header(void **state)
{
    struct duo *p = *state;
    raw_say(&p->raw, raw_open(&p->raw, false), "\x05\x01\x00", 3);
    expect_malformed(p);
}

static void test_bad_header_length(void **state)
{
    struct duo *p = *state;
    raw_say(&p->raw, raw_open(&p->raw, false), "\x00\x42\x01", 3); /* 513 */
    expect_malformed(p);
}

static void test_after_itself(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    raw_header(&p->raw, st, LANE_ORDERED, after(st), 1, 5);
    expect_malformed(p);
}

static void test_two_successors(void **state)
{
    struct duo *p = *state;
    struct side_stream *first = raw_open(&p->raw, false);
    raw_header(&p->raw, first, LANE_ORDERED, 0, 1, 5);
    raw_header(&p->raw, raw_open(&p->raw, false), LANE_ORDERED, after(first), 1, 5);
    raw_header(&p->raw, raw_open(&p->raw, false), LANE_ORDERED, after(first), 1, 5);
    expect_malformed(p);
}

static void test_header_cut_short(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    raw_say(&p->raw, st, "\x00\x05\x00", 3);
    raw_fin(&p->raw, st);
    expect_malformed(p);
}

static void test_empty_stream(void **state)
{
    struct duo *p = *state;
    raw_fin(&p->raw, raw_open(&p->raw, false));
    expect_malformed(p);
}

static void test_record_cut_short(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, "\x09\x00", 2);
    raw_fin(&p->raw, st);
    expect_malformed(p);
}

static void test_large_record_cut_short(void **state)
{
    struct duo *p = *state;
    struct record record = { .kind = RECORD_SEND, .payload_len = 100000 };
    uint8_t head[RECORD_HEAD_MAX];
    struct side_stream *st = raw_open(&p->raw, false);
    box_open(&p->b, 5, 10, 1000, 10);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, head, record_head_encode(head, &record));
    raw_fin(&p->raw, st);
    expect_malformed(p);
}

static void test_skipped_record_cut_short(void **state)
{
    struct duo *p = *state;
    struct record record = { .kind = 31, .skip = true, .payload_len = 1000 };
    uint8_t head[RECORD_HEAD_MAX];
    struct side_stream *st = raw_open(&p->raw, false);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, head, record_head_encode(head, &record));
    raw_fin(&p->raw, st);
    expect_malformed(p);
}

static void test_unknown_kind(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, "\x01\x1f", 2);
    expect_malformed(p);
}

static void test_missing_ref(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, "\x01\x01", 2); /* a call without its ref */
    expect_malformed(p);
}

static void test_empty_record(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, "\x00", 1); /* without a record kind */
    raw_fin(&p->raw, st);
    expect_malformed(p);
}

static void test_unordered_twice(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    box_open(&p->b, 5, 10, 1000, 0);
    raw_header(&p->raw, st, LANE_UNORDERED, 0, 1, 5);
    raw_letter(&p->raw, st, 1, 0);
    raw_letter(&p->raw, st, 1, 1);
    expect_malformed(p);
}

/* Random bytes: the connection ends or it does not, but nothing else happens. */
static void test_noise(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        void *again;
        struct duo *p;
        uint8_t noise[300];
        struct rng rng;
        duo_raw(&again);
        p = again;
        rng_init(&rng, seed);
        box_open(&p->b, 5, 2, 100, seed % 2);
        p->b.box[5].noise = true;
        for (int i = 0; i < 12 && p->raw.c; i++) {
            struct side_stream *st = raw_open(&p->raw, false);
            size_t len = rng_below(&rng, sizeof(noise));
            if (rng_below(&rng, 4)) {
                raw_header(&p->raw, st, (enum lane_type)rng_below(&rng, 2),
                           rng_below(&rng, after(st)), rng_below(&rng, 9), 5);
            }
            for (size_t j = 0; j < len; j++) {
                noise[j] = (uint8_t)(rng_below(&rng, 3) ? rng_below(&rng, 12) : rng_u64(&rng));
            }
            raw_say(&p->raw, st, noise, len);
            if (rng_below(&rng, 3) == 0) {
                raw_fin(&p->raw, st);
            }
            pair_tick(NULL, &p->b, &p->raw);
            if (p->raw.c && rng_below(&rng, 4) == 0) {
                conn_reset(p->raw.c, st->id, 1);
            }
            pair_tick(NULL, &p->b, &p->raw);
        }
        pair_for(NULL, &p->b, &p->raw, 2);
        duo_teardown(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define RAW(name) cmocka_unit_test_setup_teardown(name, duo_raw, duo_teardown)
        RAW(test_reset),
        RAW(test_reset_at_once),
        RAW(test_too_large),
        RAW(test_too_large_with_fin),
        RAW(test_too_large_then_fin),
        RAW(test_successors_wait),
        RAW(test_successor_of_a_held_one),
        RAW(test_successor_of_a_broken_one),
        RAW(test_unordered),
        RAW(test_unknown_kinds_are_skipped),
        RAW(test_cut_anywhere),
        RAW(test_bad_header),
        RAW(test_bad_header_length),
        RAW(test_after_itself),
        RAW(test_two_successors),
        RAW(test_header_cut_short),
        RAW(test_empty_stream),
        RAW(test_record_cut_short),
        RAW(test_large_record_cut_short),
        RAW(test_skipped_record_cut_short),
        RAW(test_unknown_kind),
        RAW(test_missing_ref),
        RAW(test_empty_record),
        RAW(test_unordered_twice),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, pair_identity, pair_no_identity);
}
