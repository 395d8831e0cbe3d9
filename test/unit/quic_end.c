/* quic_end: every way in which a connection ends, what each side is told, and packets from
 * strangers. Mostly waits. */
#include <arpa/inet.h>
#include "doubles/quic_pair.h"

#include <linux/filter.h>

#include "quic/conn.h"

/* Sends bytes to a side's port from a socket of its own. Returns the answer's length, 0 for
 * none. */
static size_t stranger(struct side *s, const uint8_t *packet, size_t len, uint8_t *answer,
                       size_t cap)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t to_len;
    const struct sockaddr *to = endpoint_address(s->e, &to_len);
    ssize_t n = -1;
    assert_int_equal(sendto(fd, packet, len, 0, to, to_len), (ssize_t)len);
    for (int i = 0; i < 5 && n < 0; i++) {
        side_tick(s, NULL, 1);
        n = recv(fd, answer, cap, MSG_DONTWAIT);
    }
    close(fd);
    return n < 0 ? 0 : (size_t)n;
}

static void test_close_code_and_reason(void **state)
{
    struct side_pair *p = *state;
    conn_close(p->a.c, 42, "going \n home");
    assert_int_equal(p->a.closes, 0); /* not from within conn_close */
    side_until(&p->a, &p->b, p->a.closes == 1 && p->b.closes == 1);
    assert_int_equal(p->a.end.kind, CONN_END_LOCAL);
    assert_int_equal(p->a.end.code, 42);
    assert_int_equal(p->b.end.kind, CONN_END_PEER);
    assert_int_equal(p->b.end.code, 42);
    assert_string_equal(p->b.end.text, "going ? home");
    assert_int_equal(endpoint_counters(p->a.e)->connections, 0);
    assert_int_equal(endpoint_counters(p->b.e)->connections, 0);
    /* closed is called exactly once, and what is left of the connections in the closing state goes
     * too. */
    side_until(&p->a, &p->b, p->a.e->closing_count + p->b.e->closing_count == 0);
    assert_int_equal(p->a.closes + p->b.closes, 2);
}

static void test_close_within_a_callback(void **state)
{
    struct side_pair *p = *state;
    uint8_t *data = side_pattern(50000);
    p->b.close_on_data = 9;
    side_send(&p->a, data, 50000);
    side_until(&p->a, &p->b, p->a.closes == 1 && p->b.closes == 1);
    assert_int_equal(p->b.end.kind, CONN_END_LOCAL);
    assert_int_equal(p->a.end.kind, CONN_END_PEER);
    assert_int_equal(p->a.end.code, 9);
    assert_string_equal(p->a.end.text, "enough");
    /* No data is delivered after the close. */
    assert_true(p->b.streams[0].got < 10000); /* one packet's worth */
    free(data);
}

static void test_a_closed_connection_takes_no_more_orders(void **state)
{
    struct side_pair *p = *state;
    int64_t id;
    conn_close(p->a.c, 1, NULL);
    conn_close(p->a.c, 2, "again");
    assert_int_equal(conn_open_uni(p->a.c, &id, NULL), RUSM_ECLOSED);
    assert_int_equal(conn_open_bidi(p->a.c, &id, NULL), RUSM_ECLOSED);
    assert_int_equal(conn_streams_left(p->a.c), 0);
    assert_int_equal(conn_rtt_ns(p->a.c), 0);
    conn_wake(p->a.c);
    conn_reset(p->a.c, 2, 0);
    conn_stop(p->a.c, 3, 0);
    conn_extend_stream(p->a.c, 3, 10);
    conn_extend_streams(p->a.c, 10);
    conn_set_user(p->a.c, 2, NULL);
    side_until(&p->a, &p->b, p->b.closes == 1);
    assert_int_equal(p->b.end.code, 1);
}

static void test_free_says_goodbye(void **state)
{
    struct side_pair *p = *state;
    endpoint_free(p->a.e);
    p->a.e = NULL;
    side_until(&p->b, NULL, p->b.closes == 1);
    assert_int_equal(p->b.end.kind, CONN_END_PEER);
    assert_int_equal(p->b.end.code, 0);
}

/* Runs both sides as side_for does. Returns whether all ticks came in time. On a busy machine, two
 * ticks may be as far apart as a peer may be silent. */
static bool side_for_evenly(struct side *a, struct side *b, uint64_t ms, uint64_t gap_ms)
{
    uint64_t last_ns = endpoint_now_ns(), until_ns = last_ns + ms * SIDE_MS;
    bool evenly = true;
    while (last_ns < until_ns) {
        side_tick(a, b, 1);
        uint64_t now_ns = endpoint_now_ns();
        evenly &= now_ns - last_ns < gap_ms * SIDE_MS;
        last_ns = now_ns;
    }
    return evenly;
}

static void test_idle(void **state)
{
    struct side a, b;
    struct endpoint_options o = side_options(identity, true);
    bool kept = false;
    (void)state;
    o.idle_timeout_ns = 300 * SIDE_MS;
    o.keep_alive_ns = 100 * SIDE_MS;
    for (int tries = 0; !kept; tries++) {
        assert_true(tries < 50);
        side_start(&a, &o, 0);
        side_start(&b, &o, 0);
        side_connect(&a, &b);
        kept = side_for_evenly(&a, &b, 700, 50); /* keep-alive packets keep it alive */
        if (!kept) {
            side_stop(&a);
            side_stop(&b);
        }
    }
    assert_int_equal(a.closes + b.closes, 0);
    side_until(&a, NULL, a.closes == 1); /* b is silent now */
    assert_int_equal(a.end.kind, CONN_END_IDLE);
    side_stop(&a);
    side_stop(&b);
}

/* One direction is cut. The side that can still receive is told, and need not wait for its own
 * timeout. */
static void test_idle_is_told(void **state)
{
    struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog deaf = { .len = 1, .filter = &none };
    struct side a, b;
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    o.idle_timeout_ns = 1500 * SIDE_MS;
    o.keep_alive_ns = 300 * SIDE_MS;
    o.idle_code = 42;
    side_start(&a, &o, 0);
    side_start(&b, &o, 0);
    side_connect(&a, &b);
    assert_int_equal(setsockopt(a.e->udp.fd, SOL_SOCKET, SO_ATTACH_FILTER, &deaf, sizeof(deaf)), 0);
    uint64_t sent = 0;
    side_until(&a, &b, ({
        sent = a.closes ? sent : endpoint_counters(a.e)->datagrams_out;
        b.closes == 1;
    }));
    assert_int_equal(a.end.kind, CONN_END_IDLE);
    assert_int_equal(b.end.kind, CONN_END_PEER);
    assert_int_equal(b.end.code, 42);
    side_for(&a, &b, 200);
    assert_int_equal(endpoint_counters(a.e)->datagrams_out, sent + 1); /* only one packet */
    side_stop(&a);
    side_stop(&b);
}

static void test_nobody_there(void **state)
{
    struct side a, b;
    struct endpoint_options o = side_options(identity, true);
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct conn *c;
    (void)state;
    o.handshake_timeout_ns = 60000 * SIDE_MS; /* too long to end it here */
    side_start(&a, &o, 0);
    side_start(&b, &o, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(side_port(&b));
    side_stop(&b);
    assert_int_equal(endpoint_dial(a.e, (struct sockaddr *)&to, sizeof(to), &a, &c), 0);
    side_until(&a, NULL, a.closes == 1);
    assert_int_equal(a.end.kind, CONN_END_UNREACHABLE); /* reported by ICMP */
    assert_int_equal(a.readies, 0);
    side_stop(&a);
}

static void test_not_from_here(void **state)
{
    struct side a;
    struct endpoint_options o = side_options(identity, true);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
    struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
    struct conn *c;
    (void)state;
    side_start(&a, &o, 0);
    /* The socket is bound to loopback, so it cannot send to the outside (TEST-NET-1). */
    to.sin_addr.s_addr = htonl(0xc0000201);
    assert_int_equal(endpoint_dial(a.e, (struct sockaddr *)&to, sizeof(to), &a, &c), 0);
    side_until(&a, NULL, a.closes == 1);
    assert_int_equal(a.end.kind, CONN_END_UNREACHABLE);
    assert_true(strlen(a.end.text) > 0);
    /* Nor has it a way to IPv6 (a documentation address). */
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &to6.sin6_addr), 1);
    assert_int_equal(endpoint_dial(a.e, (struct sockaddr *)&to6, sizeof(to6), &a, &c), RUSM_EIO);
    side_stop(&a);
}

static void test_no_answer(void **state)
{
    struct side a, deaf;
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    o.handshake_timeout_ns = 300 * SIDE_MS;
    side_start(&a, &o, 0);
    side_start(&deaf, &o, 0);
    side_dial(&a, &deaf);
    side_until(&a, NULL, a.closes == 1);
    assert_int_equal(a.end.kind, CONN_END_TIMEOUT);
    side_stop(&a);
    side_stop(&deaf);
}

/* A half-open handshake is dropped in time. No upcall is made for it. */
static void test_half_open_is_dropped(void **state)
{
    struct side a, b;
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    o.handshake_timeout_ns = 1000 * SIDE_MS;
    side_start(&a, &o, 0);
    side_start(&b, &o, 0);
    side_dial(&a, &b);
    side_tick(&a, NULL, 0); /* only the first flight */
    side_until(&b, NULL, endpoint_counters(b.e)->half_open == 1);
    assert_int_equal(endpoint_counters(b.e)->connections, 1);
    side_until(&b, NULL, endpoint_counters(b.e)->half_open == 0);
    assert_int_equal(endpoint_counters(b.e)->connections, 0);
    assert_int_equal(b.readies + b.closes + b.refusals, 0);
    side_stop(&a);
    side_stop(&b);
}

/* However many connections stay half-open, half of the room is kept for others. */
static void test_half_open_take_half_at_most(void **state)
{
    struct side a, b;
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    side_start(&a, &o, 0);
    o.max_connections = 6;
    side_start(&b, &o, 0);
    for (int i = 0; i < 5; i++) {
        side_dial(&a, &b);
    }
    side_tick(&a, NULL, 0);
    side_until(&b, NULL, endpoint_counters(b.e)->dropped == 2);
    assert_int_equal(endpoint_counters(b.e)->half_open, 3);
    side_until(&a, &b, b.readies == 5); /* the others get in when they send again */
    side_stop(&a);
    side_stop(&b);
}

/* The peer was killed and is back at the same address: one packet ends the connection. */
static void test_stateless_reset(void **state)
{
    struct side_pair *p = *state;
    uint16_t port = side_port(&p->b);
    struct endpoint_options o = p->b.options;
    uint8_t *data = side_pattern(100);
    /* It ends without closing the connection, because its descriptor is gone. */
    close(endpoint_fd(p->b.e));
    p->b.e->udp.fd = -1;
    side_stop(&p->b);
    side_start(&p->b, &o, port);
    side_send(&p->a, data, 100);
    side_until(&p->a, &p->b, p->a.closes == 1);
    assert_int_equal(p->a.end.kind, CONN_END_RESET);
    assert_int_equal(p->b.readies + p->b.closes, 0);
    free(data);
}

/* Another node has another reset key: only our peer can reset our connections. */
static void test_stateless_reset_is_per_node(void **state)
{
    struct side_pair *p = *state;
    uint16_t port = side_port(&p->b);
    struct endpoint_options o = p->b.options;
    uint8_t *data = side_pattern(100);
    close(endpoint_fd(p->b.e));
    p->b.e->udp.fd = -1;
    side_stop(&p->b);
    o.reset_context = "someone else";
    side_start(&p->b, &o, port);
    side_send(&p->a, data, 100);
    side_for(&p->a, &p->b, 300);
    assert_int_equal(p->a.closes, 0);
    free(data);
}

static void test_retry(void **state)
{
    struct side a, b;
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    o.max_half_open = 0; /* at the limit from the first connection on */
    side_start(&a, &o, 0);
    side_start(&b, &o, 0);
    side_connect(&a, &b);
    assert_int_equal(endpoint_counters(b.e)->dropped, 1); /* the first Initial, answered by Retry */
    side_stop(&a);
    side_stop(&b);
}

static void test_full(void **state)
{
    struct side a, b;
    struct endpoint_options o = side_options(identity, true);
    struct conn *c;
    struct sockaddr_in to = { .sin_family = AF_INET };
    (void)state;
    side_start(&a, &o, 0);
    o.max_connections = 1;
    side_start(&b, &o, 0);
    side_connect(&a, &b);
    side_dial(&a, &b);
    side_until(&a, &b, a.closes == 1);
    assert_int_equal(a.end.kind, CONN_END_ERROR);
    assert_string_equal(a.end.text, "it takes no more connections");
    assert_int_equal(b.readies, 1);
    to.sin_port = htons(side_port(&a));
    assert_int_equal(endpoint_dial(b.e, (struct sockaddr *)&to, sizeof(to), &b, &c), RUSM_ELIMIT);
    side_stop(&a);
    side_stop(&b);
}

static void test_a_client_takes_nobody_in(void **state)
{
    struct side a, b;
    struct endpoint_options o = side_options(identity, false);
    uint8_t answer[2048],
        packet[1200] = { 0xc0, 0x0a, 0x0a, 0x0a, 0x0a, 8, 1, 2, 3, 4, 5, 6, 7, 8 };
    (void)state;
    o.handshake_timeout_ns = 200 * SIDE_MS;
    side_start(&a, &o, 0);
    side_start(&b, &o, 0);
    side_dial(&a, &b);
    side_until(&a, &b, a.closes == 1);
    assert_int_equal(a.end.kind, CONN_END_TIMEOUT);
    assert_int_equal(b.readies, 0);
    assert_int_equal(endpoint_counters(b.e)->datagrams_out, 0);
    assert_true(endpoint_counters(b.e)->dropped > 0);
    assert_int_equal(stranger(&b, packet, sizeof(packet), answer, sizeof(answer)), 0);
    side_stop(&a);
    side_stop(&b);
}

static void test_strangers(void **state)
{
    struct side_pair *p = *state;
    uint8_t answer[2048], packet[1500];
    /* An unknown version gets a version negotiation packet. If the packet is too short, it gets
     * nothing. */
    uint8_t other[1200] = { 0xc0, 0x0a, 0x0a, 0x0a, 0x0a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0 };
    size_t n = stranger(&p->b, other, sizeof(other), answer, sizeof(answer));
    assert_true(n > 4 && (answer[0] & 0x80) && memcmp(answer + 1, "\0\0\0\0", 4) == 0);
    assert_int_equal(stranger(&p->b, other, 1000, answer, sizeof(answer)), 0);
    /* A short packet of an unknown connection gets a reset, shorter than itself. */
    memset(packet, 0x41, sizeof(packet));
    n = stranger(&p->b, packet, 1500, answer, sizeof(answer));
    assert_true(n >= 21 && n < 60 && !(answer[0] & 0x80));
    n = stranger(&p->b, packet, 30, answer, sizeof(answer));
    assert_true(n > 0 && n < 30);
    assert_int_equal(stranger(&p->b, packet, 21, answer, sizeof(answer)), 0);
    /* Random bytes of all sizes get no answer larger than themselves, and do no harm. */
    srandom(1);
    for (size_t len = 0; len < 200; len++) {
        for (size_t i = 0; i < len; i++) {
            packet[i] = (uint8_t)random();
        }
        if (len > 0) {
            packet[0] |= 0x80;
        }
        assert_true(stranger(&p->b, packet, len, answer, sizeof(answer)) <= len);
    }
    assert_true(endpoint_counters(p->b.e)->malformed > 0);
    assert_int_equal(p->b.closes + p->a.closes, 0);
    assert_int_equal(p->b.readies, 1);
}

/* The rate of resets is limited, so that nobody can use us as a reflector. */
static void test_resets_are_limited(void **state)
{
    struct side_pair *p = *state;
    uint64_t before = endpoint_counters(p->b.e)->datagrams_out;
    socklen_t len;
    const struct sockaddr *to = endpoint_address(p->b.e, &len);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    uint8_t packet[100];
    uint64_t start_ns = endpoint_now_ns();
    memset(packet, 0x41, sizeof(packet));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sendto(fd, packet, sizeof(packet), 0, to, len), 100);
        side_tick(&p->b, NULL, 0);
    }
    close(fd);
    /* At most 100 resets a second, with the first and the last second counted whole, and one
     * keep-alive packet of the connection for each second. */
    uint64_t seconds = (endpoint_now_ns() - start_ns) / (1000 * SIDE_MS);
    assert_true(endpoint_counters(p->b.e)->datagrams_out - before <=
                100 * (seconds + 2) + seconds + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define PAIR(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)
        PAIR(test_close_code_and_reason),
        PAIR(test_close_within_a_callback),
        PAIR(test_a_closed_connection_takes_no_more_orders),
        PAIR(test_free_says_goodbye),
        PAIR(test_stateless_reset),
        PAIR(test_stateless_reset_is_per_node),
        PAIR(test_strangers),
        PAIR(test_resets_are_limited),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_idle_is_told),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_not_from_here),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_half_open_is_dropped),
        cmocka_unit_test(test_half_open_take_half_at_most),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_a_client_takes_nobody_in),
    };
    return cmocka_run_group_tests(tests, pair_identity, pair_no_identity);
}
