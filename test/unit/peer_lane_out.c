/* peer/lane_out: outgoing lanes: senders that are told RUSM_BUSY and then "writable", lanes that
 * end and their successors, the limits of a connection, and a peer that stops lanes. */
#include "base/rng.h"
#include "peer/limits.h"
#include "doubles/peer_raw.h"

static int setup_8_streams(void **state)
{
    struct duo *p = duo_new(8);
    pair_connect(&p->a, &p->b);
    *state = p;
    return 0;
}

static int setup_many_streams(void **state)
{
    struct duo *p = duo_new(LIMIT_PAIRS + LIMIT_LANES);
    pair_connect(&p->a, &p->b);
    *state = p;
    return 0;
}

static int setup_raw(void **state)
{
    struct duo *p = duo_new(0);
    p->control = raw_join(&p->raw, &p->a, identity, 100000);
    *state = p;
    return 0;
}

static int setup_raw_scarce(void **state)
{
    struct duo *p = duo_new(0);
    p->control = raw_join_with(&p->raw, &p->a, identity, 100000, LIMIT_LANES / 2 + 1000);
    *state = p;
    return 0;
}

/* Sends letters of that length until RUSM_BUSY. Returns how many. */
static uint64_t fill(struct host *h, uint64_t from, uint64_t to, size_t len, uint64_t number)
{
    uint64_t first = number;
    int rc;
    while ((rc = host_send(h, from, to, len, number)) == 0) {
        number++;
    }
    assert_int_equal(rc, RUSM_BUSY);
    return number - first;
}

/* Waits until the transport has acknowledged all that was sent. */
static void settle(struct duo *p)
{
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).unconfirmed == 0);
    pair_for(&p->a, &p->b, NULL, 3);
}

/* Moves the clock on until idle lanes end. */
static void end_idle_lanes(struct duo *p)
{
    settle(p);
    p->a.ahead_ns += LIMIT_LANE_IDLE_NS;
    peer_tick(p->a.peer, host_now_ns(&p->a));
}

/* ---- busy and writable ----------------------------------------------------------------------- */

static void test_busy_then_writable(void **state)
{
    struct duo *p = *state;
    uint64_t sent;

    box_open(&p->b, 5, 1, 1, 0);
    box_open(&p->b, 6, 1, 1, 1);
    sent = fill(&p->a, 1, 5, 1000, 0);
    assert_true(sent * 1000 <= LIMIT_LANE_QUEUE && (sent + 2) * 1004 >= LIMIT_LANE_QUEUE);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(host_send(&p->a, 1, 5, 1, sent), RUSM_BUSY);
    }
    assert_int_equal(host_count(&p->a).busy, 11);
    assert_int_equal(host_count(&p->a).records_sent, sent); /* none was taken */
    assert_int_equal(host_send(&p->a, 1, 6, 1000, 0), 0);   /* other pairs go on */
    assert_int_equal(host_send(&p->a, 2, 5, 1000, 0), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[6].taken == 1);
    pair_for(&p->a, &p->b, NULL, 20);
    assert_int_equal(p->a.writables, 0); /* the window is less than half of the queue */
    p->b.box[5].take = 1;
    pair_until(&p->a, &p->b, NULL, p->a.writables > 0);
    assert_int_equal(p->a.writable_from, 1);
    assert_int_equal(host_send(&p->a, 1, 5, 1000, sent), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == sent + 2);
    assert_int_equal(p->a.writables, 1); /* once, however often it was told RUSM_BUSY */
}

/* An empty queue takes one message of any size. What comes behind waits. */
static void test_large_message_into_an_empty_queue(void **state)
{
    struct duo *p = *state;

    box_open(&p->b, 5, 1, 1, 1);
    assert_int_equal(host_send(&p->a, 1, 5, 10 * LIMIT_LANE_QUEUE, 0), 0);
    assert_int_equal(host_send(&p->a, 1, 5, 0, 1), RUSM_BUSY);
    pair_until(&p->a, &p->b, NULL, p->a.writables == 1);
    assert_int_equal(host_send(&p->a, 1, 5, 0, 1), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 2);
}

static void test_signals_are_never_busy(void **state)
{
    struct duo *p = *state;
    struct parcel signal = parcel_to(1, 5, "why", 3);
    uint64_t sent;

    signal.kind = RECORD_EXIT;
    box_open(&p->b, 5, 1, 1, 0);
    p->b.box[5].noise = true;
    sent = fill(&p->a, 1, 5, 1000, 0);
    assert_int_equal(peer_send(p->a.peer, &signal, host_now_ns(&p->a)), 0);
    p->b.box[5].take = 1;
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == sent + 1); /* behind what was sent before */
}

static void test_max_message_of_the_peer(void **state)
{
    struct duo *p = *state;
    assert_int_equal(host_send(&p->a, 1, 5, 100001, 0), RUSM_ETOOLARGE);
    assert_int_equal(host_send(&p->a, 1, 5, 100000, 0), 0);
}

/* A large message does not hold up a small one of another pair. */
static void test_lanes_take_turns(void **state)
{
    struct duo *p = *state;

    box_open(&p->b, 5, 1, 1, 1);
    box_open(&p->b, 6, 1, 1, 1);
    assert_int_equal(host_send(&p->a, 1, 5, 32 * 1024 * 1024, 0), 0);
    pair_until(&p->a, &p->b, NULL, host_count(&p->b).lanes_in == 1);
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(host_send(&p->a, 2, 6, 100, i), 0);
        pair_until(&p->a, &p->b, NULL, p->b.box[6].taken == i + 1);
    }
    assert_int_equal(p->b.box[5].taken, 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 1);
}

/* ---- unordered ------------------------------------------------------------------------------- */

static int send_unordered(struct duo *p, uint64_t to, uint64_t number)
{
    uint8_t data[16];

    letter_fill(data, sizeof(data), number);
    struct parcel parcel = parcel_to(1, to, data, sizeof(data));
    parcel.unordered = true;
    return peer_send(p->a.peer, &parcel, host_now_ns(&p->a));
}

static void test_unordered(void **state)
{
    struct duo *p = *state;
    uint64_t n = 0;

    box_open(&p->b, 5, 100000, 100000000, 1000);
    p->b.box[5].noise = true;
    while (send_unordered(p, 5, n) == 0) {
        n++;
    }
    assert_int_equal(n, LIMIT_LANES / 2);
    assert_int_equal(host_count(&p->a).lanes_out, n);
    assert_int_equal(host_send(&p->a, 2, 5, 10, 0), 0); /* ordered lanes have the other half */
    assert_int_equal(p->a.writables, 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == n + 1);
    pair_until(&p->a, &p->b, NULL, p->a.writable_all == 1 && host_count(&p->a).lanes_out == 1);
    for (uint64_t i = 0; i < 50000; i++) {
        if (send_unordered(p, 5, i) != 0) {
            pair_tick(&p->a, &p->b, NULL);
            i--;
        }
    }
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == n + 1 + 50000);
}

static void test_unordered_overflows(void **state)
{
    struct duo *p = *state;

    box_open(&p->b, 5, 3, 1000, 0);
    p->b.box[5].noise = true;
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(send_unordered(p, 5, i), 0);
    }
    pair_until(&p->a, &p->b, NULL, p->b.overflow == 7);
    assert_int_equal(p->b.box[5].count, 3);
}

/* ---- ends and successors --------------------------------------------------------------------- */

static void test_idle_lane_ends(void **state)
{
    struct duo *p = *state;

    box_open(&p->b, 5, 10, 1000, 10);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 0), 0);
    settle(p);
    p->a.ahead_ns = LIMIT_LANE_IDLE_NS - 1000 * SIDE_MS;
    peer_tick(p->a.peer, host_now_ns(&p->a));
    pair_for(&p->a, &p->b, NULL, 10);
    assert_int_equal(host_count(&p->a).lanes_out, 1);
    end_idle_lanes(p);
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).lanes_out == 0 && p->b.lanes_closed == 1);
    pair_for(&p->a, &p->b, NULL, 10);
    /* The peer has sent DRAINED for the lane, so the next one names no predecessor. */
    assert_int_equal(host_send(&p->a, 1, 5, 10, 1), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 2);
    assert_int_equal(p->b.opened, 2);
    assert_int_equal(p->b.last_after, 0);
}

static void test_successor_waits_for_a_held_lane(void **state)
{
    struct duo *p = *state;

    box_open(&p->b, 5, 1, 1, 0);
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(host_send(&p->a, 1, 5, 10, i), 0);
    }
    end_idle_lanes(p);
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).lanes_out == 0);
    assert_int_equal(p->b.lanes_closed, 0);
    for (uint64_t i = 5; i < 10; i++) {
        assert_int_equal(host_send(&p->a, 1, 5, 10, i), 0);
    }
    end_idle_lanes(p);
    pair_until(&p->a, &p->b, NULL, p->b.opened == 2 && host_count(&p->a).lanes_out == 0);
    assert_true(p->b.last_after > 0);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 10), 0);
    settle(p);
    assert_int_equal(p->b.opened, 3);
    assert_int_equal(p->b.box[5].taken + p->b.box[5].count, 1);
    p->b.box[5].take = 1;
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 11);
    assert_int_equal(p->b.lanes_closed, 2);
}

/* With few streams, many pairs, a slow receiver and lanes that end at any time, each pair keeps its
 * order. Each sender that was told RUSM_BUSY is told when to go on. */
static void run_few_streams(struct duo *p, uint64_t pairs, uint64_t each, uint64_t seed)
{
    uint64_t *sent = calloc(pairs, sizeof(*sent)), all = 0;
    bool *waits = calloc(pairs, sizeof(*waits));
    size_t writables = 0;
    struct rng rng;

    rng_init(&rng, seed);
    for (uint64_t i = 0; i < pairs; i++) {
        box_open(&p->b, 1 + i % 7, 1 + i % 3, 1000, 1 + i % 2);
    }
    while (all < pairs * each) {
        uint64_t i = rng_below(&rng, pairs);
        if (p->a.writables != writables) { /* a waiting sender goes on only when told to */
            writables = p->a.writables;
            memset(waits, 0, pairs * sizeof(*waits));
        }
        if (sent[i] < each && !waits[i]) {
            size_t len = rng_below(&rng, 30) == 0 ? 30000 : rng_below(&rng, 200);
            int rc = host_send(&p->a, i, 1 + i % 7, len, sent[i]);
            assert_true(rc == 0 || rc == RUSM_BUSY);
            waits[i] = rc == RUSM_BUSY;
            sent[i] += rc == 0;
            all += rc == 0;
        }
        if (rng_below(&rng, 4) == 0) {
            pair_tick(&p->a, &p->b, NULL);
        }
        if (rng_below(&rng, 200) == 0) {
            p->a.ahead_ns += LIMIT_LANE_IDLE_NS / 2;
            peer_tick(p->a.peer, host_now_ns(&p->a));
        }
        bool stuck = all < pairs * each;
        for (uint64_t j = 0; j < pairs; j++) {
            stuck = stuck && (waits[j] || sent[j] == each);
        }
        if (stuck) {
            pair_until(&p->a, &p->b, NULL, p->a.writables != writables);
        }
    }
    for (uint64_t box = 1; box <= 7; box++) {
        uint64_t expected = 0;
        for (uint64_t i = 0; i < pairs; i++) {
            expected += 1 + i % 7 == box ? each : 0;
        }
        pair_until(&p->a, &p->b, NULL, p->b.box[box].taken == expected);
    }
    assert_int_equal(p->b.losses, 0);
    free(sent);
    free(waits);
}

static void test_few_streams(void **state)
{
    struct duo *p = *state;
    run_few_streams(p, 60, 60, 1);
    assert_true(p->b.opened > 60);
    assert_true(host_count(&p->a).busy > 0);
}

static void test_many_ends(void **state)
{
    struct duo *p = *state;
    run_few_streams(p, 20, 400, 2);
    assert_true(p->b.opened > 40);
}

/* All lanes are busy: a new pair is told RUSM_BUSY, and "writable" when there is a stream again. */
static void test_all_lanes_busy(void **state)
{
    struct duo *p = *state;
    struct parcel signal = parcel_to(50, 6, "x", 1);

    box_open(&p->b, 5, 1, 1, 0);
    box_open(&p->b, 6, 10, 1000, 10);
    p->b.box[6].noise = true;
    for (uint64_t i = 1; i <= 8; i++) {
        fill(&p->a, i, 5, 5000, 0);
    }
    pair_for(&p->a, &p->b, NULL, 20);
    p->a.writables = 0;
    assert_int_equal(host_send(&p->a, 9, 6, 10, 0), RUSM_BUSY);
    /* A signal is taken. It stays before what its sender sends later. */
    signal.kind = RECORD_EXIT;
    assert_int_equal(peer_send(p->a.peer, &signal, host_now_ns(&p->a)), 0);
    assert_int_equal(peer_send(p->a.peer, &signal, host_now_ns(&p->a)), 0);
    assert_int_equal(host_send(&p->a, 50, 6, 10, 0), RUSM_BUSY);
    pair_for(&p->a, &p->b, NULL, 30);
    assert_int_equal(p->a.writables, 0);
    assert_int_equal(p->b.box[6].taken, 0);
    p->b.box[5].take = 100;
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).unconfirmed == 2);
    assert_int_equal(host_send(&p->a, 9, 6, 10, 0), RUSM_BUSY); /* ends an idle lane */
    pair_until(&p->a, &p->b, NULL, p->b.box[6].taken == 2);     /* the signals first */
    p->a.writables = 0;
    while (host_send(&p->a, 9, 6, 10, 0) != 0) {
        pair_until(&p->a, &p->b, NULL, p->a.writables > 0);
        p->a.writables = 0;
    }
    pair_until(&p->a, &p->b, NULL, p->b.box[6].taken == 3);
}

/* Pairs are remembered until they are drained. Their number is bounded. */
static void test_pairs_are_bounded(void **state)
{
    struct duo *p = *state;
    struct parcel signal = parcel_to(1, 5, "x", 1);

    box_open(&p->b, 5, 1, 1, 0);
    p->b.box[5].noise = true;
    for (uint64_t i = 1; i <= LIMIT_PAIRS; i++) {
        assert_int_equal(host_send(&p->a, i, 5, 10, 0), 0);
        if (i % 256 == 0) {
            pair_tick(&p->a, &p->b, NULL);
        }
    }
    assert_int_equal(host_send(&p->a, LIMIT_PAIRS + 1, 5, 10, 0), RUSM_BUSY);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 0), 0);
    signal.from = LIMIT_PAIRS + 2;
    signal.kind = RECORD_MONITOR;
    signal.has_ref = true;
    assert_int_equal(peer_send(p->a.peer, &signal, host_now_ns(&p->a)), 0);
    p->b.box[5].max_count = p->b.box[5].take = 100000;
    p->b.box[5].max_bytes = 100000000;
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == LIMIT_PAIRS + 2);
    assert_int_equal(p->a.writable_all, 0);
    end_idle_lanes(p);
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).lanes_out == 0 && peer_drained(p->a.peer));
    assert_int_equal(p->a.writable_all, 1);
    assert_int_equal(host_send(&p->a, LIMIT_PAIRS + 1, 5, 10, 0), 0);
}

/* ---- a peer that stops lanes ----------------------------------------------------------------- */

static void test_stopped(void **state)
{
    static const struct {
        uint64_t code;
        int cause;
    } causes[] = {
        { STREAM_NOPROC, RUSM_ENOPROC },
        { STREAM_OVERFLOW, RUSM_BUSY },
        { STREAM_TOO_LARGE, RUSM_ETOOLARGE },
        { 12345, RUSM_EMALFORMED },
    };
    struct duo *p = *state;
    size_t streams = p->raw.count;
    uint64_t refused = 0;

    for (size_t i = 0; i < 4; i++) {
        /* Much is on its way when the refusal comes, and is acknowledged after it. */
        uint64_t sent = fill(&p->a, 1, 5, 500, 0);
        pair_until(&p->a, NULL, &p->raw, p->raw.count == streams + i + 1);
        conn_stop(p->raw.c, p->raw.streams[streams + i].id, causes[i].code);
        pair_until(&p->a, NULL, &p->raw, p->a.refusals == i + 1);
        assert_int_equal(p->a.refused_cause, causes[i].cause);
        assert_true(p->a.refused_records > refused && p->a.refused_records - refused <= sent);
        refused = p->a.refused_records;
        assert_int_equal(host_count(&p->a).refused, refused);
        assert_int_equal(p->a.writables, i + 1); /* it had been told RUSM_BUSY */
        pair_for(&p->a, NULL, &p->raw, 10);
        assert_int_equal(host_count(&p->a).lanes_out, 0);
        assert_int_equal(host_count(&p->a).unconfirmed, 0);
    }
    assert_int_equal(p->a.closes, 0);
}

/* DRAINED for a lane that is still open, then again, then a stop. The pair is forgotten. */
static void test_drained_too_early(void **state)
{
    struct duo *p = *state;
    uint8_t ordinals[3] = { 0, 1, 0 };
    size_t streams = p->raw.count;

    assert_int_equal(host_send(&p->a, 1, 5, 10, 0), 0);
    pair_until(&p->a, NULL, &p->raw, p->raw.count == streams + 1);
    raw_frame(&p->raw, p->control, FRAME_DRAINED, false, ordinals, 3);
    raw_frame(&p->raw, p->control, FRAME_LEAVE, false, NULL, 0);
    pair_until(&p->a, NULL, &p->raw, p->a.frames == 1);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 1), 0);
    conn_stop(p->raw.c, p->raw.streams[streams].id, STREAM_NOPROC);
    pair_until(&p->a, NULL, &p->raw, p->a.refusals == 1);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 2), 0);
    pair_until(&p->a, NULL, &p->raw, p->raw.count == streams + 2);
    p->a.ahead_ns += 2 * LIMIT_LANE_IDLE_NS;
    pair_until(&p->a, NULL, &p->raw, host_count(&p->a).unconfirmed == 0);
    ordinals[0] = 1;
    raw_frame(&p->raw, p->control, FRAME_DRAINED, false, ordinals, 1);
    raw_frame(&p->raw, p->control, FRAME_LEAVE, false, NULL, 0);
    pair_until(&p->a, NULL, &p->raw, p->a.frames == 2);
    peer_tick(p->a.peer, host_now_ns(&p->a));
    pair_until(&p->a, NULL, &p->raw, peer_drained(p->a.peer));
    assert_int_equal(p->a.closes, 0);
}

/* A sender that is told "writable" sends at once. So it must never be told in the middle of another
 * send, whose pair could go away meanwhile. */
static void test_never_writable_within_a_send(void **state)
{
    struct duo *p = *state;
    size_t streams = p->raw.count;
    uint8_t ordinal = 0;

    assert_int_equal(host_send(&p->a, 1, 5, 1, 0), 0);
    pair_until(&p->a, NULL, &p->raw, p->raw.count == streams + 1);
    raw_frame(&p->raw, p->control, FRAME_DRAINED, false, &ordinal, 1); /* false: it is still open */
    raw_frame(&p->raw, p->control, FRAME_LEAVE, false, NULL, 0);
    pair_until(&p->a, NULL, &p->raw, p->a.frames == 1 && host_count(&p->a).unconfirmed == 0);
    for (uint64_t i = 0; i < LIMIT_LANES / 2; i++) {
        assert_int_equal(send_unordered(p, 5, i), 0);
    }
    assert_int_equal(send_unordered(p, 5, 0), RUSM_BUSY);
    assert_int_equal(host_send(&p->a, 2, 6, 1, 0),
                     0); /* streams are scarce, so the idle lane is ended */
    assert_int_equal(p->a.writables, 0);
}

/* The peer gives no credit. What is queued stays bounded, and the rest of the node goes on. */
static void test_no_credit(void **state)
{
    struct duo *p = *state;
    size_t streams = p->raw.count;

    p->raw.hold_credit = true;
    fill(&p->a, 1, 5, 1000, 0);
    pair_until(&p->a, NULL, &p->raw, p->raw.count == streams + 1);
    pair_for(&p->a, NULL, &p->raw, 30);
    assert_int_equal(p->raw.streams[streams].got, p->raw.options.stream_window);
    assert_int_equal(host_send(&p->a, 2, 6, 1000, 0), 0);
    pair_until(&p->a, NULL, &p->raw, p->raw.count == streams + 2);
    assert_int_equal(p->a.writables, 0);
    conn_extend_stream(p->raw.c, p->raw.streams[streams].id, 200 * 1024);
    pair_until(&p->a, NULL, &p->raw, p->a.writables == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define PAIR(name) cmocka_unit_test_setup_teardown(name, duo_connected, duo_teardown)
#define FEW(name) cmocka_unit_test_setup_teardown(name, setup_8_streams, duo_teardown)
#define RAW(name) cmocka_unit_test_setup_teardown(name, setup_raw, duo_teardown)
        PAIR(test_busy_then_writable),
        PAIR(test_large_message_into_an_empty_queue),
        PAIR(test_signals_are_never_busy),
        RAW(test_max_message_of_the_peer),
        PAIR(test_lanes_take_turns),
        PAIR(test_unordered),
        PAIR(test_unordered_overflows),
        PAIR(test_idle_lane_ends),
        PAIR(test_successor_waits_for_a_held_lane),
        FEW(test_few_streams),
        PAIR(test_many_ends),
        FEW(test_all_lanes_busy),
        cmocka_unit_test_setup_teardown(test_pairs_are_bounded, setup_many_streams, duo_teardown),
        RAW(test_stopped),
        RAW(test_drained_too_early),
        RAW(test_no_credit),
        cmocka_unit_test_setup_teardown(test_never_writable_within_a_send, setup_raw_scarce,
                                        duo_teardown),
    };
    return cmocka_run_group_tests(tests, pair_identity, pair_no_identity);
}
