/* peer/peer: two hosts: hello, adopt, the control stream, order, receipts, the end. */
#include "doubles/peer_raw.h"
#include "peer/limits.h"
#include "wire/limits.h"

static int setup(void **state)
{
    *state = duo_new(0);
    return 0;
}

/* ---- hello and adopt ------------------------------------------------------------------------- */

static void test_hello_then_adopt(void **state)
{
    struct duo *p = *state;

    host_dial(&p->b, &p->a);
    pair_until(&p->a, &p->b, NULL, p->a.hellos == 1 && p->b.hellos == 1);
    assert_string_equal(p->a.hello_name, "bronze");
    assert_string_equal(p->b.hello_name, "amber");
    /* What is sent before the adoption waits for it. */
    box_open(&p->a, 5, 10, 1000, 1);
    assert_int_equal(host_send(&p->b, 1, 5, 100, 0), 0);
    pair_for(&p->a, &p->b, NULL, 50);
    assert_int_equal(p->a.readies, 0);
    assert_int_equal(p->a.opened, 0);
    assert_false(peer_is_ready(p->b.peer));
    peer_adopt(p->a.peer);
    peer_adopt(p->a.peer);
    pair_until(&p->a, &p->b, NULL, p->b.readies == 1 && p->a.box[5].taken == 1);
    assert_int_equal(p->a.readies, 1);
    assert_ptr_equal(peer_conn(p->a.peer) != NULL, true);
}

/* The router puts off the other side's ADOPT. What the other side sends behind it waits, in
 * order. */
static void test_adopt_put_off(void **state)
{
    struct duo *p = *state;

    p->b.adopt_verdict = RUSM_BUSY;
    box_open(&p->b, 5, 10, 1000, 1);
    host_dial(&p->b, &p->a);
    pair_until(&p->a, &p->b, NULL, p->a.hellos == 1 && p->b.hellos == 1);
    peer_adopted(p->b.peer); /* ADOPT has not come yet, so this does nothing */
    peer_adopt(p->a.peer);
    for (size_t i = 0; i < 300; i++) {
        static uint8_t body[5000];
        assert_int_equal(peer_send_frame(p->a.peer, FRAME_NAMES, false, body, i * 16), 0);
    }
    assert_int_equal(host_send(&p->a, 1, 5, 100, 0), 0);
    pair_until(&p->a, &p->b, NULL, p->b.adopts == 1 && peer_quiet(p->a.peer));
    assert_int_equal(p->b.frames, 0);
    assert_int_equal(p->b.readies, 0);
    assert_int_equal(p->b.box[5].count, 0);
    peer_adopted(p->b.peer);
    peer_adopted(p->b.peer);
    assert_int_equal(p->b.readies, 1);
    assert_int_equal(p->b.frames, 300);
    assert_int_equal(p->b.frame.len, 299 * 16);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 1);
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_NAMES, false, "x", 1), 0);
    pair_until(&p->a, &p->b, NULL, p->b.frames == 301);
    assert_int_equal(p->b.adopts, 1);
}

static void test_adopt_put_off_too_long(void **state)
{
    struct duo *p = *state;
    static uint8_t body[LIMIT_FRAME];

    p->b.adopt_verdict = RUSM_BUSY;
    host_dial(&p->b, &p->a);
    pair_until(&p->a, &p->b, NULL, p->a.hellos == 1 && p->b.hellos == 1);
    peer_adopt(p->a.peer);
    while (p->a.peer && p->a.closes == 0) {
        peer_send_frame(p->a.peer, FRAME_NAMES, false, body, sizeof(body));
        pair_tick(&p->a, &p->b, NULL);
    }
    assert_int_equal(p->a.end.kind, CONN_END_PEER);
    assert_int_equal(p->a.end.code, CLOSE_LIMIT);
}

static void test_adopt_refused(void **state)
{
    struct duo *p = *state;

    p->b.adopt_verdict = RUSM_EMALFORMED;
    host_dial(&p->b, &p->a);
    pair_until(&p->a, &p->b, NULL, p->a.hellos == 1 && p->b.hellos == 1);
    peer_adopt(p->a.peer);
    pair_until(&p->a, &p->b, NULL, p->a.closes == 1);
    assert_int_equal(p->a.end.code, CLOSE_MALFORMED);
    assert_int_equal(p->b.readies, 0);
}

/* Lanes that come before the receiver is ready are kept. */
static void test_early_lanes_are_kept(void **state)
{
    struct duo *p = *state;

    host_dial(&p->b, &p->a);
    pair_until(&p->a, &p->b, NULL, p->a.hellos == 1 && p->b.hellos == 1);
    box_open(&p->b, 5, 10, 1000, 1);
    peer_adopt(p->a.peer);
    assert_int_equal(host_send(&p->a, 1, 5, 100, 0), 0);
    assert_int_equal(host_send(&p->a, 2, 5, 100, 0), 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 2);
}

static void test_client_needs_no_adopt(void **state)
{
    struct duo *p = *state;

    p->b.role = HELLO_CLIENT;
    p->a.adopt = true; /* adopts in its hello upcall; the peer is ready only once */
    box_open(&p->a, 5, 10, 1000, 1);
    host_dial(&p->b, &p->a);
    pair_until(&p->a, &p->b, NULL, p->a.readies > 0 && p->b.readies > 0);
    assert_int_equal(host_send(&p->b, 1, 5, 100, 0), 0);
    pair_until(&p->a, &p->b, NULL, p->a.box[5].taken == 1);
    assert_int_equal(p->a.readies, 1);
    assert_int_equal(p->b.readies, 1);
}

static void test_verdict_closes(void **state)
{
    struct duo *p = *state;

    p->a.verdict = CLOSE_NAME_TAKEN;
    host_dial(&p->b, &p->a);
    pair_until(&p->a, &p->b, NULL, p->a.closes == 1 && p->b.closes == 1);
    assert_int_equal(p->b.end.kind, CONN_END_PEER);
    assert_int_equal(p->b.end.code, CLOSE_NAME_TAKEN);
    assert_int_equal(p->a.end.kind, CONN_END_LOCAL);
    assert_int_equal(p->a.readies, 0);
}

/* ---- the control stream ---------------------------------------------------------------------- */

static void test_frames(void **state)
{
    struct duo *p = *state;
    static uint8_t body[LIMIT_FRAME + 1];

    pair_connect(&p->a, &p->b);
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_NAMES, false, body, 3), 0);
    pair_until(&p->a, &p->b, NULL, p->b.frames == 1);
    assert_int_equal(p->b.frame.type, FRAME_NAMES);
    assert_int_equal(p->b.frame.len, 3);
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_REQUEST, false, body, LIMIT_FRAME), 0);
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_LEAVE, false, NULL, 0), 0);
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_NAMES, false, body, LIMIT_FRAME + 1),
                     RUSM_ETOOLARGE);
    pair_until(&p->a, &p->b, NULL, p->b.frames == 3);
    assert_int_equal(p->b.frame.type, FRAME_LEAVE);
    /* The peer answers PING itself and delivers PONG. It skips unknown frames with the skip bit. */
    assert_int_equal(peer_send_frame(p->a.peer, (enum frame_type)(FRAME_TYPES + 9), true, body, 5),
                     0);
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_PING, false, body, 8), 0);
    pair_until(&p->a, &p->b, NULL, p->a.frames == 1);
    assert_int_equal(p->a.frame.type, FRAME_PONG);
    assert_int_equal(p->b.frames, 3);
    assert_int_equal(p->b.closes, 0);
    /* 32 MB of frames arrive within the control stream's credit, cut anywhere. */
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(peer_send_frame(p->a.peer, FRAME_NAMES, false, body, (size_t)i * 64), 0);
        pair_tick(&p->a, &p->b, NULL);
    }
    pair_until(&p->a, &p->b, NULL, p->b.frames == 1003);
}

static void test_control_queue_is_bounded(void **state)
{
    struct duo *p = *state;
    static uint8_t body[LIMIT_FRAME];
    int rc = 0, sent = 0;

    pair_connect(&p->a, &p->b);
    while ((rc = peer_send_frame(p->a.peer, FRAME_NAMES, false, body, sizeof(body))) == 0) {
        sent++;
    }
    assert_int_equal(rc, RUSM_ELIMIT);
    assert_int_equal(sent, LIMIT_CONTROL_QUEUE / (sizeof(body) + 5));
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_NAMES, false, body, 1), RUSM_ECLOSED);
    assert_int_equal(host_send(&p->a, 1, 5, 10, 0), RUSM_ENOCONN);
    pair_until(&p->a, &p->b, NULL, p->b.closes == 1);
    assert_int_equal(p->b.end.code, CLOSE_LIMIT);
}

static void test_router_may_call_it_malformed(void **state)
{
    struct duo *p = *state;

    pair_connect(&p->a, &p->b);
    assert_int_equal(peer_send_frame(p->a.peer, FRAME_NODES, false, "\xff", 1), 0);
    pair_until(&p->a, &p->b, NULL, p->a.closes == 1);
    assert_int_equal(p->a.end.code, CLOSE_MALFORMED);
    assert_int_equal(p->b.end.kind, CONN_END_LOCAL);
}

/* ---- a raw side says what it should not ------------------------------------------------------ */

static struct side_stream *raw_connect(struct duo *p)
{
    struct endpoint_options o = side_options(identity, false);
    socklen_t len;
    const struct sockaddr *at = endpoint_address(p->a.e, &len);
    struct conn *c;

    side_start(&p->raw, &o, 0);
    assert_int_equal(endpoint_dial(p->raw.e, at, len, NULL, &c), 0);
    pair_until(&p->a, NULL, &p->raw, p->raw.readies == 1 && p->a.peer);
    return raw_open(&p->raw, true);
}

static void expect_close(struct duo *p, enum close_code code)
{
    pair_until(&p->a, NULL, &p->raw, p->raw.closes == 1 && p->a.closes == 1);
    assert_int_equal(p->raw.end.kind, CONN_END_PEER);
    assert_int_equal(p->raw.end.code, code);
}

static void test_raw_other_version(void **state)
{
    struct duo *p = *state;
    raw_hello(&p->raw, raw_connect(p), CONTROL_VERSION + 1);
    expect_close(p, CLOSE_VERSION);
}

static void test_raw_frame_before_hello(void **state)
{
    struct duo *p = *state;
    raw_frame(&p->raw, raw_connect(p), FRAME_ADOPT, false, NULL, 0);
    expect_close(p, CLOSE_MALFORMED);
}

static void test_raw_malformed_hello(void **state)
{
    struct duo *p = *state;
    raw_frame(&p->raw, raw_connect(p), FRAME_HELLO, false, "\1\1", 2);
    expect_close(p, CLOSE_MALFORMED);
}

static void test_raw_second_hello(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    expect_close(p, CLOSE_MALFORMED);
}

static void test_raw_unknown_frame(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    raw_frame(&p->raw, control, FRAME_TYPES, true, "abc", 3);
    raw_frame(&p->raw, control, FRAME_ADOPT, false, NULL, 0);
    pair_until(&p->a, NULL, &p->raw, p->a.readies == 1);
    raw_frame(&p->raw, control, FRAME_TYPES, false, "abc", 3);
    expect_close(p, CLOSE_MALFORMED);
}

static void test_raw_frame_too_long(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    uint8_t head[16];
    size_t n = varint_encode(head, FRAME_NAMES * 2);
    n += varint_encode(head + n, LIMIT_FRAME + 1);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    raw_say(&p->raw, control, head, n);
    expect_close(p, CLOSE_MALFORMED);
}

static void test_raw_bad_bodies(void **state)
{
    static const struct {
        enum frame_type type;
        const char *body;
        size_t len;
    } bad[] = {
        { FRAME_RECEIPTS, "\1", 1 },         /* no status */
        { FRAME_RECEIPTS, "\1\x41\x00", 3 }, /* status 256 */
        { FRAME_DRAINED, "\1\x40", 2 },      /* a varint cut short */
        { FRAME_PING, "1234567", 7 },        /* seven bytes */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        void *again;
        struct duo *p;
        struct side_stream *control;
        setup(&again);
        p = again;
        control = raw_connect(p);
        raw_hello(&p->raw, control, CONTROL_VERSION);
        raw_frame(&p->raw, control, bad[i].type, false, bad[i].body, bad[i].len);
        expect_close(p, CLOSE_MALFORMED);
        duo_teardown(&again);
    }
}

/* Receipts and DRAINED for unknown ids are no error: they may be late. */
static void test_raw_unknown_ids(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    raw_frame(&p->raw, control, FRAME_RECEIPTS, false, "\1\0\2\4", 4);
    raw_frame(&p->raw, control, FRAME_DRAINED, false, "\0\1\2\3\x3f", 5);
    raw_frame(&p->raw, control, FRAME_LEAVE, false, NULL, 0);
    pair_until(&p->a, NULL, &p->raw, p->a.frames == 1);
    assert_int_equal(p->a.receipts, 2);
    assert_int_equal(p->a.receipt[1].status, -RUSM_ENOPROC);
    assert_int_equal(p->a.closes, 0);
}

static void test_raw_control_ends(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    raw_fin(&p->raw, control);
    expect_close(p, CLOSE_MALFORMED);
}

static void test_raw_control_reset(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    pair_until(&p->a, NULL, &p->raw, p->a.hellos == 1);
    conn_reset(p->raw.c, control->id, 1);
    expect_close(p, CLOSE_MALFORMED);
}

static void test_raw_control_stopped(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    raw_hello(&p->raw, control, CONTROL_VERSION);
    pair_until(&p->a, NULL, &p->raw, p->a.hellos == 1);
    conn_stop(p->raw.c, control->id, 1);
    expect_close(p, CLOSE_MALFORMED);
}

/* The transport allows only one bidirectional stream. If it allowed a second, the peer would end
 * the connection as malformed. */
static void test_raw_no_second_bidi(void **state)
{
    struct duo *p = *state;
    struct side_stream *control = raw_connect(p);
    int64_t id;
    int rc;
    raw_hello(&p->raw, control, CONTROL_VERSION);
    pair_until(&p->a, NULL, &p->raw, p->a.hellos == 1);
    rc = conn_open_bidi(p->raw.c, &id, NULL);
    if (rc == 0) {
        struct side_stream *second = side_find(&p->raw, id);
        conn_set_user(p->raw.c, id, second);
        second->data = malloc(1);
        second->len = 1;
        conn_wake(p->raw.c);
        expect_close(p, CLOSE_MALFORMED);
    } else {
        assert_int_equal(rc, RUSM_BUSY);
    }
}

static void test_raw_silence(void **state)
{
    struct duo *p = *state;
    raw_connect(p);
    peer_tick(p->a.peer, host_now_ns(&p->a));
    pair_for(&p->a, NULL, &p->raw, 20);
    assert_int_equal(p->a.closes, 0);
    p->a.ahead_ns = LIMIT_HANDSHAKE_NS + 1;
    peer_tick(p->a.peer, host_now_ns(&p->a));
    expect_close(p, CLOSE_TIMEOUT);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* What process 1 has on its way. */
struct pending {
    bool seen;
    uint64_t records;
};

static void pending_see(void *context, uint64_t from, uint64_t records)
{
    struct pending *pending = context;
    if (from == 1) {
        pending->seen = true;
        pending->records += records;
    }
}

/* One pair sends 100,000 messages while 32 others are at work, in both directions. */
static void test_order(void **state)
{
    enum { ONE = 100000, OTHERS = 32, EACH = 3000 };
    struct duo *p = *state;
    uint64_t one = 0, others[OTHERS] = { 0 }, back = 0;
    bool done = false;

    pair_connect(&p->a, &p->b);
    box_open(&p->b, 1, 64, 1024 * 1024, 64);
    box_open(&p->a, 1, 64, 1024 * 1024, 64);
    for (uint64_t i = 0; i < OTHERS; i++) {
        box_open(&p->b, 40 + i, 4 + i, 64 * 1024, 1 + i % 5);
    }
    while (!done) {
        done = one == ONE && back == EACH;
        while (one < ONE && host_send(&p->a, 1, 1, one % 50, one) == 0) {
            one++;
        }
        if (back < EACH && host_send(&p->b, 2, 1, 8, back) == 0) {
            back++;
        }
        for (uint64_t i = 0; i < OTHERS; i++) {
            for (int n = 0; n < 16 && others[i] < EACH; n++) {
                if (host_send(&p->a, 3 + i, 40 + i, (size_t)(others[i] * 37 % 900), others[i])) {
                    break;
                }
                others[i]++;
            }
            done = done && others[i] == EACH;
        }
        pair_tick(&p->a, &p->b, NULL);
    }
    pair_until(&p->a, &p->b, NULL, p->b.box[1].taken == ONE && p->a.box[1].taken == EACH);
    for (uint64_t i = 0; i < OTHERS; i++) {
        pair_until(&p->a, &p->b, NULL, p->b.box[40 + i].taken == EACH);
    }
    pair_until(&p->a, &p->b, NULL, host_count(&p->a).unconfirmed == 0);
    assert_int_equal(host_count(&p->a).records_sent, ONE + OTHERS * EACH);
    assert_int_equal(host_count(&p->b).records_received, ONE + OTHERS * EACH);
    assert_int_equal(host_count(&p->a).bytes_sent, host_count(&p->b).bytes_received);
    assert_int_equal(host_count(&p->a).unconfirmed, 0);
    assert_int_equal(host_count(&p->a).lanes_out, 1 + OTHERS);
    assert_int_equal(host_count(&p->b).lanes_in, 1 + OTHERS);
    /* When leaving, a peer is quiet once all is acknowledged, and drained once all is in its
     * mailbox. */
    p->b.box[1].take = 0;
    for (uint64_t i = 0; i < 65; i++) {
        assert_int_equal(host_send(&p->a, 1, 1, 8, one + i), 0);
    }
    assert_false(peer_quiet(p->a.peer));
    struct pending pending = { 0 };
    peer_pending(p->a.peer, pending_see, &pending);
    assert_true(pending.seen && pending.records == 65);
    peer_finish(p->a.peer);
    pair_until(&p->a, &p->b, NULL, peer_quiet(p->a.peer));
    pair_for(&p->a, &p->b, NULL, 20);
    assert_false(peer_drained(p->a.peer)); /* one has no room yet */
    pending = (struct pending){ 0 };
    peer_pending(p->a.peer, pending_see, &pending);
    assert_true(pending.seen && pending.records == 0); /* acknowledged, but it may still be lost */
    box_take(&p->b.box[1]);
    pair_until(&p->a, &p->b, NULL, peer_drained(p->a.peer));
    pending = (struct pending){ 0 };
    peer_pending(p->a.peer, pending_see, &pending);
    assert_false(pending.seen);
    assert_int_equal(host_count(&p->a).lanes_out, 0);
}

static void test_receipts(void **state)
{
    struct duo *p = *state;
    uint8_t data[64];
    struct parcel parcel;

    pair_connect(&p->a, &p->b);
    box_open(&p->b, 5, 2, 1000, 0);
    for (uint64_t id = 1; id <= 2; id++) {
        letter_fill(data, sizeof(data), id - 1);
        parcel = parcel_to(1, 5, data, sizeof(data));
        parcel.has_receipt = true;
        parcel.receipt = id;
        assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    }
    pair_until(&p->a, &p->b, NULL, p->a.receipts == 2);
    assert_int_equal(p->a.receipt[0].id, 1);
    assert_int_equal(p->a.receipt[0].status, 0);
    parcel.receipt = 3;
    assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    pair_for(&p->a, &p->b, NULL, 30);
    assert_int_equal(p->a.receipts, 2); /* no room: it is not in the mailbox */
    parcel.unordered = true;
    parcel.receipt = 4;
    assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    pair_until(&p->a, &p->b, NULL, p->a.receipts == 3);
    assert_int_equal(p->a.receipt[2].id, 4);
    assert_int_equal(p->a.receipt[2].status, -RUSM_BUSY);
    parcel.to.serial = 99;
    parcel.receipt = 5;
    assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    pair_until(&p->a, &p->b, NULL, p->a.receipts == 4);
    assert_int_equal(p->a.receipt[3].status, -RUSM_ENOPROC);
    /* More receipts in one tick than a frame holds. */
    parcel.unordered = false;
    for (uint64_t id = 0; id < 3000; id++) {
        parcel.receipt = (UINT64_C(1) << 40) + id;
        assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    }
    pair_until(&p->a, &p->b, NULL, p->a.receipts == 3004);
    for (uint64_t id = 0; id < 3000; id++) {
        assert_int_equal(p->a.receipt[4 + id].id, (UINT64_C(1) << 40) + id);
    }
}

static void test_names_and_kinds(void **state)
{
    struct duo *p = *state;
    struct parcel parcel = parcel_to(7, 0, "ask", 3);

    pair_connect(&p->a, &p->b);
    parcel.to = (struct target){ .kind = TARGET_NAME, .name = "bank", .name_len = 4 };
    assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    parcel.to.kind = TARGET_GLOBAL;
    assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    parcel.kind = RECORD_CALL;
    parcel.has_ref = true;
    parcel.ref = 77;
    assert_int_equal(peer_send(p->a.peer, &parcel, host_now_ns(&p->a)), 0);
    pair_until(&p->a, &p->b, NULL, p->b.noproc == 3);
    assert_int_equal(p->b.opened, 2); /* one lane for each address */
}

/* The connection ends, and all is freed, whatever is on its way. */
static void test_end_in_the_middle(void **state)
{
    struct duo *p = *state;

    pair_connect(&p->a, &p->b);
    box_open(&p->b, 5, 3, 100000, 0);
    box_open(&p->b, 6, 3, 100000, 0);
    for (uint64_t i = 0; i < 100; i++) {
        host_send(&p->a, 1, 5, 3000, i);
        host_send(&p->a, 2, 5, 30000, i);
        host_send(&p->a, 3, 6, 40000, i);
        host_send(&p->a, 4, 6, 500, i);
        pair_tick(&p->a, &p->b, NULL);
    }
    pair_for(&p->a, &p->b, NULL, 20);
    assert_true(host_count(&p->a).unconfirmed > 0);
    peer_close(p->a.peer, CLOSE_NONE, "done");
    assert_int_equal(host_send(&p->a, 1, 5, 10, 0), RUSM_ENOCONN);
    pair_until(&p->a, &p->b, NULL, p->a.closes == 1 && p->b.closes == 1);
    assert_int_equal(p->b.opened, p->b.lanes_closed);
    /* The letters outlive their lanes. */
    assert_true(p->b.box[5].count > 0);
    box_take(&p->b.box[5]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, duo_teardown)
        TEST(test_hello_then_adopt),
        TEST(test_adopt_put_off),
        TEST(test_adopt_put_off_too_long),
        TEST(test_adopt_refused),
        TEST(test_early_lanes_are_kept),
        TEST(test_client_needs_no_adopt),
        TEST(test_verdict_closes),
        TEST(test_frames),
        TEST(test_control_queue_is_bounded),
        TEST(test_router_may_call_it_malformed),
        TEST(test_raw_other_version),
        TEST(test_raw_frame_before_hello),
        TEST(test_raw_malformed_hello),
        TEST(test_raw_second_hello),
        TEST(test_raw_unknown_frame),
        TEST(test_raw_frame_too_long),
        cmocka_unit_test(test_raw_bad_bodies),
        TEST(test_raw_unknown_ids),
        TEST(test_raw_control_ends),
        TEST(test_raw_control_reset),
        TEST(test_raw_control_stopped),
        TEST(test_raw_no_second_bidi),
        TEST(test_raw_silence),
        TEST(test_order),
        TEST(test_receipts),
        TEST(test_names_and_kinds),
        TEST(test_end_in_the_middle),
    };
    return cmocka_run_group_tests(tests, pair_identity, pair_no_identity);
}
