/* gateway/h3: connections on real sockets with real certificates, and a clock of the test's own:
 * slow clients, strangers, clients that break the rules. The test's node answers what each test
 * tells it to. */
#include "doubles/quic_pair.h"

#include "gateway/limits.h"
#include "peer/limits.h"
#include "gateway/exchange.h"
#include "doubles/http3.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define CLIENTS \
    (LIMIT_HTTP_STRANGERS + 1) /* one with the token, and as many strangers as there may be */

static struct identity *ours;
static char token_path[256];

struct world {
    struct gateway *gateway;
    struct log log;
    struct endpoint *endpoint;
    uint64_t ahead_ns; /* the gateway's clock is ahead of the endpoint's */
    struct gateway_job *job;
    unsigned cancelled;
    struct http3 client[CLIENTS + 1];
    size_t clients;
};

/* ---- the node's side ---- */

static void begin(void *context, struct gateway_job *job)
{
    struct world *w = context;
    w->job = job;
}

static void cancel(void *context, struct gateway_job *job)
{
    struct world *w = context;
    assert_ptr_equal(w->job, job);
    w->job = NULL;
    w->cancelled++;
}

static const struct gateway_node node = { .begin = begin, .cancel = cancel };

static int on_ready(void *context, struct conn *c)
{
    struct world *w = context;
    assert_true(conn_is_http(c));
    return gateway_accept(w->gateway, c);
}

/* Gets the connections that gateway_accept did not take. */
static void on_closed(void *context, struct conn *c, const struct conn_end *end)
{
    (void)context, (void)c, (void)end;
}

/* ---- life ---- */

static int setup(void **state)
{
    static const struct endpoint_events events = { .ready = on_ready, .closed = on_closed };
    struct world *w = calloc(1, sizeof(*w));
    struct endpoint_options o = side_options(ours, true);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct gateway_options options = { .name = "london",
                                       .token = token_path,
                                       .node = &node,
                                       .context = w,
                                       .now_ns = endpoint_now_ns() };

    assert_non_null(w);
    *state = w;
    log_init(&w->log, STDERR_FILENO, RUSM_LOG_ERROR, "london");
    options.log = &w->log;
    o.http = o.anonymous = true;
    o.bind = (struct sockaddr *)&at;
    o.bind_len = sizeof(at);
    o.control_window = 256 * 1024;
    o.max_streams_uni = LIMIT_LANES;
    o.max_connections = LIMIT_HTTP_CONNECTIONS;
    o.idle_timeout_ns = 30000 * SIDE_MS;
    assert_int_equal(gateway_new(&w->gateway, &options, NULL), 0);
    return endpoint_new(&w->endpoint, &o, &events, w, NULL);
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < w->clients; i++) {
        http3_close(&w->client[i]);
    }
    endpoint_free(w->endpoint);
    gateway_free(w->gateway); /* checks that nothing is left and the budget is whole */
    free(w);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- driving ---- */

static void tick(struct world *w)
{
    bool full, more = endpoint_receive(w->endpoint);

    endpoint_tick(w->endpoint, endpoint_now_ns());
    (void)gateway_tick(w->gateway, endpoint_now_ns() + w->ahead_ns);
    more = endpoint_flush(w->endpoint, &full) || more;
    for (size_t i = 0; i < w->clients; i++) {
        http3_tick(&w->client[i], more || i + 1 < w->clients ? 0 : 1);
    }
}

#define until(w, condition)                                         \
    do {                                                            \
        uint64_t give_up_ns_ = endpoint_now_ns() + 60000 * SIDE_MS; \
        while (!(condition)) {                                      \
            assert_true(endpoint_now_ns() < give_up_ns_);           \
            tick(w);                                                \
        }                                                           \
    } while (0)

static struct http3 *dial(struct world *w, bool anonymous)
{
    struct http3 *h = &w->client[w->clients++];
    socklen_t len;
    const struct sockaddr *to = endpoint_address(w->endpoint, &len);

    assert_int_equal(http3_open(h, to, len, ours, anonymous), 0);
    until(w, h->ready || !h->conn);
    return h;
}

static void submit(struct world *w, struct http3 *h, struct http3_request *r)
{
    until(w, http3_submit(h, r) == 0);
}

static uint64_t spent(const struct world *w)
{
    return LIMIT_HTTP_BODIES - w->gateway->budget;
}

/* ---- slow clients ---- */

static void test_slow_request(void **state)
{
    static const uint8_t body[100000];
    struct world *w = *state;
    struct http3 *h = dial(w, false);
    struct http3_request r = {
        .method = "POST", .path = "/v1/call/p", .body = body, .len = sizeof(body), .hold = 50000
    };

    submit(w, h, &r);
    until(w, spent(w) == 50000);
    w->ahead_ns = LIMIT_HTTP_STALL_NS + 1;
    until(w, r.done);
    assert_int_equal(r.status, 408);
    until(w, gateway_pending(w->gateway) == 0);
    assert_int_equal(spent(w), 0);
    assert_non_null(h->conn);
    http3_forget(&r);
}

static void test_slow_response(void **state)
{
    const size_t len = 20 * HTTP3_WINDOW;
    struct world *w = *state;
    struct http3 *h = dial(w, false);
    struct http3_request r = { .method = "POST", .path = "/v1/call/p", .unread = true };
    uint8_t *reply = calloc(1, len);

    assert_non_null(reply);
    submit(w, h, &r);
    until(w, w->job);
    gateway_outcome(w->job, &(struct gateway_outcome){ .data = reply, .len = len });
    free(reply);
    until(w, buf_len(&r.answer) > HTTP3_WINDOW - 100); /* its credit, and no more */
    assert_true(buf_len(&r.answer) <= HTTP3_WINDOW);
    assert_int_equal(spent(w), len);
    w->ahead_ns = LIMIT_HTTP_STALL_NS + 1;
    until(w, r.done);
    assert_int_equal(r.code, NGHTTP3_H3_INTERNAL_ERROR);
    until(w, gateway_pending(w->gateway) == 0);
    assert_int_equal(spent(w), 0);
    http3_forget(&r);
}

/* ---- clients that go away ---- */

static void test_gone(void **state)
{
    struct world *w = *state;
    struct http3 *h = dial(w, false);
    struct http3_request r = { .method = "POST", .path = "/v1/call/p" };

    submit(w, h, &r);
    until(w, w->job);
    conn_close(h->conn, NGHTTP3_H3_NO_ERROR, "bye");
    until(w, gateway_connections(w->gateway) == 0);
    assert_int_equal(w->cancelled, 1);
    assert_int_equal(gateway_pending(w->gateway), 0);
    http3_forget(&r);
}

static void test_broken_off(void **state)
{
    static const uint8_t body[100000];
    struct world *w = *state;
    struct http3 *h = dial(w, false);
    struct http3_request r[3] = {
        { .method = "POST", .path = "/v1/call/p" },
        { .method = "POST", .path = "/v1/call/p", .body = body, .len = sizeof(body), .hold = 5000 },
        { .method = "POST", .path = "/v1/call/p", .body = body, .len = sizeof(body) },
    };

    submit(w, h, &r[0]);
    until(w, w->job);
    http3_break(&r[0]); /* while it waits for its answer */
    until(w, w->cancelled == 1 && gateway_pending(w->gateway) == 0);
    submit(w, h, &r[1]);
    until(w, spent(w) == 5000);
    http3_break(&r[1]); /* while its body is sent */
    until(w, gateway_pending(w->gateway) == 0);
    r[2].hold = SIZE_MAX;
    submit(w, h, &r[2]);
    until(w, w->job);
    gateway_outcome(w->job, &(struct gateway_outcome){ .data = body, .len = sizeof(body) });
    http3_break(&r[2]); /* while its answer is sent */
    until(w, gateway_pending(w->gateway) == 0);
    assert_int_equal(spent(w), 0);
    assert_int_equal(w->cancelled, 1);
    for (size_t i = 0; i < 3; i++) {
        http3_forget(&r[i]);
    }
}

/* ---- strangers ---- */

static void test_stranger_too_late(void **state)
{
    struct world *w = *state;
    struct http3 *late = dial(w, true), *trusted = dial(w, false);

    w->ahead_ns = LIMIT_HTTP_STRANGER_NS + 1;
    until(w, !late->conn);
    assert_int_equal(late->end.code, NGHTTP3_H3_EXCESSIVE_LOAD);
    assert_non_null(trusted->conn);
}

static void test_strangers_limit(void **state)
{
    struct world *w = *state;
    struct http3_request r = { .method = "GET", .path = "/nowhere", .token = TOKEN };

    (void)dial(w, true);
    submit(w, &w->client[0], &r);
    until(w, r.done);
    assert_int_equal(r.status, 404);
    http3_forget(&r);
    while (w->clients < CLIENTS) {
        (void)dial(w, true);
    }
    until(w, gateway_connections(w->gateway) == CLIENTS);
    (void)dial(w, true); /* the stranger that came first is closed to make room */
    until(w, !w->client[1].conn);
    assert_int_equal(w->client[1].end.code, NGHTTP3_H3_EXCESSIVE_LOAD);
    assert_non_null(w->client[0].conn);
    assert_non_null(w->client[CLIENTS].conn);
}

/* A connection has 16 streams until it has shown the token, and then a thousand. */
static void test_stranger_streams(void **state)
{
    struct world *w = *state;
    struct http3 *h = dial(w, true);
    struct http3_request *r = calloc(LIMIT_HTTP_STREAMS + 1, sizeof(*r));
    size_t open = 0;

    assert_non_null(r);
    for (unsigned i = 0; i < 50; i++) { /* until all credit has arrived */
        tick(w);
    }
    for (size_t i = 0; i <= LIMIT_HTTP_STREAMS; i++) {
        r[i] = (struct http3_request){
            .method = "POST", .path = "/v1/call/p", .token = TOKEN, .body = "x", .len = 1
        };
    }
    while (http3_submit(h, &r[open]) == 0) {
        open++;
    }
    assert_int_equal(open, 16);
    while (open < LIMIT_HTTP_STREAMS) {
        submit(w, h, &r[open++]);
    }
    until(w, gateway_pending(w->gateway) == LIMIT_HTTP_STREAMS);
    assert_int_equal(http3_submit(h, &r[open]), RUSM_BUSY);
    http3_break(&r[0]);
    submit(w, h, &r[open++]);
    for (size_t i = 0; i < open; i++) {
        http3_forget(&r[i]);
    }
    conn_close(h->conn, NGHTTP3_H3_NO_ERROR, "");
    until(w, gateway_connections(w->gateway) == 0);
    free(r);
}

/* ---- clients that break the rules ---- */

static void expect_closed(struct world *w, struct http3 *h, uint64_t code)
{
    until(w, !h->conn);
    assert_int_equal(h->end.kind, CONN_END_PEER);
    assert_int_equal(h->end.code, code);
    until(w, gateway_connections(w->gateway) == 0);
    assert_int_equal(gateway_pending(w->gateway), 0);
}

static void test_data_before_headers(void **state)
{
    struct world *w = *state;
    struct http3 *h = dial(w, false);

    assert_int_equal(http3_raw(h, false, "\x00\x01x", 3, true), 0);
    expect_closed(w, h, NGHTTP3_H3_FRAME_UNEXPECTED);
}

static void test_second_control_stream(void **state)
{
    struct world *w = *state;
    struct http3 *h = dial(w, false);

    assert_int_equal(http3_raw(h, true, "\x00\x04\x00", 3, false), 0);
    expect_closed(w, h, NGHTTP3_H3_STREAM_CREATION_ERROR);
}

static void test_dynamic_table(void **state)
{
    struct world *w = *state;
    struct http3 *h = dial(w, false);

    /* A HEADERS frame whose prefix needs an entry of the dynamic table, which we do not have. */
    assert_int_equal(http3_raw(h, false, "\x01\x03\x05\x00\x80", 5, true), 0);
    expect_closed(w, h, NGHTTP3_QPACK_DECOMPRESSION_FAILED);
}

static void test_too_many_unis(void **state)
{
    struct world *w = *state;
    struct http3 *h = dial(w, false);

    for (size_t i = 0; i < 100 && h->conn; i++) {
        assert_int_equal(http3_raw(h, true, "\x21", 1, false), 0); /* reserved: ignored */
        tick(w);
    }
    expect_closed(w, h, NGHTTP3_H3_EXCESSIVE_LOAD);
}

static int group_setup(void **state)
{
    static char folder[SCRATCH_MAX], path[256];
    FILE *f;

    (void)state;
    assert_true(scratch_make(folder));
    snprintf(path, sizeof(path), "%s/cluster.pem", folder);
    snprintf(token_path, sizeof(token_path), "%s/token", folder);
    f = fopen(token_path, "w");
    assert_non_null(f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    fputs(TOKEN, f);
    fclose(f);
    assert_int_equal(identity_create(path, NULL), 0);
    assert_int_equal(identity_load(path, &ours, NULL), 0);
    unlink(path);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    unlink(token_path);
    *strrchr(token_path, '/') = '\0';
    rmdir(token_path);
    identity_free(ours);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slow_request),
        TEST(test_slow_response),
        TEST(test_gone),
        TEST(test_broken_off),
        TEST(test_stranger_too_late),
        TEST(test_strangers_limit),
        TEST(test_stranger_streams),
        TEST(test_data_before_headers),
        TEST(test_second_control_stream),
        TEST(test_dynamic_table),
        TEST(test_too_many_unis),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
