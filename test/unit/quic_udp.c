/* quic_udp: batches of datagrams in and out, with and without what the kernel may lack. Sockets
 * bound to all addresses. Addresses that cannot be reached. */
#include "doubles/quic_pair.h"

#include <errno.h>
#include <netinet/udp.h>
#include "quic/udp.h"

#define PATIENCE 60000 /* milliseconds; on an idle machine datagrams come at once */

static void open_on(struct udp *u, const char *host)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct rusm_why why;
    int error;
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        error = udp_open(u, (struct sockaddr *)&v4, sizeof(v4), false, &why);
    } else {
        assert_int_equal(inet_pton(AF_INET6, host, &v6.sin6_addr), 1);
        error = udp_open(u, (struct sockaddr *)&v6, sizeof(v6), false, &why);
    }
    if (error) {
        fail_msg("%s", why.text);
    }
}

static struct udp_path to(const struct udp *from, const struct udp *there)
{
    return (struct udp_path){ .local = from->local, .remote = there->local };
}

/* Receives until `want` datagrams of `len` bytes have come in order. The last one has `last`
 * bytes. */
static void expect(struct udp *u, size_t want, size_t len, size_t last, const struct udp *from)
{
    size_t got = 0;
    for (int i = 0; i < PATIENCE && got < want; i++) {
        struct udp_packet p;
        udp_fill(u, SIZE_MAX);
        while (udp_next(u, &p)) {
            assert_int_equal(p.len, got + 1 == want ? last : len);
            assert_int_equal(p.data[0], (uint8_t)got);
            assert_int_equal(p.data[p.len - 1], p.len > 1 ? 0xee : (uint8_t)got);
            assert_true(udp_address_eq(&p.path.remote, &from->local));
            assert_true(udp_address_eq(&p.path.local, &u->local));
            got++;
        }
        if (got < want) {
            usleep(1000);
        }
    }
    assert_int_equal(got, want);
}

/* Sends `count` datagrams of 1,000 bytes. The last one has `last` bytes. */
static void send_train(struct udp *u, const struct udp *there, size_t count, size_t last)
{
    uint8_t data[UDP_TRAIN_MAX];
    struct udp_path path = to(u, there);
    size_t len = (count - 1) * 1000 + last, sent;
    assert_true(len <= sizeof(data));
    memset(data, 0xee, sizeof(data));
    for (size_t i = 0; i < count; i++) {
        data[i * 1000] = (uint8_t)i;
    }
    assert_int_equal(udp_send(u, &path, data, len, 1000, &sent), 0);
    assert_int_equal(sent, len);
}

static void both_ways(struct udp *a, struct udp *b)
{
    send_train(a, b, 1, 1);
    expect(b, 1, 1000, 1, a);
    send_train(a, b, 40, 17);
    expect(b, 40, 1000, 17, a);
    send_train(b, a, 64, 1000);
    expect(a, 64, 1000, 1000, b);
}

static void test_as_the_kernel_is(void **state)
{
    struct udp a, b;
    (void)state;
    open_on(&a, "127.0.0.1");
    open_on(&b, "127.0.0.1");
    both_ways(&a, &b);
    udp_close(&a);
    udp_close(&b);
}

static void test_without_segmentation(void **state)
{
    struct udp a, b;
    (void)state;
    open_on(&a, "127.0.0.1");
    open_on(&b, "127.0.0.1");
    a.gso = b.gso = false;
    both_ways(&a, &b);
    udp_close(&a);
    udp_close(&b);
}

static void test_without_batches(void **state)
{
    struct udp a, b;
    int off = 0;
    (void)state;
    open_on(&a, "127.0.0.1");
    open_on(&b, "127.0.0.1");
    a.batch = b.batch = false;
    both_ways(&a, &b);
    (void)!setsockopt(a.fd, IPPROTO_UDP, UDP_GRO, &off, sizeof(off));
    (void)!setsockopt(b.fd, IPPROTO_UDP, UDP_GRO, &off, sizeof(off));
    both_ways(&a, &b);
    udp_close(&a);
    udp_close(&b);
}

/* The kernel refuses this train (EINVAL: more segments than it allows). Its datagrams are sent one
 * by one. */
static void test_segmentation_refused(void **state)
{
    struct udp a, b;
    uint8_t data[500];
    struct udp_path path;
    struct udp_packet p;
    size_t sent, got = 0;
    (void)state;
    open_on(&a, "127.0.0.1");
    open_on(&b, "127.0.0.1");
    path = to(&a, &b);
    memset(data, 1, sizeof(data));
    assert_int_equal(udp_send(&a, &path, data, sizeof(data), 1, &sent), 0);
    assert_int_equal(sent, sizeof(data));
    for (int i = 0; i < 1000 && got < sizeof(data); i++) {
        udp_fill(&b, SIZE_MAX);
        while (udp_next(&b, &p)) {
            assert_int_equal(p.len, 1);
            got++;
        }
    }
    assert_int_equal(got, sizeof(data));
    udp_close(&a);
    udp_close(&b);
}

static void test_ipv6(void **state)
{
    struct udp a, b;
    struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct rusm_why why;
    (void)state;
    if (udp_open(&a, (struct sockaddr *)&at, sizeof(at), false, &why) != 0) {
        skip(); /* this machine has no IPv6 */
    }
    open_on(&b, "::1");
    both_ways(&a, &b);
    udp_close(&a);
    udp_close(&b);
}

static void test_addresses(void **state)
{
    struct udp v4, v6, all;
    union udp_address out;
    struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(7) };
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(7) };
    struct sockaddr other = { .sa_family = AF_UNIX };
    (void)state;
    a4.sin_addr.s_addr = htonl(0x7f000001);
    open_on(&v4, "127.0.0.1");
    assert_int_equal(udp_address_for(&v4, &out, (struct sockaddr *)&a4, sizeof(a4)), 0);
    assert_int_equal(out.v4.sin_addr.s_addr, a4.sin_addr.s_addr);
    assert_int_equal(udp_address_for(&v4, &out, (struct sockaddr *)&a4, 3), RUSM_EINVAL);
    a4.sin_addr.s_addr = htonl(INADDR_ANY); /* listens on all addresses: loopback */
    assert_int_equal(udp_address_for(&v4, &out, (struct sockaddr *)&a4, sizeof(a4)), 0);
    assert_int_equal(out.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(out.v4.sin_port, htons(7));
    /* Who listens on [::] hears IPv4 too. */
    assert_int_equal(udp_address_for(&v4, &out, (struct sockaddr *)&a6, sizeof(a6)), 0);
    assert_int_equal(out.v4.sin_family, AF_INET);
    assert_int_equal(out.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(out.v4.sin_port, htons(7));
    a6.sin6_addr = in6addr_loopback;
    assert_int_equal(udp_address_for(&v4, &out, (struct sockaddr *)&a6, sizeof(a6)), RUSM_EINVAL);
    a6.sin6_addr = (struct in6_addr){ .s6_addr = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
    assert_int_equal(udp_address_for(&v4, &out, (struct sockaddr *)&a6, sizeof(a6)), 0);
    assert_int_equal(out.v4.sin_addr.s_addr, htonl(0xc0000201));
    a6.sin6_addr = in6addr_any;
    assert_int_equal(udp_address_for(&v4, &out, &other, sizeof(other)), RUSM_EINVAL);
    v6 = v4;
    v6.local.any.sa_family = AF_INET6;
    v6.wildcard = false;
    assert_int_equal(udp_address_for(&v6, &out, (struct sockaddr *)&a4, sizeof(a4)), RUSM_EINVAL);
    all = v6;
    all.wildcard = true;
    assert_int_equal(udp_address_for(&all, &out, (struct sockaddr *)&a4, sizeof(a4)), 0);
    assert_true(IN6_IS_ADDR_V4MAPPED(&out.v6.sin6_addr));
    assert_int_equal(out.v6.sin6_port, htons(7));
    assert_int_equal(out.v6.sin6_addr.s6_addr[12], 127);
    assert_int_equal(udp_address_for(&all, &out, (struct sockaddr *)&a6, sizeof(a6)), 0);
    assert_true(IN6_IS_ADDR_LOOPBACK(&out.v6.sin6_addr));
    udp_close(&v4);
}

static void test_cannot_bind(void **state)
{
    struct udp a, b;
    struct rusm_why why;
    struct sockaddr other = { .sa_family = AF_UNIX };
    (void)state;
    open_on(&a, "127.0.0.1");
    assert_int_equal(udp_open(&b, &a.local.any, sizeof(a.local.v4), false, &why), RUSM_EIO);
    assert_non_null(strstr(why.text, "in use"));
    assert_int_equal(udp_open(&b, &other, sizeof(other), false, &why), RUSM_EIO);
    udp_close(&a);
}

static void test_error_queue(void **state)
{
    struct udp a, b;
    struct udp_path path;
    union udp_address whom;
    uint8_t byte = 1;
    size_t sent;
    int error = 0;
    (void)state;
    open_on(&a, "127.0.0.1");
    open_on(&b, "127.0.0.1");
    path = to(&a, &b);
    udp_close(&b);
    assert_int_equal(udp_send(&a, &path, &byte, 1, 1, &sent), 0);
    for (int i = 0; i < PATIENCE && !a.errors; i++) {
        assert_int_equal(udp_fill(&a, SIZE_MAX), 0);
        usleep(1000);
    }
    assert_true(a.errors);
    assert_true(udp_error(&a, &whom, &error));
    assert_int_equal(error, ECONNREFUSED);
    assert_true(udp_address_eq(&whom, &path.remote));
    assert_false(udp_error(&a, &whom, &error));
    assert_false(a.errors);
    /* An error report that waits does not stop the next datagram, wherever it goes. */
    open_on(&b, "127.0.0.1");
    assert_int_equal(udp_send(&a, &path, &byte, 1, 1, &sent), 0);
    usleep(10000);
    send_train(&a, &b, 1, 1);
    expect(&b, 1, 1000, 1, &a);
    udp_close(&a);
    udp_close(&b);
}

/* Sets the address to bind to in the options. */
static void bind_to(struct endpoint_options *o, union udp_address *at, const char *host)
{
    struct udp u;
    open_on(&u, host);
    *at = u.local;
    udp_close(&u);
    if (at->any.sa_family == AF_INET) {
        at->v4.sin_port = 0;
    } else {
        at->v6.sin6_port = 0;
    }
    o->bind = &at->any;
    o->bind_len = sizeof(*at);
}

/* Endpoints bound to all addresses answer from the address that was dialled. */
static void connect_through(const char *bound, const char *asked, const char *dialler)
{
    struct identity *id = side_identity();
    struct endpoint_options o = side_options(id, true);
    struct sockaddr_in there = { .sin_family = AF_INET };
    uint8_t *data = side_pattern(100000);
    struct side_stream *st;
    union udp_address at;
    struct side a, b;
    bind_to(&o, &at, bound);
    side_start(&b, &o, 0);
    bind_to(&o, &at, dialler);
    side_start(&a, &o, 0);
    there.sin_port = htons(side_port(&b));
    assert_int_equal(inet_pton(AF_INET, asked, &there.sin_addr), 1);
    assert_int_equal(endpoint_dial(a.e, (struct sockaddr *)&there, sizeof(there), &a, &a.c), 0);
    side_until(&a, &b, a.readies == 1 && b.readies == 1);
    st = side_send(&a, data, 100000);
    side_until(&a, &b, st->closed);
    assert_false(side_find(&b, st->id)->garbled);
    side_stop(&a);
    side_stop(&b);
    identity_free(id);
    free(data);
}

static void test_wildcard(void **state)
{
    (void)state;
    connect_through("0.0.0.0", "127.0.0.1", "127.0.0.1");
    connect_through("0.0.0.0", "127.0.0.2", "0.0.0.0"); /* not the one the system would choose */
}

static void test_dual_stack(void **state)
{
    struct udp u;
    struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
    struct rusm_why why;
    (void)state;
    if (udp_open(&u, (struct sockaddr *)&at, sizeof(at), false, &why) != 0) {
        skip(); /* this machine has no IPv6 */
    }
    udp_close(&u);
    connect_through("::", "127.0.0.2", "::");
}

/* After 16 single datagrams, the socket receives them one by one. After a while it tries a batch
 * again. If two came together, it stays with batches. */
static void test_one_by_one(void **state)
{
    struct udp a, b;
    size_t singles = 0;
    (void)state;
    open_on(&a, "127.0.0.1");
    open_on(&b, "127.0.0.1");
    for (size_t i = 0; i < 16; i++) {
        assert_false(udp_lone(&b));
        send_train(&a, &b, 1, 1);
        expect(&b, 1, 1000, 1, &a);
    }
    while (udp_lone(&b)) {
        assert_true(++singles < 16);
    }
    assert_int_equal(singles, 15);
    send_train(&a, &b, 1, 1);
    expect(&b, 1, 1000, 1, &a);
    assert_true(udp_lone(&b)); /* the batch was a single one */
    send_train(&a, &b, 1, 1);
    send_train(&a, &b, 1, 2);
    assert_int_equal(udp_fill(&b, SIZE_MAX), 2);
    assert_false(udp_lone(&b));
    udp_close(&a);
    udp_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_kernel_is), cmocka_unit_test(test_without_segmentation),
        cmocka_unit_test(test_without_batches),  cmocka_unit_test(test_segmentation_refused),
        cmocka_unit_test(test_one_by_one),       cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_addresses),        cmocka_unit_test(test_cannot_bind),
        cmocka_unit_test(test_error_queue),      cmocka_unit_test(test_wildcard),
        cmocka_unit_test(test_dual_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
