/* gateway/tcp, events: clients on real TCP and a clock of the test's own: slow clients, many
 * clients, clients that do not read, and an end while requests are under way. The test's node
 * answers what each test tells it to. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "gateway/limits.h"
#include "gateway/tcp.h"

#define TOKEN "0123456789abcdef0123"
#define AUTH "Host: x\r\nAuthorization: Bearer " TOKEN "\r\n"
#define SECOND ((uint64_t)1000000000)

struct world {
    struct gateway *gateway;
    struct tcp *tcp;
    struct log log;
    struct gateway_job *job; /* begun and not over */
    unsigned cancelled;
    uint64_t now_ns;
    bool hurry; /* do not wait in poll: there is more to do */
};

static void begin(void *context, struct gateway_job *job)
{
    struct world *w = context;
    w->job = job;
}

static void cancel(void *context, struct gateway_job *job)
{
    struct world *w = context;

    assert_ptr_equal(w->job, job);
    w->cancelled++;
    w->job = NULL;
}

static const struct gateway_node node = { .begin = begin, .cancel = cancel };

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char token[] = "/tmp/rusm-token-XXXXXX";
    struct rusm_why why = { "" };
    int fd = mkstemp(token);

    if (!w || fd < 0 || write(fd, TOKEN "\n", sizeof(TOKEN)) != sizeof(TOKEN)) {
        return -1;
    }
    close(fd);
    w->now_ns = SECOND;
    log_init(&w->log, STDERR_FILENO, RUSM_LOG_ERROR, "london");
    struct gateway_options options = { .name = "london",
                                       .log = &w->log,
                                       .token = token,
                                       .node = &node,
                                       .context = w,
                                       .seed = 1,
                                       .now_ns = w->now_ns };
    int error = gateway_new(&w->gateway, &options, &why);
    unlink(token);
    struct tcp_options tcp = { .gateway = w->gateway,
                               .bind = (struct sockaddr *)&any,
                               .bind_len = sizeof(any),
                               .now_ns = w->now_ns };
    *state = w;
    return error ? error : tcp_new(&w->tcp, &tcp, &why);
}

static int teardown(void **state)
{
    struct world *w = *state;

    tcp_free(w->tcp);
    gateway_free(w->gateway);
    free(w);
    return 0;
}

/* ---- the node's ticks and a client ---- */

static void tick(struct world *w)
{
    struct pollfd p = { .fd = tcp_fd(w->tcp), .events = POLLIN };

    if (poll(&p, 1, w->hurry ? 0 : 1) > 0) {
        tcp_readable(w->tcp);
    }
    gateway_tick(w->gateway, w->now_ns);
    tcp_tick(w->tcp, w->now_ns);
}

/* Connects from 127.0.0.HOST. */
static int dial_from(struct world *w, uint32_t host)
{
    struct sockaddr_in from = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len;
    const struct sockaddr *to = tcp_address(w->tcp, &len);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, to, len), 0);
    return fd;
}

static int dial(struct world *w)
{
    return dial_from(w, 1);
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Ticks until there is something to read, or the connection ends. Returns the bytes read, which are
 * NUL-terminated, or 0 at the end. */
static size_t hear(struct world *w, int fd, char *text, size_t cap)
{
    for (int i = 0; i < 5000; i++) {
        ssize_t got = recv(fd, text, cap - 1, MSG_DONTWAIT);
        if (got >= 0 || errno == ECONNRESET) {
            text[got > 0 ? got : 0] = '\0';
            return got > 0 ? (size_t)got : 0;
        }
        assert_int_equal(errno, EAGAIN);
        tick(w);
    }
    fail_msg("nothing came, and no end");
    return 0;
}

static void hear_end(struct world *w, int fd)
{
    char text[65536];

    while (hear(w, fd, text, sizeof(text)) > 0) {}
    close(fd);
}

/* Checks that the connection is open and nothing comes. */
static void hear_nothing(struct world *w, int fd)
{
    char byte;

    for (int i = 0; i < 5; i++) {
        tick(w);
    }
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

static void hear_status(struct world *w, int fd, const char *status)
{
    char text[65536];

    assert_true(hear(w, fd, text, sizeof(text)) > 12);
    text[12] = '\0';
    assert_string_equal(text + 9, status);
}

static void until_job(struct world *w)
{
    for (int i = 0; !w->job; i++) {
        assert_true(i < 5000);
        tick(w);
    }
}

/* ---- slow clients ---- */

static void test_slow_head(void **state)
{
    struct world *w = *state;
    int silent = dial(w), head = dial(w);

    say(head, "GET /v1/node HTTP/1.1\r\nHost: x\r\n");
    hear_nothing(w, silent);
    w->now_ns += LIMIT_HTTP_STALL_NS - SECOND;
    say(head, "X: y\r\n"); /* one line now and then is too slow */
    hear_nothing(w, head);
    hear_nothing(w, silent);
    w->now_ns += 2 * SECOND;
    hear_end(w, silent);
    hear_end(w, head);
    assert_int_equal(gateway_pending(w->gateway), 0);
}

static void test_slow_body(void **state)
{
    struct world *w = *state;
    int fd = dial(w);

    say(fd, "POST /v1/send/x HTTP/1.1\r\n" AUTH "Content-Length: 100000\r\n\r\nsome");
    hear_nothing(w, fd);
    assert_int_equal(gateway_pending(w->gateway), 1);
    w->now_ns += LIMIT_HTTP_STALL_NS + SECOND;
    hear_end(w, fd);
    assert_int_equal(gateway_pending(w->gateway), 0);
    assert_null(w->job);
}

static void test_idle(void **state)
{
    struct world *w = *state;
    int fd = dial(w);

    say(fd, "GET /page.js HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_status(w, fd, "200");
    w->now_ns += LIMIT_HTTP_STALL_NS - SECOND;
    say(fd, "GET /v1/node HTTP/1.1\r\nHost: x\r\n\r\n"); /* each request has its own time */
    for (char text[65536]; hear(w, fd, text, sizeof(text)) && !strstr(text, " 401 ");) {}
    w->now_ns += LIMIT_HTTP_STALL_NS - SECOND;
    hear_nothing(w, fd);
    w->now_ns += 2 * SECOND;
    hear_end(w, fd);
}

/* ---- slow calls ---- */

static void test_call(void **state)
{
    struct world *w = *state;
    int fd = dial(w);

    say(fd, "POST /v1/call/x HTTP/1.1\r\n" AUTH "Content-Length: 4\r\n\r\nping");
    until_job(w);
    assert_memory_equal(w->job->data, "ping", 4);
    w->now_ns += 10 * LIMIT_HTTP_STALL_NS; /* the node is slow, not the client */
    hear_nothing(w, fd);
    struct gateway_job *job = w->job;
    w->job = NULL;
    gateway_outcome(job, &(struct gateway_outcome){ .data = "pong", .len = 4 });
    char text[4096] = "";
    for (size_t len = 0; !strstr(text, "\r\n\r\npong");) {
        size_t got = hear(w, fd, text + len, sizeof(text) - len);
        assert_true(got > 0);
        len += got;
    }
    close(fd);
}

static void test_end_under_way(void **state)
{
    struct world *w = *state;
    int call = dial(w), events = dial(w), body = dial(w), silent = dial(w);

    say(call, "POST /v1/call/x HTTP/1.1\r\n" AUTH "Content-Length: 0\r\n\r\n");
    say(body, "POST /v1/call/x HTTP/1.1\r\n" AUTH "Content-Length: 10\r\n\r\n1");
    say(events, "GET /v1/events HTTP/1.1\r\n" AUTH "\r\n");
    until_job(w);
    hear_status(w, events, "200");
    tcp_leave(w->tcp);
    tcp_free(w->tcp);
    w->tcp = NULL;
    assert_int_equal(w->cancelled, 1);
    assert_int_equal(gateway_pending(w->gateway), 0);
    close(call), close(events), close(body), close(silent);
}

/* ---- a connection that another process holds too ---- */

/* Returns our descriptor of the connection whose other end is fd. */
static int accepted(int fd)
{
    struct sockaddr_in ours, theirs;
    socklen_t len = sizeof(ours);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&ours, &len), 0);
    for (int i = 3; i < 1024; i++) {
        len = sizeof(theirs);
        if (getpeername(i, (struct sockaddr *)&theirs, &len) == 0 &&
            theirs.sin_port == ours.sin_port) {
            return i;
        }
    }
    return -1;
}

/* A child that the program around the node has forked may hold a connection too. Closing our
 * descriptor does not end it then. */
static void test_held_elsewhere(void **state)
{
    struct world *w = *state;
    int fd = dial(w), held;

    say(fd, "GET /page.js HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_status(w, fd, "200");
    held = dup(accepted(fd));
    assert_true(held >= 0);
    close(fd);
    for (int i = 0; i < 10; i++) {
        tick(w);
    }
    fd = dial(w);
    say(fd, "GET /v1/node HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_status(w, fd, "401");
    close(fd);
    close(held);
}

/* ---- many connections ---- */

static void test_many(void **state)
{
    struct world *w = *state;
    static int fd[LIMIT_HTTP_TCP_CONNECTIONS + 3];

    for (size_t i = 0; i < LIMIT_HTTP_TCP_CONNECTIONS + 3; i++) {
        fd[i] = dial_from(w, 1 + i % 2);
        say(fd[i], "GET /v1/node HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i < LIMIT_HTTP_TCP_CONNECTIONS) {
            hear_status(w, fd[i], "401");
        }
    }
    hear_nothing(w, fd[LIMIT_HTTP_TCP_CONNECTIONS]); /* waits until it is accepted */
    for (size_t i = 0; i < 3; i++) {
        close(fd[i]);
        hear_status(w, fd[LIMIT_HTTP_TCP_CONNECTIONS + i], "401");
    }
    for (size_t i = 3; i < LIMIT_HTTP_TCP_CONNECTIONS + 3; i++) {
        close(fd[i]);
    }
}

#define WITHOUT_TOKEN "GET /v1/node HTTP/1.1\r\nHost: x\r\n\r\n"
#define WITH_TOKEN "PUT /v1/node HTTP/1.1\r\n" AUTH "\r\n" /* the node need not do anything */

/* One client cannot have all connections. Those that have not shown the token give way to new
 * ones, the oldest first. */
static void test_crowd(void **state)
{
    enum { MOST = LIMIT_HTTP_TCP_CONNECTIONS - LIMIT_HTTP_TCP_CONNECTIONS / LIMIT_HTTP_TCP_OTHERS };
    enum { WITHOUT = 2 };
    struct world *w = *state;
    static int fd[MOST];
    char text[64];

    for (size_t i = 0; i < MOST; i++) {
        fd[i] = dial(w);
        say(fd[i], i < WITHOUT ? WITHOUT_TOKEN : WITH_TOKEN);
        hear_status(w, fd[i], i < WITHOUT ? "401" : "405");
    }
    for (size_t i = 0; i < WITHOUT; i++) {
        int more = dial(w);
        say(more, WITH_TOKEN);
        hear_status(w, more, "405");
        hear_end(w, fd[i]);
        fd[i] = more;
        assert_int_equal(gateway_counters(w->gateway)->crowded, i + 1);
    }
    for (uint64_t refused = WITHOUT + 1; refused <= WITHOUT + 3; refused++) {
        int more = dial(w), other = dial_from(w, 2);
        assert_int_equal(hear(w, more, text, sizeof(text)), 0);
        say(other, WITHOUT_TOKEN);
        hear_status(w, other, "401");
        assert_int_equal(gateway_counters(w->gateway)->crowded, refused);
        close(more);
        close(other);
    }
    close(fd[0]);
    for (int i = 0; i < 5; i++) {
        tick(w); /* the listener sees the close */
    }
    fd[0] = dial(w);
    say(fd[0], WITHOUT_TOKEN);
    hear_status(w, fd[0], "401");
    for (size_t i = 0; i < MOST; i++) {
        close(fd[i]);
    }
}

/* ---- events ---- */

/* Asks for events in HTTP/1.0, so that the stream is not chunked. */
static int dial_events(struct world *w)
{
    int fd = dial(w);
    char text[4096] = "";

    say(fd, "GET /v1/events HTTP/1.0\r\n" AUTH "\r\n");
    for (size_t len = 0; !strstr(text, "rusm-http(7)\n\n");) {
        len += hear(w, fd, text + len, sizeof(text) - len);
    }
    assert_memory_equal(text + 9, "200", 3);
    assert_true(gateway_watched(w->gateway));
    return fd;
}

static void tell(struct world *w, unsigned number)
{
    char text[1000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    const struct gateway_field fields[] = { { .key = "n", .number = number },
                                            { .key = "text", .text = text } };
    struct gateway_event event = { .type = "told", .field = fields, .count = 2 };
    gateway_event(w->gateway, &event);
}

/* What a client got: the events that came, and the number it was told that it missed. */
struct heard {
    int fd;
    unsigned long long came, missed;
    bool ended;
    size_t len;
    char rest[8192]; /* the start of an event that has not come whole */
};

/* Takes what has arrived. */
static void heard_more(struct heard *h)
{
    ssize_t got = recv(h->fd, h->rest + h->len, sizeof(h->rest) - 1 - h->len, MSG_DONTWAIT);
    char *at = h->rest, *end;

    h->len += got > 0 ? (size_t)got : 0;
    h->rest[h->len] = '\0';
    h->ended = got == 0;
    for (; (end = strstr(at, "\n\n")); at = end + 2) {
        const char *event = strstr(at, "event: ");
        unsigned long long n;
        h->came += event && event < end && strncmp(event, "event: told\n", 12) == 0;
        if (event && sscanf(event, "event: missed\ndata: {\"events\":%llu}", &n) == 1) {
            h->missed += n;
        }
    }
    h->len -= (size_t)(at - h->rest);
    memmove(h->rest, at, h->len + 1);
}

/* A client reads nothing while far more events happen than can wait for it. It is told how many it
 * missed. Another client reads, and misses none. */
static void test_missed(void **state)
{
    struct world *w = *state;
    struct heard deaf = { .fd = dial_events(w) }, quick = { .fd = dial_events(w) };
    const unsigned told = 20000;

    w->hurry = true;
    for (unsigned i = 0; i < told; i++) {
        tell(w, i);
        tick(w);
        heard_more(&quick);
    }
    for (int i = 0; deaf.came + deaf.missed < told; i++) {
        assert_true(i < 100000);
        heard_more(&deaf);
        tick(w);
    }
    assert_int_equal(deaf.came + deaf.missed, told);
    assert_true(deaf.missed > 0 && deaf.came > 100);
    assert_int_equal(gateway_counters(w->gateway)->missed, deaf.missed);
    gateway_leave(w->gateway);
    for (int i = 0; !quick.ended; i++) {
        assert_true(i < 100000);
        heard_more(&quick);
        tick(w);
    }
    assert_int_equal(quick.came, told);
    assert_int_equal(quick.missed, 0);
    close(deaf.fd), close(quick.fd);
}

/* A client that never reads is given up. */
static void test_deaf(void **state)
{
    struct world *w = *state;
    int fd = dial_events(w);

    w->hurry = true;
    for (unsigned i = 0; i < 20000; i++) {
        tell(w, i);
        tick(w);
    }
    assert_int_equal(gateway_pending(w->gateway), 1);
    w->now_ns += LIMIT_HTTP_STALL_NS + SECOND;
    for (int i = 0; gateway_pending(w->gateway) > 0; i++) {
        assert_true(i < 5000);
        tick(w);
    }
    assert_false(gateway_watched(w->gateway));
    hear_end(w, fd);
}

/* If nothing happens for long, the client gets a sign that the stream is alive. */
static void test_beat(void **state)
{
    struct world *w = *state;
    int fd = dial_events(w);
    char text[4096];

    for (int i = 0; i < 3; i++) {
        w->now_ns += LIMIT_EVENTS_BEAT_NS;
        assert_true(hear(w, fd, text, sizeof(text)) > 0);
        assert_string_equal(text, ": still here\n\n");
    }
    tell(w, 1);
    assert_true(hear(w, fd, text, sizeof(text)) > 0);
    assert_memory_equal(text, "event: told\ndata: {", 19);
    close(fd);
}

/* A client that closes its connection while it waits cancels its request. A client that only has no
 * more to send does not. */
static void test_gone(void **state)
{
    struct world *w = *state;
    int call = dial(w), events = dial_events(w), half = dial(w);

    close(events);
    for (int i = 0; gateway_watched(w->gateway); i++) {
        assert_true(i < 5000);
        tick(w);
    }
    say(call, "POST /v1/call/x HTTP/1.1\r\n" AUTH "Content-Length: 0\r\n\r\n");
    until_job(w);
    close(call);
    for (int i = 0; w->cancelled == 0; i++) {
        assert_true(i < 5000);
        tick(w);
    }
    assert_int_equal(gateway_pending(w->gateway), 0);
    say(half, "POST /v1/call/x HTTP/1.1\r\n" AUTH "Content-Length: 0\r\n\r\n");
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    until_job(w);
    hear_nothing(w, half);
    struct gateway_job *job = w->job;
    w->job = NULL;
    gateway_outcome(job, &(struct gateway_outcome){ .data = "pong", .len = 4 });
    hear_status(w, half, "200");
    hear_end(w, half);
    assert_int_equal(w->cancelled, 1);
}

int main(void)
{
    struct rlimit files;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slow_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deaf, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
    };
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* test_many holds both ends of each connection */
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
