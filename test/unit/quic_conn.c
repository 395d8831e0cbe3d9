/* quic_conn: two endpoints on loopback: handshake, bytes both ways, credit, many streams. */
#include "help/quic_pair.h"

static struct identity *identity;

struct pair {
    struct side a, b; /* a dials b */
};

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));
    struct endpoint_options o = side_options(identity, true);
    side_start(&p->a, &o, 0);
    side_start(&p->b, &o, 0);
    side_connect(&p->a, &p->b);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    side_stop(&p->a);
    side_stop(&p->b);
    free(p);
    return 0;
}

static void test_handshake(void **state)
{
    struct pair *p = *state;
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
    struct pair *p = *state;
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
    struct pair *p = *state;
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

int main(void)
{
    int failed;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_through_credit, setup, teardown),
    };
    identity = side_identity();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    identity_free(identity);
    return failed;
}
