/* node: datagrams from an attacker without the certificate, who can send from many addresses, see
 * what an honest client sends, and send it again. See node_hostile.c. Inputs and outcomes:
 * rusm-protocol(7), HOSTILE INPUT. Mostly waits. */
#include "doubles/foe.h"
#include "node/limits.h"
#include "base/rng.h"

#define SLACK_KIB 16384L
#define INITIALS 2000
#define HALF_OPEN_KIB 192L /* memory for one handshake */

struct datagram {
    uint8_t bytes[2048];
    size_t len;
};

static struct sockaddr_in address_of(const struct victim *v)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)atoi(strchr(v->address, ':') + 1)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Returns a socket that is connected to the node. */
static int socket_to(const struct victim *v)
{
    const struct sockaddr_in to = address_of(v);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Makes `count` Initials of as many connections. Each is complete: what an honest client sends
 * first. */
static struct datagram *make_initials(const struct victim *v, size_t count)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(any);
    struct datagram *list = calloc(count, sizeof(*list));
    int sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct foe f = { .deaf = true };
    struct rusm_why why;
    bool full;

    assert_int_equal(bind(sink, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(getsockname(sink, (struct sockaddr *)&any, &len), 0);
    assert_int_equal(identity_load(v->identity, &f.identity, &why), 0);
    const struct sockaddr_in from = { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct endpoint_options options = { .bind = (const struct sockaddr *)&from,
                                              .bind_len = sizeof(from),
                                              .identity = f.identity,
                                              .idle_timeout_ns = 60000 * FOE_MS,
                                              .handshake_timeout_ns = 60000 * FOE_MS,
                                              .max_connections = 4096 };
    assert_int_equal(endpoint_new(&f.e, &options, &foe_events, &f, &why), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(endpoint_dial(f.e, (struct sockaddr *)&any, len, &f, &f.c), 0);
        endpoint_flush(f.e, &full);
        list[i].len = (size_t)recv(sink, list[i].bytes, sizeof(list[i].bytes), 0);
        assert_in_range(list[i].len, 1200, 1500);
        while (recv(sink, (uint8_t[2048]){ 0 }, 2048, MSG_DONTWAIT) > 0) {}
    }
    endpoint_free(f.e);
    identity_free(f.identity);
    close(sink);
    return list;
}

/* ---- noise ---- */

static void test_noise(void **state)
{
    struct victim *v = *state;
    uint8_t bytes[1500], answer[2048];
    struct rng rng;
    int fd = socket_to(v);
    ssize_t n;

    rng_init(&rng, 4711);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (int i = 0; i < 100000; i++) {
        size_t len = rng_below(&rng, sizeof(bytes));
        for (size_t j = 0; j < len; j += 8) {
            uint64_t r = rng_u64(&rng);
            memcpy(bytes + j, &r, len - j < 8 ? len - j : 8);
        }
        if (len > 5 && i % 4 == 0) { /* looks like an Initial of our version or of another one */
            bytes[0] |= 0xc0;
            memcpy(bytes + 1, i % 8 ? "\0\0\0\1" : "\x6b\x33\x43\xcf", 4);
        }
        send(fd, bytes, len, 0);
        while ((n = recv(fd, answer, sizeof(answer), 0)) > 0) {
            assert_in_range(n, 0, sizeof(bytes));
        }
    }
    bystander_stop(v, "noise");
    assert_int_equal(victim_counter(v, "connections_half_open"), 0);
    assert_true(victim_counter(v, "datagrams_malformed") > 0);
    assert_true(victim_counter(v, "datagrams_dropped") > 0);
    victim_grew(v, before, SLACK_KIB, "noise");
    close(fd);
}

static void test_spoiled_initials(void **state)
{
    struct victim *v = *state;
    struct datagram *initial = make_initials(v, 1);
    int fd = socket_to(v);

    bystander_start(v);
    for (size_t len = 0; len < initial->len; len++) {
        send(fd, initial->bytes, len, 0);
    }
    assert_int_equal(victim_counter(v, "connections_half_open"), 0);
    for (size_t at = 0; at < initial->len; at++) {
        initial->bytes[at] ^= (uint8_t)(1 << at % 8);
        send(fd, initial->bytes, initial->len, 0);
        initial->bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    assert_in_range(victim_counter(v, "connections_half_open"), 0, LIMIT_HALF_OPEN);
    bystander_stop(v, "spoiled Initials");
    close(fd);
    free(initial);
}

/* ---- replays ---- */

static void test_replayed_initial(void **state)
{
    struct victim *v = *state;
    struct datagram *initial = make_initials(v, 1);
    int fd = socket_to(v);

    bystander_start(v);
    for (int i = 0; i < 1000; i++) {
        send(fd, initial->bytes, initial->len, 0);
    }
    assert_int_equal(victim_counter(v, "connections_half_open"), 1);
    bystander_stop(v, "an Initial again and again");
    close(fd);
    free(initial);
}

/* A session goes through a man in the middle. He passes on every datagram twice, and in the end
 * sends them all once more. */
static void test_replayed_session(void **state)
{
    struct victim *v = *state, through = *v;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    struct datagram *kept = calloc(4096, sizeof(*kept)), answer;
    int middle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int fd = socket_to(v), over[2]; /* the test closes it when the session is over */
    size_t count = 0;
    ssize_t n;
    struct foe f;
    struct hello hello;

    assert_int_equal(pipe(over), 0);

    assert_int_equal(bind(middle, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(middle, (struct sockaddr *)&at, &len), 0);
    snprintf(through.address, sizeof(through.address), "127.0.0.1:%d", ntohs(at.sin_port));
    uint64_t handled = victim_counter(v, "messages_handled");
    pid_t relay = fork(); /* the foe's ticks run in this process */
    assert_true(relay >= 0);
    if (relay == 0) {
        struct pollfd fds[3] = { { .fd = middle, .events = POLLIN },
                                 { .fd = fd, .events = POLLIN },
                                 { .fd = over[0], .events = POLLIN } };
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(over[1]);
        while (!fds[2].revents) {
            poll(fds, 3, -1);
            while (count < 4096 && (n = recvfrom(middle, kept[count].bytes, 2048, 0,
                                                 (struct sockaddr *)&at, &len)) > 0) {
                kept[count].len = (size_t)n;
                send(fd, kept[count].bytes, (size_t)n, 0);
                send(fd, kept[count++].bytes, (size_t)n, 0);
            }
            while ((n = recv(fd, answer.bytes, sizeof(answer.bytes), 0)) > 0) {
                sendto(middle, answer.bytes, (size_t)n, 0, (struct sockaddr *)&at, len);
            }
        }
        for (size_t i = 0; i < count; i++) {
            send(fd, kept[i].bytes, kept[i].len, 0);
        }
        _exit(count > 10 ? 0 : 1);
    }
    close(over[0]);
    foe_dial(&f, &through, &(struct foe_options){ .name = "zed" });
    hello = foe_hello_of(&f);
    foe_say_hello(&f, &hello);
    int64_t stream = foe_open_lane(&f);
    foe_send(&f, stream, "\0\x08\0\0\x01\x04sink", 10, false);
    for (int i = 0; i < 100; i++) {
        foe_send(&f, stream, "\x02\0x", 3, false);
        foe_open(&f, "through the middle");
    }
    foe_stop(&f); /* the relay passes its close on */
    close(over[1]);
    int status;
    assert_int_equal(waitpid(relay, &status, 0), relay);
    assert_int_equal(status, 0);
    victim_counts(v, "messages_handled", handled + 100);
    assert_in_range(victim_counter(v, "connections_half_open"), 0, 1); /* from the old Initial */
    victim_alive(v);
    close(middle);
    close(fd);
    free(kept);
}

/* ---- a flood of handshakes ---- */

static void test_handshake_flood(void **state)
{
    struct victim *v = *state;
    struct datagram *initials = make_initials(v, INITIALS);
    static int fds[INITIALS];
    static size_t answered[INITIALS];
    unsigned retries = 0, silent = 0;
    struct rusm_client *late;
    struct rusm_why why;
    uint8_t bytes[2048];
    ssize_t n;

    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ INITIALS + 200, INITIALS + 200 });
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (int i = 0; i < INITIALS; i++) {
        fds[i] = socket_to(v);
        send(fds[i], initials[i].bytes, initials[i].len, 0);
        if (i % 16 == 15) { /* an answer means that the node's socket has taken all so far */
            struct pollfd answer = { .fd = fds[i], .events = POLLIN };
            assert_int_equal(poll(&answer, 1, (int)VICTIM_PATIENCE_MS), 1);
        }
    }
    uint64_t half_open = victim_counter(v, "connections_half_open");
    assert_in_range(half_open, LIMIT_HALF_OPEN / 2, LIMIT_HALF_OPEN);
    struct victim_time since = victim_time(v);
    if (victim_open(v, &late, &why) != 0) {
        fail_msg("a real client: %s", why.text);
    }
    since = victim_since(v, since);
    printf("# a real client gets in within %lu ms of %lu half-open handshakes\n",
           (unsigned long)since.ms, (unsigned long)half_open);
    victim_in_time(since);
    rusm_client_close(late);
    usleep(3000000); /* the node sends again what is not acknowledged, within the bound */
    for (int i = 0; i < INITIALS; i++) {
        while ((n = recv(fds[i], bytes, sizeof(bytes), 0)) > 0) {
            answered[i] += (size_t)n;
            retries += (bytes[0] & 0xf0) == 0xf0;
        }
        silent += answered[i] == 0;
        assert_in_range(answered[i], 0, 3 * initials[i].len);
        close(fds[i]);
    }
    printf("# %u of %u were asked to prove their address, %u not answered\n", retries, INITIALS,
           silent);
    assert_true(retries > INITIALS / 2);
    victim_grew(v, before, LIMIT_HALF_OPEN * HALF_OPEN_KIB + SLACK_KIB, "a handshake flood");
    bystander_stop(v, "a handshake flood");
    free(initials);
}

/* ---- packets of unknown connections ---- */

static void test_strangers(void **state)
{
    struct victim *v = *state;
    uint8_t bytes[100] = { 0x40 }, answer[2048];
    unsigned resets = 0;
    uint64_t since_ms = victim_ms();
    int fd = socket_to(v);
    struct pollfd answered = { .fd = fd, .events = POLLIN };
    ssize_t n;

    for (int i = 0; i < 2000; i++) {
        memcpy(bytes + 1, &i, sizeof(i));
        send(fd, bytes, sizeof(bytes), 0);
        if (i % 16 == 15) {
            usleep(100);
        }
        while ((n = recv(fd, answer, sizeof(answer), 0)) > 0) {
            assert_in_range(n, 1, sizeof(bytes) - 1);
            resets++;
        }
    }
    resets += resets == 0 && poll(&answered, 1, (int)VICTIM_PATIENCE_MS) == 1; /* slow node */
    uint64_t seconds = (victim_ms() - since_ms) / 1000 + 2;
    assert_in_range(resets, 1, 100 * seconds);
    victim_alive(v);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(test_noise),
        VICTIM_TEST(test_spoiled_initials),
        VICTIM_TEST(test_replayed_initial),
        VICTIM_TEST(test_replayed_session),
        VICTIM_TEST(test_handshake_flood),
        VICTIM_TEST(test_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
