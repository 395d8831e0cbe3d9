/* peer/lane_in: incoming lanes: credit, holding, grants. */
#include "doubles/peer_raw.h"
#include "peer/limits.h"

#define W LIMIT_LANE_WINDOW

/* ---- credit ---------------------------------------------------------------------------------- */

static const size_t edges[] = { 0,     1,     W / 2 - 30, W / 2 - 1, W / 2,       W / 2 + 1,
                                W - 1, W,     W + 1,      2 * W,     1024 * 1024, 4 * 1024 * 1024,
                                3,     W / 2, W + 1,      0 };
#define EDGES (sizeof(edges) / sizeof(edges[0]))

/* Sends a letter, and tries again while the result is RUSM_BUSY. */
static void send_at_last(struct duo *p, uint64_t from, uint64_t to, size_t len, uint64_t number)
{
    int rc;
    while ((rc = host_send(&p->a, from, to, len, number)) == RUSM_BUSY) {
        pair_tick(&p->a, &p->b, NULL);
    }
    assert_int_equal(rc, 0);
}

static void test_edges_alone(void **state)
{
    struct duo *p = *state;
    for (size_t i = 0; i < EDGES; i++) {
        uint64_t box = i + 1;
        box_open(&p->b, box, 1, 1, 1);
        send_at_last(p, 1, box, edges[i], 0);
        pair_until(&p->a, &p->b, NULL, p->b.box[box].taken == 1);
    }
}

/* Every length after every other one, on one lane, into a mailbox that holds one letter at a
 * time. */
static void test_edges_in_sequence(void **state)
{
    struct duo *p = *state;
    uint64_t number = 0;
    box_open(&p->b, 5, 1, 1, 1);
    for (size_t i = 0; i < EDGES; i++) {
        for (size_t j = 0; j < EDGES; j++) {
            if (edges[i] + edges[j] < 3 * 1024 * 1024) {
                send_at_last(p, 1, 5, edges[i], number++);
                send_at_last(p, 1, 5, edges[j], number++);
            }
        }
    }
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == number);
    assert_int_equal(p->b.losses, 0);
    assert_int_equal(host_count(&p->b).lanes_in, 1);
}

/* All lengths from many senders at once, in different orders, into a slow mailbox. A sender that
 * got RUSM_BUSY tries again when it is told to. */
static void test_edges_of_many(void **state)
{
    enum { SENDERS = 8 };
    struct duo *p = *state;
    uint64_t sent[SENDERS] = { 0 }, all = 0;
    size_t busy_until[SENDERS] = { 0 };
    box_open(&p->b, 5, 2, 100000, 1);
    while (all < SENDERS * EDGES) {
        for (uint64_t s = 0; s < SENDERS; s++) {
            size_t len = edges[(sent[s] + s * 3) % EDGES];
            if (sent[s] == EDGES || p->a.writables < busy_until[s]) {
                continue;
            }
            if (host_send(&p->a, 1 + s, 5, len, sent[s]) == 0) {
                sent[s]++;
                all++;
            } else {
                busy_until[s] = p->a.writables + 1;
            }
        }
        pair_tick(&p->a, &p->b, NULL);
    }
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == all);
}

static void test_largest_message(void **state)
{
    struct duo *p = *state;
    box_open(&p->b, 5, 1, 1, 1);
    assert_int_equal(host_send(&p->a, 1, 5, RUSM_MESSAGE_MAX, 0), 0);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 1), RUSM_BUSY);
    assert_int_equal(host_send(&p->a, 2, 5, RUSM_MESSAGE_MAX + 1, 0), RUSM_ETOOLARGE);
    assert_int_equal(host_send(&p->a, 2, 5, RUSM_MESSAGE_MAX, 0), 0);
    assert_int_equal(host_send(&p->a, 3, 5, 10, 0), RUSM_BUSY); /* LIMIT_CONN_QUEUE */
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 2);
    assert_true(p->a.writables >= 2);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 1), 0);
    assert_int_equal(host_send(&p->a, 3, 5, 10, 0), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 4);
}

/* Nobody empties the mailbox. The node then holds no more than the mailbox and a window for each
 * lane. */
static void test_flood_is_bounded(void **state)
{
    struct duo *p = *state;
    uint64_t bytes;
    box_open(&p->b, 5, 10, 10000, 0);
    bytes = endpoint_counters(p->b.e)->bytes_in;
    for (uint64_t i = 0; i < 200; i++) {
        for (uint64_t from = 1; from <= 4; from++) {
            for (uint64_t n = 0; host_send(&p->a, from, 5, 700, 1000 * i + n) == 0; n++) {}
        }
        pair_tick(&p->a, &p->b, NULL);
    }
    pair_for(&p->a, &p->b, NULL, 50);
    bytes = endpoint_counters(p->b.e)->bytes_in - bytes;
    assert_true(bytes > 4 * (W - 1000));
    assert_true(bytes < 4 * W + 16 * 1024);
    assert_int_equal(p->b.box[5].count, 10);
}

/* The window grows to its maximum for a process that takes its messages. When the lane ends, the
 * budget gets all of it back. */
static void test_window_grows(void **state)
{
    struct duo *p = *state;
    uint64_t number = 0, left = p->b.budget.windows_left;
    box_open(&p->b, 5, 1000, 1024 * 1024, 1000);
    for (int i = 0; i < 20000 && left - p->b.budget.windows_left < LIMIT_LANE_WINDOW_MAX - W; i++) {
        while (host_send(&p->a, 1, 5, 4000, number) == 0) {
            number++;
        }
        pair_tick(&p->a, &p->b, NULL);
    }
    assert_int_equal(left - p->b.budget.windows_left, LIMIT_LANE_WINDOW_MAX - W);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == number);
    p->a.ahead_ns = LIMIT_LANE_IDLE_NS;
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).unconfirmed == 0);
    pair_for(&p->a, &p->b, NULL, 5);
    peer_tick(p->a.peer, host_now_ns(&p->a));
    pair_until(&p->a, &p->b, NULL, p->b.lanes_closed == 1);
    assert_int_equal(p->b.budget.windows_left, left);
}

/* Sends so many letters on each of the first `lanes` lanes, as fast as they go. */
static void send_fast(struct duo *p, uint64_t lanes, uint64_t letters)
{
    uint64_t number[8] = { 0 }, all = 0, before[8];
    for (uint64_t i = 0; i < lanes; i++) {
        box_open(&p->b, 5 + i, 1000, 1024 * 1024, 1000);
        number[i] = before[i] = p->b.box[5 + i].taken;
    }
    while (all < letters * lanes) {
        for (uint64_t i = 0; i < lanes; i++) {
            while (number[i] - before[i] < letters &&
                   host_send(&p->a, 1, 5 + i, 1000, number[i]) == 0) {
                number[i]++;
                all++;
            }
        }
        pair_tick(&p->a, &p->b, NULL);
    }
    for (uint64_t i = 0; i < lanes; i++) {
        pair_until(&p->a, &p->b, NULL, p->b.box[5 + i].taken == number[i]);
    }
}

static void test_window_budget(void **state)
{
    struct duo *p = *state;
    p->b.budget.windows_left = 6 * W;
    send_fast(p, 1, 20000);
    assert_int_equal(p->b.budget.windows_left, 3 * W); /* it grew by W, then by 2 W */
}

/* However many lanes of a connection grow, as much as it has is left to others. */
static void test_windows_of_one_connection(void **state)
{
    struct duo *p = *state;
    p->b.budget.windows_left = 64 * W;
    send_fast(p, 8, 4000);
    assert_in_range(p->b.budget.windows_left, 32 * W, 48 * W);
}

/* If other connections have grown too, the windows of a connection that has much more shrink as
 * they are used. They grow again when there is room. No byte of the budget gets lost. */
static void test_window_shrinks(void **state)
{
    struct duo *p = *state;
    p->b.budget.windows_left = 64 * W;
    send_fast(p, 1, 10000);
    assert_int_equal(p->b.budget.windows_left, 64 * W - 31 * W);
    p->b.budget.windows_left = 3 * W; /* another connection has 30 W */
    send_fast(p, 1, 10000);
    assert_int_equal(p->b.budget.windows_left, 3 * W + 16 * W);
    p->b.budget.windows_left += 30 * W;
    send_fast(p, 1, 10000);
    assert_int_equal(p->b.budget.windows_left, 64 * W - 31 * W);
    p->b.budget.windows_left -= 31 * W;
    send_fast(p, 1, 200);
    p->a.ahead_ns = LIMIT_LANE_IDLE_NS;
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).unconfirmed == 0);
    pair_for(&p->a, &p->b, NULL, 5);
    peer_tick(p->a.peer, host_now_ns(&p->a));
    pair_until(&p->a, &p->b, NULL, p->b.lanes_closed == 1);
    assert_int_equal(p->b.budget.windows_left, 33 * W);
}

/* ---- holding --------------------------------------------------------------------------------- */

static void test_a_held_lane_holds_no_other(void **state)
{
    struct duo *p = *state;
    uint64_t n = 0;
    box_open(&p->b, 5, 1, 1, 0);
    box_open(&p->b, 6, 100, 100000, 100);
    for (int i = 0; i < 50; i++) {
        host_send(&p->a, 1, 5, 10000, (uint64_t)i);
    }
    while (n < 5000) {
        if (host_send(&p->a, 1, 6, 20, n) == 0) {
            n++;
        } else {
            pair_tick(&p->a, &p->b, NULL);
        }
    }
    pair_until(&p->a, &p->b, NULL, p->b.box[6].taken == 5000);
    assert_int_equal(p->b.box[5].count, 1);
}

/* All held lanes go on, each in its own order. */
static void test_held_lanes_all_go_on(void **state)
{
    struct duo *p = *state;
    box_open(&p->b, 5, 1, 1, 0);
    for (uint64_t i = 0; i < 10; i++) {
        for (uint64_t from = 1; from <= 20; from++) {
            assert_int_equal(host_send(&p->a, from, 5, 50, i), 0);
        }
    }
    pair_for(&p->a, &p->b, NULL, 20);
    assert_int_equal(p->b.box[5].count, 1);
    p->b.box[5].take = 1;
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 200);
}

/* Records for a process that does not exist are discarded without waiting for anyone. */
static void test_nobody_there(void **state)
{
    struct duo *p = *state;
    uint64_t n = 0;
    while (n < 3000) {
        if (host_send(&p->a, 1, 99, n % 100 == 0 ? 100000 : 500, n) == 0) {
            n++;
        } else {
            pair_tick(&p->a, &p->b, NULL);
        }
    }
    pair_until(&p->a, &p->b, NULL, p->b.noproc == 3000);
}

/* ---- grants ---------------------------------------------------------------------------------- */

/* Large records of two lanes to one mailbox get grants one at a time. Small ones go on in
 * between. */
static void test_grants_take_turns(void **state)
{
    struct duo *p = *state;
    box_open(&p->b, 5, 10, 10 * 1024 * 1024, 0);
    assert_int_equal(host_send(&p->a, 1, 5, 200000, 0), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].count == 1); /* in the mailbox, not yet taken */
    assert_int_equal(host_send(&p->a, 2, 5, 200000, 0), 0);
    assert_int_equal(host_send(&p->a, 3, 5, W / 2 + 1, 0), 0); /* its window would be enough */
    assert_int_equal(host_send(&p->a, 3, 5, 1, 1), 0);
    assert_int_equal(host_send(&p->a, 4, 5, 100, 0), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].count == 2);
    pair_for(&p->a, &p->b, NULL, 20);
    assert_int_equal(p->b.box[5].count, 2);
    box_take(&p->b.box[5]);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].count == 2);
    box_take(&p->b.box[5]); /* the small one */
    pair_for(&p->a, &p->b, NULL, 20);
    assert_int_equal(p->b.box[5].count, 1);
    box_take(&p->b.box[5]);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].count == 2);
    box_take(&p->b.box[5]);
    box_take(&p->b.box[5]);
    assert_int_equal(p->b.box[5].taken, 5);
    pair_for(&p->a, &p->b, NULL, 5);
    assert_null(p->b.box[5].granted);
}

/* Takes the newest letter, as a process that waits for a reply does. */
static void take_newest(struct box *b)
{
    struct letter **at = &b->first, *l;
    while ((*at)->next) {
        at = &(*at)->next;
    }
    l = *at;
    *at = NULL;
    b->last = at;
    b->count--;
    b->bytes -= (size_t)l->record.payload_len;
    credit_give(l->credit, l->wire);
    free(l->data);
    free(l);
}

/* A large record that nobody takes does not hold up records behind it that are taken, however many
 * bytes these have. Its grant lasts until the record itself is taken. */
static void test_taken_before_a_granted_one(void **state)
{
    struct duo *p = *state;
    struct box *b = &p->b.box[5];
    box_open(&p->b, 5, 10, 10 * 1024 * 1024, 0);
    p->b.budget.windows_left = 0; /* else the window grows beyond the large record */
    assert_int_equal(host_send(&p->a, 1, 5, 3 * W, 0), 0);
    pair_until(&p->a, &p->b, NULL, b->count == 1);
    for (uint64_t i = 1; i < 100; i++) {
        send_at_last(p, 1, 5, 1000, i);
        pair_until(&p->a, &p->b, NULL, b->count == 2);
        take_newest(b);
    }
    assert_non_null(b->granted);
    box_take(b);
    send_at_last(p, 1, 5, 3 * W, 1);
    pair_until(&p->a, &p->b, NULL, b->count == 1);
    box_take(b);
    pair_for(&p->a, &p->b, NULL, 5);
    assert_null(b->granted);
}

/* A grant without progress is taken back and the lane broken off. The lane's successor goes on. */
static void test_grant_stalls(void **state)
{
    struct duo *p = *state;
    struct record record = { .kind = RECORD_SEND, .payload_len = 100000 };
    uint8_t head[RECORD_HEAD_MAX], data[1000] = { 0 };
    struct side_stream *st = raw_open(&p->raw, false), *next;
    box_open(&p->b, 5, 10, 10000, 1);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_say(&p->raw, st, head, record_head_encode(head, &record));
    raw_say(&p->raw, st, data, sizeof(data));
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].granted);
    p->b.ahead_ns = LIMIT_GRANT_STALL_NS - 1000 * SIDE_MS;
    peer_tick(p->b.peer, host_now_ns(&p->b));
    assert_non_null(p->b.box[5].granted);
    raw_say(&p->raw, st, data, 1); /* progress */
    pair_for(NULL, &p->b, &p->raw, 20);
    p->b.ahead_ns += LIMIT_GRANT_STALL_NS - 1000 * SIDE_MS;
    peer_tick(p->b.peer, host_now_ns(&p->b));
    assert_non_null(p->b.box[5].granted);
    for (int i = 0; i < 2; i++) {
        assert_non_null(p->b.box[5].granted);
        p->b.ahead_ns += LIMIT_GRANT_STALL_NS;
        peer_tick(p->b.peer, host_now_ns(&p->b));
    }
    assert_null(p->b.box[5].granted);
    assert_int_equal(p->b.losses, 1);
    assert_int_equal(p->b.lost_cause, RUSM_BUSY);
    pair_until(NULL, &p->b, &p->raw, st->stopped && p->b.lanes_closed == 1);
    assert_int_equal(st->stop_code, STREAM_OVERFLOW);
    next = raw_open(&p->raw, false);
    raw_header(&p->raw, next, LANE_ORDERED, ((uint64_t)st->id >> 2) + 1, 1, 5);
    raw_letter(&p->raw, next, 10, 0);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 1);
    assert_int_equal(p->b.closes, 0);
}

/* Other connections of the node. They hold all that records of up to 1 MiB may take. */
struct others {
    struct grant_share share[3];
    struct grant claim[2][16], last;
};

static struct others *others_last; /* whose waiting claim was given; else NULL */

static void others_given(struct grant_share *share, struct grant *grant)
{
    struct others *o = container_of(share, struct others, share[2]);
    assert_ptr_equal(grant, &o->last);
    others_last = o;
}

static struct others *others_take(struct grant_budget *g)
{
    struct others *o = calloc(1, sizeof(*o));
    assert_non_null(o);
    others_last = NULL;
    for (int i = 0; i < 3; i++) {
        grant_share_init(&o->share[i]);
    }
    for (int i = 0; i < 2 * 16; i++) {
        struct grant *claim = &o->claim[i / 16][i % 16];
        list_init(&claim->at);
        assert_true(grant_ask(g, &o->share[i / 16], claim, LIMIT_GRANT_MIDDLE));
    }
    list_init(&o->last.at);
    return o;
}

/* Ends all claims, and checks that the budget is whole: our own connection holds nothing. */
static void others_free(struct others *o, struct grant_budget *g)
{
    for (int i = 0; i < 2 * 16; i++) {
        grant_end(g, &o->share[i / 16], &o->claim[i / 16][i % 16]);
    }
    grant_end(g, &o->share[2], &o->last);
    assert_int_equal(g->class[1].left, LIMIT_GRANT_SHORTER_BUDGET);
    assert_true(list_empty(&g->class[1].turn));
    free(o);
}

/* Sends a part of a letter: bytes from..to of its record, with the head. `to` 0: to the end. */
static void say_part(struct duo *p, struct side_stream *st, size_t len, uint64_t number,
                     size_t from, size_t to)
{
    struct record record = { .kind = RECORD_SEND, .payload_len = len };
    uint8_t *bytes = malloc(RECORD_HEAD_MAX + len);
    size_t head;
    assert_non_null(bytes);
    head = record_head_encode(bytes, &record);
    letter_fill(bytes + head, len, number);
    raw_say(&p->raw, st, bytes + from, (to ? to : head + len) - from);
    free(bytes);
}

/* A record waits until all connections together leave room for it. Shorter records do not wait. */
static void test_grant_waits_for_others(void **state)
{
    struct duo *p = *state;
    struct others *o = others_take(&p->b.budget.grants);
    box_open(&p->b, 5, 1, 1, 1);
    box_open(&p->b, 6, 1, 1, 1);
    send_at_last(p, 1, 5, 100000, 0);
    send_at_last(p, 1, 6, 40000, 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[6].taken == 1);
    pair_for(&p->a, &p->b, NULL, 20);
    assert_int_equal(p->b.box[5].count + p->b.box[5].taken, 0);
    assert_non_null(p->b.box[5].granted); /* the mailbox has granted it */
    grant_end(&p->b.budget.grants, &o->share[0], &o->claim[0][3]);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 1);
    pair_until(&p->a, &p->b, NULL, !p->b.box[5].granted);
    others_free(o, &p->b.budget.grants);
}

/* A record that is already whole also waits for room. A lane whose record waits may be broken
 * off. */
static void test_grant_waits_and_ends(void **state)
{
    struct duo *p = *state;
    struct others *o = others_take(&p->b.budget.grants);
    struct side_stream *whole = raw_open(&p->raw, false), *broken = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 1, 1);
    box_open(&p->b, 6, 1, 1, 1);
    p->b.budget.windows_left = 0;
    raw_header(&p->raw, broken, LANE_ORDERED, 0, 1, 6);
    say_part(p, broken, 100000, 0, 0, 1000);
    pair_until(NULL, &p->b, &p->raw, p->b.box[6].granted);
    conn_reset(p->raw.c, broken->id, STREAM_GONE);
    pair_until(NULL, &p->b, &p->raw, p->b.lanes_closed == 1);
    grant_end(&p->b.budget.grants, &o->share[0], &o->claim[0][0]);
    assert_int_equal(p->b.budget.grants.class[1].left, LIMIT_GRANT_MIDDLE);
    assert_true(grant_ask(&p->b.budget.grants, &o->share[0], &o->claim[0][0], LIMIT_GRANT_MIDDLE));

    for (int i = 0; i < 2 * 16; i++) { /* now the class of the shortest records */
        grant_end(&p->b.budget.grants, &o->share[i / 16], &o->claim[i / 16][i % 16]);
    }
    struct grant short_ones[2][256];
    for (int i = 0; i < 2 * 256; i++) {
        struct grant *claim = &short_ones[i / 256][i % 256];
        *claim = (struct grant){ 0 };
        list_init(&claim->at);
        assert_true(grant_ask(&p->b.budget.grants, &o->share[i / 256], claim, LIMIT_GRANT_SHORT));
    }
    raw_header(&p->raw, whole, LANE_ORDERED, 0, 1, 5);
    raw_letter(&p->raw, whole, W - 500, 0);
    raw_fin(&p->raw, whole);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].granted);
    pair_for(NULL, &p->b, &p->raw, 20);
    assert_int_equal(p->b.box[5].taken, 0);
    for (int i = 0; i < 2 * 256; i++) {
        grant_end(&p->b.budget.grants, &o->share[i / 256], &short_ones[i / 256][i % 256]);
    }
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 1 && p->b.lanes_closed == 2);
    assert_int_equal(p->b.budget.grants.class[0].left, LIMIT_GRANT_SHORTER_BUDGET);
    others_free(o, &p->b.budget.grants);
}

/* A few bytes at a time are not enough while others wait for what the record holds. */
static void test_grant_keeps_pace(void **state)
{
    struct duo *p = *state;
    struct grant_budget *g = &p->b.budget.grants;
    struct others *o = others_take(g);
    struct side_stream *st = raw_open(&p->raw, false);
    const size_t len = 100000, pace = len / LIMIT_GRANT_PACE + 1;
    size_t said = 1000;
    box_open(&p->b, 5, 1, 1, 1);
    grant_end(g, &o->share[0], &o->claim[0][0]);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    say_part(p, st, len, 0, 0, said);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].granted && st->acked == st->len);
    peer_tick(p->b.peer, host_now_ns(&p->b));
    const size_t steps[] = { 1, 1, pace, pace, pace - 2 };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (i == 2) {
            g->given = others_given; /* no lane of ours waits from here on */
            assert_false(grant_ask(g, &o->share[2], &o->last, LIMIT_GRANT_MIDDLE));
        }
        assert_int_equal(p->b.losses, 0);
        say_part(p, st, len, 0, said, said + steps[i]);
        said += steps[i];
        pair_until(NULL, &p->b, &p->raw, st->acked == st->len);
        p->b.ahead_ns += LIMIT_GRANT_STALL_NS;
        peer_tick(p->b.peer, host_now_ns(&p->b));
    }
    assert_int_equal(p->b.losses, 1);
    assert_int_equal(p->b.lost_cause, RUSM_BUSY);
    assert_ptr_equal(others_last, o);
    pair_until(NULL, &p->b, &p->raw, st->stopped);
    assert_int_equal(st->stop_code, STREAM_OVERFLOW);
    others_free(o, g);
}

/* A grant that a lane gets when it goes on is also taken back if nothing more comes. */
static void test_grant_of_a_turn_stalls(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 10000, 0);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_letter(&p->raw, st, 10, 0);
    raw_letter(&p->raw, st, 10, 1); /* held, with what is behind it */
    say_part(p, st, 100000, 2, 0, 1000);
    pair_until(NULL, &p->b, &p->raw, st->acked == st->len && !list_empty(&p->b.box[5].held));
    peers_tick(&p->b.peers, host_now_ns(&p->b));
    assert_false(peers_ticking(&p->b.peers));
    box_take(&p->b.box[5]);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].granted);
    assert_true(peers_ticking(&p->b.peers));
    peers_tick(&p->b.peers, host_now_ns(&p->b));
    p->b.ahead_ns = LIMIT_GRANT_STALL_NS;
    peers_tick(&p->b.peers, host_now_ns(&p->b));
    assert_null(p->b.box[5].granted);
    assert_int_equal(p->b.losses, 1);
}

/* Records that fit into the window but not into a packet need no grant. A held record goes
 * first. */
static void test_longer_than_a_packet(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 1, 0);
    p->b.deny_grants = true;
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    say_part(p, st, 5000, 0, 0, 2000);
    pair_until(NULL, &p->b, &p->raw, st->acked == st->len);
    assert_int_equal(p->b.box[5].count, 0);
    say_part(p, st, 5000, 0, 2000, 0);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].count == 1);
    raw_letter(&p->raw, st, W / 2, 1);
    raw_letter(&p->raw, st, 10, 2);
    pair_until(NULL, &p->b, &p->raw, st->acked == st->len);
    pair_for(NULL, &p->b, &p->raw, 5);
    assert_int_equal(p->b.box[5].count, 1); /* the others are held */
    assert_int_equal(p->b.box[5].taken, 0);
    p->b.box[5].take = 1;
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 3);
    assert_true(list_empty(&p->b.box[5].asking));
    for (uint64_t i = 3; i < 20; i++) { /* far more than the window: all credit comes back */
        raw_letter(&p->raw, st, 4096 + i * 7, i);
        pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == i + 1);
    }
    say_part(p, st, 6000, 20, 0, 3000); /* the rest never comes */
    pair_until(NULL, &p->b, &p->raw, st->acked == st->len);
    conn_reset(p->raw.c, st->id, STREAM_GONE);
    pair_until(NULL, &p->b, &p->raw, p->b.losses == 1 && p->b.lanes_closed == 1);
    assert_int_equal(p->b.closes, 0);
}

/* A granted record that waits in the mailbox does not stall because the next one comes slowly. */
static void test_slow_behind_a_granted_one(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    box_open(&p->b, 5, 10, 1000000, 0);
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_letter(&p->raw, st, W - 6000, 0);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].count == 1);
    assert_non_null(p->b.box[5].granted);
    say_part(p, st, 5000, 1, 0, 2000);
    pair_until(NULL, &p->b, &p->raw, st->acked == st->len);
    p->b.ahead_ns = 2 * LIMIT_GRANT_STALL_NS;
    peer_tick(p->b.peer, host_now_ns(&p->b));
    assert_int_equal(p->b.losses, 0);
    say_part(p, st, 5000, 1, 2000, 0);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].count == 2);
    p->b.box[5].take = 1;
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 2 && !p->b.box[5].granted);
}

/* A FIN comes behind a large record that has no grant yet, or no room. */
static void test_fin_behind_a_large_one(void **state)
{
    struct duo *p = *state;
    struct side_stream *st = raw_open(&p->raw, false);
    box_open(&p->b, 5, 1, 1, 0);
    p->b.deny_grants = true;
    raw_header(&p->raw, st, LANE_ORDERED, 0, 1, 5);
    raw_letter(&p->raw, st, W - 500, 0);
    raw_fin(&p->raw, st);
    pair_until(NULL, &p->b, &p->raw, !list_empty(&p->b.box[5].asking));
    pair_for(NULL, &p->b, &p->raw, 20);
    assert_int_equal(p->b.closes, 0);
    assert_int_equal(p->b.box[5].count, 0);
    p->b.box[5].take = 1;
    box_grant_next(&p->b.box[5]);
    pair_until(NULL, &p->b, &p->raw, p->b.box[5].taken == 1 && p->b.lanes_closed == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define PAIR(name) cmocka_unit_test_setup_teardown(name, duo_connected, duo_teardown)
#define RAW(name) cmocka_unit_test_setup_teardown(name, duo_raw, duo_teardown)
        PAIR(test_edges_alone),           PAIR(test_edges_in_sequence),
        PAIR(test_edges_of_many),         PAIR(test_largest_message),
        PAIR(test_flood_is_bounded),      PAIR(test_window_grows),
        PAIR(test_window_budget),         PAIR(test_windows_of_one_connection),
        PAIR(test_window_shrinks),        PAIR(test_a_held_lane_holds_no_other),
        PAIR(test_held_lanes_all_go_on),  PAIR(test_nobody_there),
        PAIR(test_grants_take_turns),     PAIR(test_taken_before_a_granted_one),
        RAW(test_grant_stalls),           PAIR(test_grant_waits_for_others),
        RAW(test_grant_waits_and_ends),   RAW(test_grant_keeps_pace),
        RAW(test_fin_behind_a_large_one), RAW(test_grant_of_a_turn_stalls),
        RAW(test_longer_than_a_packet),   RAW(test_slow_behind_a_granted_one),
    };
    return cmocka_run_group_tests(tests, pair_identity, pair_no_identity);
}
