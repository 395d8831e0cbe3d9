/* quic_group: endpoints that share one address: which of them gets a datagram (steer), as the
 * kernel deals them, and as the endpoints forward what came to the wrong one. Real sockets. One
 * thread drives them all. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include "doubles/quic_pair.h"
#include "quic/conn.h"
#include "quic/steer.h"

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

#define GROUP 3
#define DIALLERS 8

struct group {
    struct side at[GROUP];
    struct side dialler[DIALLERS];
    size_t diallers;
    size_t passed; /* datagrams forwarded */
};

/* There is one group at a time. */
static struct group group;

static void group_forward(void *context, unsigned to, const struct endpoint_forward *forward)
{
    (void)context;
    assert_true(to < GROUP && forward->left < GROUP);
    group.passed++;
    endpoint_take(group.at[to].e, forward);
}

static void group_start(struct endpoint_options *o, uint16_t port)
{
    memset(&group, 0, sizeof(group));
    o->group = GROUP;
    for (unsigned i = 0; i < GROUP; i++) {
        o->index = i;
        side_start(&group.at[i], o, i > 0 ? side_port(&group.at[0]) : port);
        group.at[i].e->events.forward = group_forward;
        assert_int_equal(side_port(&group.at[i]), side_port(&group.at[0]));
    }
}

/* Removes the filter: from now on the kernel deals datagrams by the senders' addresses. */
static void group_undealt(void)
{
    int none = 0;
    assert_int_equal(setsockopt(endpoint_fd(group.at[0].e), SOL_SOCKET, SO_DETACH_REUSEPORT_BPF,
                                &none, sizeof(none)),
                     0);
}

static void group_stop(void)
{
    for (size_t i = 0; i < group.diallers; i++) {
        side_stop(&group.dialler[i]);
    }
    for (unsigned i = 0; i < GROUP; i++) {
        side_stop(&group.at[i]);
    }
}

static void group_tick(void)
{
    struct pollfd fds[GROUP + DIALLERS];
    size_t count = 0;
    bool more = false;
    for (size_t i = 0; i < GROUP + group.diallers; i++) {
        struct side *s = i < GROUP ? &group.at[i] : &group.dialler[i - GROUP];
        bool full = false;
        more = endpoint_receive(s->e) || more;
        endpoint_tick(s->e, endpoint_now_ns());
        more = endpoint_flush(s->e, &full) || more;
        fds[count++] = (struct pollfd){ .fd = endpoint_fd(s->e),
                                        .events = (short)(POLLIN | (full ? POLLOUT : 0)) };
    }
    poll(fds, count, more ? 0 : 1);
}

#define group_until(condition)                                      \
    do {                                                            \
        uint64_t give_up_ns_ = endpoint_now_ns() + 60000 * SIDE_MS; \
        while (!(condition)) {                                      \
            if (endpoint_now_ns() > give_up_ns_)                    \
                fail_msg("never: %s", #condition);                  \
            group_tick();                                           \
        }                                                           \
    } while (0)

/* Starts a side that dials with that share. -1: it dials without a share, as a client or a stranger
 * does. */
static struct side *group_dial(int share)
{
    struct endpoint_options o = side_options(identity, false);
    struct side *d = &group.dialler[group.diallers++];
    o.has_share = share >= 0;
    o.share = (uint8_t)(share >= 0 ? share : 0);
    side_start(d, &o, 0);
    side_dial(d, &group.at[0]);
    return d;
}

/* ---- the id ---- */

static void test_owner(void **state)
{
    uint8_t id[STEER_DIALLED] = { 9, 2, 3, 4, 5, 6, 7, 8 };
    (void)state;
    assert_int_equal(steer_owner(id, CID_LEN, 4), 1);
    assert_int_equal(steer_owner(id, STEER_DIALLED, 4), 0); /* not marked: the first one's */
    steer_dialled(id, 0xdf);
    assert_int_equal(id[0], 0xdf);
    assert_int_equal(id[8], 0x20);
    assert_int_equal(id[15], 0xf7);
    assert_int_equal(steer_owner(id, STEER_DIALLED, 4), 3);
    assert_int_equal(steer_owner(id, STEER_DIALLED, 3), 1);
    for (size_t i = 0; i < STEER_DIALLED; i++) {
        id[i] ^= 0x10;
        assert_int_equal(steer_owner(id, STEER_DIALLED, 4), 0);
        id[i] ^= 0x10;
    }
    assert_int_equal(steer_owner(id, 15, 4), 0);
    assert_int_equal(steer_owner(id, 0, 4), 0);
}

/* ---- the kernel ---- */

static void udp_at(struct udp *u, uint16_t port, bool join)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct rusm_why why;
    if (udp_open(u, (struct sockaddr *)&at, sizeof(at), join, &why) != 0) {
        fail_msg("%s", why.text);
    }
}

/* Returns which of the sockets gets that datagram. */
static unsigned dealt_to(struct udp *u, struct udp *from, const uint8_t *data, size_t len)
{
    struct pollfd fds[GROUP];
    for (unsigned i = 0; i < GROUP; i++) {
        fds[i] = (struct pollfd){ .fd = u[i].fd, .events = POLLIN };
    }
    assert_int_equal(sendto(from->fd, data, len, 0, &u[0].local.any, sizeof(u[0].local.v4)), len);
    assert_int_equal(poll(fds, GROUP, 60000), 1);
    for (unsigned i = 0; i < GROUP; i++) {
        if (fds[i].revents) {
            assert_int_equal(udp_fill(&u[i], SIZE_MAX), 1);
            return i;
        }
    }
    return GROUP;
}

static void test_kernel_deals_as_we_do(void **state)
{
    struct udp u[GROUP], from;
    uint8_t packet[64] = { 0 };
    struct rusm_why why;
    (void)state;
    udp_at(&u[0], 0, false);
    assert_int_equal(udp_share(&u[0], &why), 0);
    for (unsigned i = 1; i < GROUP; i++) {
        udp_at(&u[i], ntohs(u[0].local.v4.sin_port), true);
    }
    steer_attach(u[0].fd, GROUP);
    udp_at(&from, 0, false);
    for (unsigned i = 0; i < 256; i++) {
        uint8_t *id = packet + 6;
        packet[0] = 0x40; /* short header: the id starts at byte 1 */
        packet[1] = (uint8_t)i;
        assert_int_equal(dealt_to(u, &from, packet, 40), i % GROUP);
        packet[0] = 0xc0; /* long header */
        packet[5] = CID_LEN;
        id[0] = (uint8_t)i;
        assert_int_equal(dealt_to(u, &from, packet, sizeof(packet)), i % GROUP);
        packet[5] = STEER_DIALLED;
        for (unsigned k = 1; k < STEER_DIALLED; k++) {
            id[k] = (uint8_t)(i * 7 + k * 31);
        }
        assert_int_equal(dealt_to(u, &from, packet, sizeof(packet)), 0);
        steer_dialled(id, (uint8_t)i);
        assert_int_equal(dealt_to(u, &from, packet, sizeof(packet)), i % GROUP);
        id[8 + i % 8] ^= 1;
        assert_int_equal(dealt_to(u, &from, packet, sizeof(packet)), 0);
    }
    packet[5] = 18;
    assert_int_equal(dealt_to(u, &from, packet, sizeof(packet)), 0);
    for (size_t len = 0; len < 6; len++) { /* too short to have an id */
        packet[0] = 0xc0;
        assert_int_equal(dealt_to(u, &from, packet, len), 0);
    }
    udp_close(&from);
    for (unsigned i = 0; i < GROUP; i++) {
        udp_close(&u[i]);
    }
}

/* The group has its address alone: an endpoint outside the group cannot bind it. */
static void test_address_is_taken(void **state)
{
    struct endpoint_options o = side_options(identity, true);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct endpoint *other;
    struct rusm_why why;
    (void)state;
    group_start(&o, 0);
    at.sin_port = htons(side_port(&group.at[0]));
    o.bind = (struct sockaddr *)&at;
    o.bind_len = sizeof(at);
    o.index = 0;
    assert_int_equal(endpoint_new(&other, &o, &side_events, NULL, &why), RUSM_EIO);
    assert_non_null(strstr(why.text, strerror(EADDRINUSE)));
    o.group = 1;
    assert_int_equal(endpoint_new(&other, &o, &side_events, NULL, &why), RUSM_EIO);
    group_stop();
}

/* ---- connections ---- */

static void group_connects(bool retry)
{
    for (unsigned i = 0; i < DIALLERS; i++) {
        int share = i < DIALLERS - 2 ? (int)(i * 41 % 256) : -1;
        unsigned owner = share < 0 ? 0 : (unsigned)share % GROUP;
        size_t before = group.at[owner].readies;
        struct side *d = group_dial(share);
        group_until(d->readies == 1 && group.at[owner].readies == before + 1);
        assert_int_equal(d->closes, 0);
    }
    size_t all = 0, dropped = 0;
    for (unsigned i = 0; i < GROUP; i++) {
        all += group.at[i].readies;
        dropped += (size_t)endpoint_counters(group.at[i].e)->dropped;
    }
    assert_int_equal(all, DIALLERS);
    if (retry) {
        assert_true(dropped >= DIALLERS); /* the first Initial of each, answered with Retry */
    }
}

static void test_dealt(void **state)
{
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    group_start(&o, 0);
    group_connects(false);
    assert_int_equal(group.passed, 0);
    group_stop();
}

static void test_dealt_after_retry(void **state)
{
    struct endpoint_options o = side_options(identity, true);
    (void)state;
    o.max_half_open = 0;
    group_start(&o, 0);
    group_connects(true);
    assert_int_equal(group.passed, 0);
    group_stop();
}

/* All that comes to the wrong socket is forwarded, also what the connected endpoints send each
 * other later. */
static void test_passed_on(void **state)
{
    uint8_t *data = side_pattern(200000);
    (void)state;
    for (size_t half_open = 0; half_open <= 32; half_open += 32) {
        struct endpoint_options o = side_options(identity, true);
        o.max_half_open = half_open;
        group_start(&o, 0);
        group_undealt();
        group_connects(half_open == 0);
        assert_true(group.passed > 0);
        for (size_t i = 0; i < GROUP; i++) { /* the first three belong to three owners */
            struct side_stream *st = side_send(&group.dialler[i], data, 200000);
            group_until(st->acked == 200000);
        }
        group_stop();
    }
    free(data);
}

/* An Initial with an id of eight bytes, as other implementations send, comes from a stranger. It
 * goes to the first endpoint, whatever its bytes seem to say. */
static void test_strangers_initial(void **state)
{
    struct endpoint_options o = side_options(identity, true);
    uint8_t packet[1200] = { 0xc0, 0, 0, 0, 1, CID_LEN };
    struct udp from;
    (void)state;
    group_start(&o, 0);
    udp_at(&from, 0, false);
    for (uint8_t i = 0; i < GROUP; i++) {
        packet[6] = i;
        packet[14] = 0; /* no source id, no token */
        packet[15] = 0;
        packet[16] = 0x44; /* the length of the rest */
        packet[17] = 0x94;
        socklen_t len;
        const struct sockaddr *to = endpoint_address(group.at[0].e, &len);
        assert_int_equal(sendto(from.fd, packet, sizeof(packet), 0, to, len), sizeof(packet));
        group_until(endpoint_counters(group.at[i].e)->datagrams_in == 1);
        assert_int_equal(endpoint_counters(group.at[1].e)->half_open, 0);
        assert_int_equal(endpoint_counters(group.at[2].e)->half_open, 0);
        assert_int_equal(group.passed, i);
    }
    udp_close(&from);
    group_stop();
}

/* The id of a stateless reset means nothing. Its token tells which endpoint it is for. */
static void test_stateless_reset(void **state)
{
    uint8_t data[100] = { 0 };
    (void)state;
    for (unsigned owner = 0; owner < GROUP; owner++) {
        struct endpoint_options o = side_options(identity, true), forgetful = o;
        struct side *d = &group.dialler[0];
        group_start(&o, 0);
        group.diallers = 1;
        side_start(d, &forgetful, 0);
        side_dial(&group.at[owner], d);
        group_until(d->readies == 1 && group.at[owner].readies == 1);
        uint16_t port = side_port(d);
        close(endpoint_fd(d->e)); /* ends without closing the connection */
        d->e->udp.fd = -1;
        side_stop(d);
        side_start(d, &forgetful, port);
        side_send(&group.at[owner], data, sizeof(data));
        group_until(group.at[owner].closes == 1);
        assert_int_equal(group.at[owner].end.kind, CONN_END_RESET);
        group_stop();
    }
}

/* A packet of an unknown connection is answered by one endpoint, once. */
static void test_unknown_is_reset_once(void **state)
{
    struct endpoint_options o = side_options(identity, true);
    uint8_t packet[100] = { 0x40 };
    struct udp from;
    (void)state;
    for (int dealt = 1; dealt >= 0; dealt--) {
        group_start(&o, 0);
        if (!dealt) {
            group_undealt();
        }
        udp_at(&from, 0, false);
        for (uint8_t i = 0; i < 8; i++) {
            socklen_t len;
            const struct sockaddr *to = endpoint_address(group.at[0].e, &len);
            size_t before = group.passed, answers = 0;
            packet[1] = i;
            assert_int_equal(sendto(from.fd, packet, sizeof(packet), 0, to, len), sizeof(packet));
            group_until((answers += udp_fill(&from, SIZE_MAX)) > 0);
            assert_true(group.passed - before <= GROUP);
            group_tick();
            assert_int_equal(answers + udp_fill(&from, SIZE_MAX), 1);
        }
        udp_close(&from);
        group_stop();
    }
}

/* An error report of the network reaches the endpoint that dialled, whichever it is. */
static void test_nobody_there(void **state)
{
    (void)state;
    for (unsigned owner = 0; owner < GROUP; owner++) {
        struct endpoint_options o = side_options(identity, true);
        struct side gone;
        group_start(&o, 0);
        side_start(&gone, &o, 0);
        side_dial(&group.at[owner], &gone);
        side_stop(&gone); /* its port is free before the first packet leaves */
        group_until(group.at[owner].closes == 1);
        assert_int_equal(group.at[owner].end.kind, CONN_END_UNREACHABLE);
        group_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owner),
        cmocka_unit_test(test_kernel_deals_as_we_do),
        cmocka_unit_test(test_address_is_taken),
        cmocka_unit_test(test_dealt),
        cmocka_unit_test(test_dealt_after_retry),
        cmocka_unit_test(test_passed_on),
        cmocka_unit_test(test_strangers_initial),
        cmocka_unit_test(test_stateless_reset),
        cmocka_unit_test(test_unknown_is_reset_once),
        cmocka_unit_test(test_nobody_there),
    };

    identity = side_identity();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    identity_free(identity);
    return failed;
}
