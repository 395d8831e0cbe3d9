/* quic_path: a network between two sides that loses, repeats and reorders datagrams, and a NAT that
 * gives the dialler another port in the middle. With a seed, in one thread. */
#include "doubles/quic_pair.h"

#include "base/rng.h"
#include "quic/conn.h"

#define HELD 64

/* Stands between a (the dialler) and b. a dials `front`, and b sees a as `back`. */
struct relay {
    int front, back;
    struct sockaddr_in a, b;
    struct rng rng;
    unsigned lose, repeat, hold; /* in percent of the datagrams */
    struct {
        uint8_t data[2048];
        size_t len;
        bool to_b;
    } held[HELD];
    size_t held_count;
};

static int open_socket(struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof(*at);
    *at = (struct sockaddr_in){ .sin_family = AF_INET };
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

static void deliver(struct relay *r, const uint8_t *data, size_t len, bool to_b)
{
    (void)!sendto(to_b ? r->back : r->front, data, len, 0,
                  (struct sockaddr *)(to_b ? &r->b : &r->a), sizeof(r->a));
}

static void take(struct relay *r, const uint8_t *data, size_t len, bool to_b)
{
    if (rng_below(&r->rng, 100) < r->lose) {
        return;
    }
    if (rng_below(&r->rng, 100) < r->repeat) {
        deliver(r, data, len, to_b);
    }
    if (rng_below(&r->rng, 100) < r->hold && r->held_count < HELD) {
        memcpy(r->held[r->held_count].data, data, len);
        r->held[r->held_count].len = len;
        r->held[r->held_count++].to_b = to_b;
        return;
    }
    deliver(r, data, len, to_b);
}

static void relay_tick(struct relay *r)
{
    uint8_t data[2048];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n;
    /* Held datagrams go first, the last one first, so they are late and out of order. */
    while (r->held_count > 0) {
        r->held_count--;
        deliver(r, r->held[r->held_count].data, r->held[r->held_count].len,
                r->held[r->held_count].to_b);
    }
    while ((n = recvfrom(r->front, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
                         &len)) > 0) {
        r->a = from;
        take(r, data, (size_t)n, true);
    }
    while ((n = recv(r->back, data, sizeof(data), MSG_DONTWAIT)) > 0) {
        take(r, data, (size_t)n, false);
    }
}

struct world {
    struct identity *identity;
    struct side a, b;
    struct relay relay;
};

#define world_until(w, condition)                                  \
    do {                                                           \
        uint64_t give_up_ns = endpoint_now_ns() + 60000 * SIDE_MS; \
        while (!(condition)) {                                     \
            if (endpoint_now_ns() > give_up_ns) {                  \
                fail_msg("never: %s", #condition);                 \
            }                                                      \
            relay_tick(&(w)->relay);                               \
            side_tick(&(w)->a, &(w)->b, 1);                        \
        }                                                          \
    } while (0)

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct endpoint_options o;
    assert_non_null(w);
    w->identity = side_identity();
    o = side_options(w->identity, true);
    o.handshake_timeout_ns = 20000 * SIDE_MS;
    o.idle_timeout_ns = 20000 * SIDE_MS;
    side_start(&w->a, &o, 0);
    side_start(&w->b, &o, 0);
    rng_init(&w->relay.rng, 1);
    w->relay.front = open_socket(&w->relay.a);
    w->relay.back = open_socket(&w->relay.b);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    side_stop(&w->a);
    side_stop(&w->b);
    close(w->relay.front);
    close(w->relay.back);
    identity_free(w->identity);
    free(w);
    return 0;
}

static void dial(struct world *w)
{
    struct sockaddr_in front;
    socklen_t len = sizeof(front);
    assert_int_equal(getsockname(w->relay.front, (struct sockaddr *)&front, &len), 0);
    w->relay.b.sin_port = htons(side_port(&w->b));
    assert_int_equal(endpoint_dial(w->a.e, (struct sockaddr *)&front, sizeof(front), &w->a,
                                   &w->a.c),
                     0);
    world_until(w, w->a.readies == 1 && w->b.readies == 1);
}

static void transfer(struct world *w, size_t len)
{
    uint8_t *data = side_pattern(len);
    struct side_stream *there = side_send(&w->a, data, len), *back = side_send(&w->b, data, len);
    world_until(w, there->closed && back->closed);
    assert_int_equal(side_find(&w->b, there->id)->got, len);
    assert_int_equal(side_find(&w->a, back->id)->got, len);
    assert_false(side_find(&w->b, there->id)->garbled);
    assert_false(side_find(&w->a, back->id)->garbled);
    assert_int_equal(there->acked, len);
    free(data);
}

static void test_bad_network(void **state)
{
    struct world *w = *state;
    w->relay.lose = 5;
    w->relay.repeat = 5;
    w->relay.hold = 10;
    dial(w);
    transfer(w, 1024 * 1024);
    assert_int_equal(w->a.closes + w->b.closes, 0);
}

static void test_rebinding(void **state)
{
    struct world *w = *state;
    struct sockaddr_in at;
    char text[64], expected[64];
    dial(w);
    transfer(w, 100000);
    close(w->relay.back);
    w->relay.back = open_socket(&at);
    transfer(w, 100000);
    conn_peer_text(w->b.c, text, sizeof(text));
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(at.sin_port));
    assert_string_equal(text, expected);
    assert_int_equal(w->a.closes + w->b.closes, 0);
    /* The close finds the new path too. */
    conn_close(w->b.c, 5, "");
    world_until(w, w->a.closes == 1);
    assert_int_equal(w->a.end.kind, CONN_END_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bad_network, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rebinding, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
