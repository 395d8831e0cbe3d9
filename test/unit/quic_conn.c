/* quic_conn: two endpoints on loopback: handshake, bytes both ways, credit, many streams. */
#include "doubles/quic_pair.h"

#include "quic/conn.h"

static void test_handshake(void **state)
{
    struct side_pair *p = *state;
    char text[64], expected[64];
    assert_true(conn_dialled(p->a.c));
    assert_false(conn_dialled(p->b.c));
    assert_ptr_equal(conn_app(p->a.c), &p->a);
    assert_null(conn_app(p->b.c));
    conn_peer_text(p->a.c, text, sizeof(text));
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", side_port(&p->b));
    assert_string_equal(text, expected);
    assert_int_equal(endpoint_counters(p->b.e)->half_open, 0);
    assert_int_equal(endpoint_counters(p->b.e)->connections, 1);
    assert_true(conn_rtt_ns(p->a.c) > 0);
    assert_true(conn_last_heard_ns(p->a.c) <= endpoint_now_ns());
}

static void test_one_stream(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(5000);
    struct side_stream *st = side_send(&p->a, data, 5000), *got;
    side_until(&p->a, &p->b, st->closed);
    assert_int_equal(st->acked, 5000);
    got = side_find(&p->b, st->id);
    assert_true(got->opened && got->closed && got->got_fin && !got->garbled);
    assert_int_equal(got->got, 5000);
    free(data);
}

static void test_large_through_credit(void **state)
{
    struct side_pair *p = *state;
    size_t len = 10 * 1024 * 1024;
    uint8_t *data = side_pattern(len);
    struct side_stream *there = side_send(&p->a, data, len);
    struct side_stream *back = side_send(&p->b, data, len);
    side_until(&p->a, &p->b, there->closed && back->closed);
    assert_int_equal(side_find(&p->b, there->id)->got, len);
    assert_false(side_find(&p->b, there->id)->garbled);
    assert_int_equal(side_find(&p->a, back->id)->got, len);
    assert_false(side_find(&p->a, back->id)->garbled);
    free(data);
}

static void test_small_writes(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(170000);
    uint64_t datagrams = endpoint_counters(p->a.e)->datagrams_out;
    struct side_stream *st;
    p->a.piece = 17;
    st = side_send(&p->a, data, 170000);
    side_until(&p->a, &p->b, st->closed);
    assert_int_equal(side_find(&p->b, st->id)->got, 170000);
    assert_false(side_find(&p->b, st->id)->garbled);
    assert_true(p->a.pulls >= 10000);
    /* Writes are packed: there are far fewer datagrams than writes. */
    datagrams = endpoint_counters(p->a.e)->datagrams_out - datagrams;
    assert_true(datagrams < 1000);
    free(data);
}

static void test_no_credit_no_progress(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(100000);
    struct side_stream *stuck, *free_one;
    p->b.hold_credit = true;
    stuck = side_send(&p->a, data, 100000);
    side_until(&p->a, &p->b, stuck->blocked);
    side_for(&p->a, &p->b, 50);
    assert_int_equal(stuck->at, 16384);
    assert_int_equal(side_find(&p->b, stuck->id)->got, 16384);
    /* The stalled stream does not hold up another one. */
    free_one = side_send(&p->a, data, 10000);
    side_until(&p->a, &p->b, free_one->closed);
    assert_int_equal(stuck->at, 16384);
    /* Credit lets exactly that much through. */
    conn_extend_stream(p->b.c, stuck->id, 50000);
    side_until(&p->a, &p->b, side_find(&p->b, stuck->id)->got == 66384);
    side_for(&p->a, &p->b, 50);
    assert_int_equal(stuck->at, 66384);
    conn_extend_stream(p->b.c, stuck->id, 50000);
    side_until(&p->a, &p->b, stuck->closed);
    assert_false(side_find(&p->b, stuck->id)->garbled);
    free(data);
}

/* More bytes than the connection's credit, on streams that get no further credit. What arrived
 * gives the connection's credit back by itself. */
static void test_stalled_streams_do_not_stall_the_connection(void **state)
{
    struct side a, b;
    size_t len = 4 * 1024 * 1024;
    uint8_t *data = side_pattern(len);
    struct endpoint_options o = side_options(identity, true);
    struct side_stream *last;
    (void)state;
    o.stream_window = len + 1;
    side_start(&a, &o, 0);
    side_start(&b, &o, 0);
    side_connect(&a, &b);
    b.hold_credit = true;
    for (int i = 0; i < 9; i++) { /* 36 MiB, with 8 MiB of credit */
        last = side_send(&a, data, len);
        side_until(&a, &b, last->closed);
    }
    assert_int_equal(side_find(&b, last->id)->got, len);
    side_stop(&a);
    side_stop(&b);
    free(data);
}

static void test_many_streams(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(100);
    size_t opened = 0;
    int64_t id;
    while (conn_streams_left(p->a.c) > 0) {
        side_send(&p->a, data, opened % 100);
        opened++;
    }
    assert_int_equal(opened, 64);
    assert_int_equal(conn_open_uni(p->a.c, &id, NULL), RUSM_BUSY);
    side_until(&p->a, &p->b, p->a.streams[63].closed);
    /* Closed streams do not come back by themselves. */
    side_for(&p->a, &p->b, 20);
    assert_int_equal(conn_open_uni(p->a.c, &id, NULL), RUSM_BUSY);
    p->a.available = 0;
    conn_extend_streams(p->b.c, 2000);
    side_until(&p->a, &p->b, p->a.available > 0);
    while (conn_streams_left(p->a.c) > 0) {
        side_send(&p->a, data, opened % 100);
        opened++;
    }
    assert_int_equal(opened, 2064);
    for (size_t i = 0; i < opened; i++) {
        side_until(&p->a, &p->b, p->a.streams[i].closed);
    }
    for (size_t i = 0; i < p->b.count; i++) {
        assert_true(p->b.streams[i].got_fin && p->b.streams[i].closed);
        assert_false(p->b.streams[i].garbled);
    }
    assert_int_equal(p->b.count, opened);
    free(data);
}

static void test_control_stream(void **state)
{
    struct side_pair *p = *state;
    size_t len = 300000; /* beyond its window, which the endpoint extends by itself */
    uint8_t *data = side_pattern(len);
    struct side_stream *st, *other;
    int64_t id;
    p->a.hold_credit = p->b.hold_credit = true;
    assert_int_equal(conn_open_bidi(p->a.c, &id, NULL), 0);
    st = side_find(&p->a, id);
    conn_set_user(p->a.c, id, st);
    st->data = data;
    st->len = len;
    conn_wake(p->a.c);
    side_until(&p->a, &p->b, p->b.count == 1 && p->b.streams[0].got == len);
    other = side_find(&p->b, id);
    other->data = data;
    other->len = len;
    conn_wake(p->b.c);
    side_until(&p->a, &p->b, st->got == len);
    assert_false(st->garbled || other->garbled);
    assert_false(st->closed || other->closed);
    /* There is only one bidirectional stream. */
    assert_int_equal(conn_open_bidi(p->a.c, &id, NULL), RUSM_BUSY);
    free(data);
}

static void test_reset(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(100000);
    struct side_stream *st;
    p->b.hold_credit = true;
    st = side_send(&p->a, data, 100000);
    side_until(&p->a, &p->b, p->b.count == 1 && p->b.streams[0].got > 0);
    conn_reset(p->a.c, st->id, 77);
    side_until(&p->a, &p->b, st->closed && p->b.streams[0].closed);
    assert_true(p->b.streams[0].reset);
    assert_int_equal(p->b.streams[0].reset_code, 77);
    assert_false(p->b.streams[0].got_fin);
    assert_int_equal(p->a.closes + p->b.closes, 0);
    free(data);
}

static void test_stop(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(100000);
    struct side_stream *st;
    p->b.hold_credit = true;
    st = side_send(&p->a, data, 100000);
    side_until(&p->a, &p->b, p->b.count == 1 && p->b.streams[0].got > 0);
    conn_stop(p->b.c, st->id, 78);
    side_until(&p->a, &p->b, st->stopped);
    assert_int_equal(st->stop_code, 78);
    side_until(&p->a, &p->b, st->closed && p->b.streams[0].closed);
    assert_true(st->at < 100000);
    /* Calls for a stream that is gone are ignored. */
    conn_stop(p->b.c, st->id, 1);
    conn_reset(p->a.c, st->id, 1);
    conn_extend_stream(p->b.c, st->id, 1);
    st = side_send(&p->a, data, 100);
    side_until(&p->a, &p->b, st->closed);
    free(data);
}

static void test_empty_stream(void **state)
{
    struct side_pair *p = *state;
    uint8_t byte = 0;
    struct side_stream *st = side_send(&p->a, &byte, 0);
    side_until(&p->a, &p->b, st->closed);
    assert_true(side_find(&p->b, st->id)->got_fin);
    assert_int_equal(side_find(&p->b, st->id)->got, 0);
}

/* A node may dial itself: one endpoint has both ends of the connection. */
static void test_dial_self(void **state)
{
    struct side s;
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    side_start(&s, &o, 0);
    side_dial(&s, &s);
    side_until(&s, NULL, s.readies == 2);
    assert_int_equal(endpoint_counters(s.e)->connections, 2);
    side_stop(&s);
}

static int update_keys(struct conn *c)
{
    return ngtcp2_conn_initiate_key_update(c->quic, conn_clock(c, endpoint_now_ns()));
}

/* The TLS state is freed after the handshake. Key updates must still work. */
static void test_key_update(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(50000);
    struct side_stream *st;
    for (int i = 0; i < 3; i++) {
        st = side_send(&p->a, data, 50000);
        side_until(&p->a, &p->b, st->closed);
        assert_null(p->a.c->tls);
        /* A new update must wait until the last one is settled: three probe timeouts. */
        side_until(&p->a, &p->b, update_keys(p->a.c) == 0);
    }
    st = side_send(&p->b, data, 50000);
    side_until(&p->a, &p->b, st->closed);
    assert_false(side_find(&p->a, st->id)->garbled);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define PAIR(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)
        PAIR(test_handshake),
        PAIR(test_one_stream),
        PAIR(test_large_through_credit),
        PAIR(test_small_writes),
        PAIR(test_no_credit_no_progress),
        PAIR(test_many_streams),
        PAIR(test_control_stream),
        PAIR(test_reset),
        PAIR(test_stop),
        PAIR(test_empty_stream),
        cmocka_unit_test(test_stalled_streams_do_not_stall_the_connection),
        cmocka_unit_test(test_dial_self),
        PAIR(test_key_update),
    };
    return cmocka_run_group_tests(tests, pair_identity, pair_no_identity);
}
