/* gateway: requests as a transport hands them over, and their responses: paths, methods, access,
 * budgets, slow clients, cancelling. The test's node answers what each test tells it to. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "gateway/limits.h"
#include "gateway/exchange.h"
#include "wire/rpc.h"

#define TOKEN "0123456789abcdef0123"
#define SECOND ((uint64_t)1000000000)

struct world {
    struct gateway *gateway;
    struct log log;
    struct gateway_job *job; /* begun and not over */
    unsigned begun, cancelled, ready, gave_up;
    char token[64];
};

static void begin(void *context, struct gateway_job *job)
{
    struct world *w = context;

    w->begun++;
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

static void ready(void *context, struct exchange *x)
{
    struct world *w = context;

    assert_non_null(exchange_head(x));
    w->ready++;
}

static void give_up(void *context, struct exchange *x)
{
    struct world *w = context;

    w->gave_up++;
    exchange_free(x);
}

static const struct gateway_transport transport = { .ready = ready, .give_up = give_up };

static void write_token(struct world *w, const char *text, mode_t mode)
{
    int fd;

    snprintf(w->token, sizeof(w->token), "/tmp/rusm-token-XXXXXX");
    fd = mkstemp(w->token);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int open_with(struct world *w, const char *text, mode_t mode, struct rusm_why *why)
{
    int error;

    *w = (struct world){ 0 };
    log_init(&w->log, STDERR_FILENO, RUSM_LOG_ERROR, "london");
    if (text) {
        write_token(w, text, mode);
    }
    struct gateway_options options = { .name = "london",
                                       .log = &w->log,
                                       .token = text ? w->token : NULL,
                                       .node = &node,
                                       .context = w,
                                       .seed = 1,
                                       .now_ns = SECOND };
    error = gateway_new(&w->gateway, &options, why);
    if (text) {
        unlink(w->token);
    }
    return error;
}

static void open_world(struct world *w)
{
    assert_int_equal(open_with(w, TOKEN "\n", 0600, NULL), 0);
}

static struct exchange *start(struct world *w, bool trusted)
{
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = 42 };
    struct exchange_options o = {
        .transport = &transport, .context = w, .from = (struct sockaddr *)&from, .trusted = trusted
    };

    return exchange_new(w->gateway, &o);
}

static void field(struct exchange *x, const char *name, const char *value)
{
    exchange_field(x, name, strlen(name), value, strlen(value));
}

/* Makes a whole request. The body may be NULL. */
static struct exchange *request(struct world *w, const char *method, const char *path,
                                const char *body)
{
    struct exchange *x = start(w, true);

    assert_non_null(x);
    field(x, ":method", method);
    field(x, ":path", path);
    if (exchange_head_end(x) && (!body || exchange_body(x, body, strlen(body)))) {
        exchange_end(x);
    }
    return x;
}

static const char *header(struct exchange *x, const char *name)
{
    const struct exchange_head *head = exchange_head(x);

    for (size_t i = 0; i < head->count; i++) {
        if (strcmp(head->field[i].name, name) == 0) {
            return head->field[i].value;
        }
    }
    return NULL;
}

static int status_of(struct exchange *x)
{
    return exchange_head(x) ? exchange_head(x)->status : 0;
}

/* Returns the whole body, NUL-terminated, read in small steps. */
static const char *body_of(struct exchange *x)
{
    static char text[65536];
    size_t len = 0;
    bool end = false;

    while (!end) {
        const uint8_t *data;
        size_t n = exchange_pull(x, &data, 7, &end);
        assert_true(n > 0 || end);
        assert_true(len + n < sizeof(text));
        if (n > 0) {
            memcpy(text + len, data, n);
        }
        len += n;
        exchange_acked(x, n);
    }
    text[len] = '\0';
    return text;
}

static void expect(struct exchange *x, int status, const char *part)
{
    assert_int_equal(status_of(x), status);
    assert_non_null(strstr(body_of(x), part));
    exchange_free(x);
}

static void close_world(struct world *w)
{
    assert_int_equal(gateway_pending(w->gateway), 0);
    gateway_free(w->gateway); /* checks that the whole budget is free again */
}

/* ---- routes ---- */

static void test_paths(void **state)
{
    struct world w;
    struct exchange *x;

    (void)state;
    open_world(&w);
    expect(request(&w, "GET", "/nowhere", NULL), 404, "/nowhere");
    expect(request(&w, "GET", "/v1/send/", NULL), 404, "error");
    expect(request(&w, "POST", "/v1/send/a/b", NULL), 404, "error");
    expect(request(&w, "GET", "nowhere", NULL), 400, "error");
    expect(request(&w, "GET", "", NULL), 400, "error");
    expect(request(&w, "POST", "/v1/send/%zz", NULL), 400, "escape");
    expect(request(&w, "POST", "/v1/send/a%00b", NULL), 400, "escape");
    expect(request(&w, "GET", "/v1/processes?limit=3", NULL), 400, "limit");
    expect(request(&w, "GET", "/v1/processes?%", NULL), 400, "error");
    expect(request(&w, "POST", "/v1/call/a?timeout=soon", NULL), 400, "soon");
    expect(request(&w, "POST", "/v1/call/a?timeout=1e3", NULL), 400, "1e3");
    expect(request(&w, "POST", "/v1/call/a?timeout=3601", NULL), 400, "3600");
    expect(request(&w, "POST", "/v1/call/a?global=yes", NULL), 400, "yes");
    expect(request(&w, "POST", "/v1/call/a@b?global=1", NULL), 400, "a@b");
    expect(request(&w, "POST", "/v1/call/a%20b", NULL), 400, "a b");
    x = request(&w, "PUT", "/v1/processes", NULL);
    assert_string_equal(header(x, "allow"), "GET, HEAD");
    expect(x, 405, "PUT");
    x = request(&w, "PUT", "/v1/processes/17", NULL);
    assert_string_equal(header(x, "allow"), "GET, HEAD, DELETE");
    expect(x, 405, "DELETE");
    expect(request(&w, "GET", "/v1/processes", "body"), 413, "no body");
    assert_int_equal(w.begun, 0);
    close_world(&w);
}

static void test_call(void **state)
{
    struct world w;
    struct exchange *x;

    (void)state;
    open_world(&w);
    x = request(&w, "POST", "/v1/call/caf%C3%A9@oslo?timeout=1.5", "hello");
    assert_int_equal(w.begun, 1);
    assert_string_equal(w.job->process, "caf\xc3\xa9@oslo");
    assert_int_equal(w.job->op, GATEWAY_CALL);
    assert_int_equal(w.job->timeout_ms, 1500);
    assert_memory_equal(w.job->data, "hello", 5);
    assert_int_equal(status_of(x), 0);
    gateway_taken(w.job);
    gateway_outcome(w.job, &(struct gateway_outcome){ .data = "hello, you", .len = 10 });
    assert_int_equal(w.ready, 1);
    assert_string_equal(header(x, "content-type"), "application/octet-stream");
    expect(x, 200, "hello, you");
    close_world(&w);
}

static void test_outcomes(void **state)
{
    static const struct {
        struct gateway_outcome outcome;
        int status;
        const char *part;
    } cases[] = {
        { { .error = RUSM_ENOPROC }, 404, "no process 'p'" },
        { { .error = RUSM_ENOPROC, .ended = true, .text = "crashed: x" }, 502, "crashed: x" },
        { { .error = RUSM_BUSY }, 503, "try again" },
        { { .error = RUSM_ETIMEOUT }, 504, "timeout" },
        { { .error = RUSM_ENOCONN }, 502, "/v1/peers" },
        { { .error = RUSM_ELIMIT }, 503, "limit" },
        { { .error = RUSM_ECLOSED }, 503, "stopping" },
        { { .error = RUSM_EIO }, 500, "error" },
        { { .error = RUSM_ENOPROC, .ended = true, .text = "\xff\"\n" }, 502, "\\\\xff\\\"\\\\x0a" },
    };
    struct world w;

    (void)state;
    open_world(&w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct exchange *x = request(&w, "POST", "/v1/call/p", "hello");
        gateway_outcome(w.job, &cases[i].outcome);
        if (cases[i].status == 503) {
            assert_non_null(header(x, "retry-after"));
        }
        expect(x, cases[i].status, cases[i].part);
    }
    close_world(&w);
}

static void test_send_and_kill(void **state)
{
    struct world w;
    struct exchange *x;

    (void)state;
    open_world(&w);
    x = request(&w, "POST", "/v1/send/postman?global", "");
    assert_true(w.job->global);
    gateway_outcome(w.job, &(struct gateway_outcome){ .error = RUSM_ETIMEOUT });
    expect(x, 504, "no receipt of 'postman' within 5.000 s");
    x = request(&w, "POST", "/v1/send/greeter?timeout=0.5", "hi");
    assert_int_equal(w.job->timeout_ms, 500);
    gateway_outcome(w.job, &(struct gateway_outcome){ 0 });
    expect(x, 204, "");
    x = request(&w, "POST", "/v1/send/t%40tokyo", "hi");
    gateway_outcome(w.job, &(struct gateway_outcome){ .error = RUSM_ENOCONN, .ended = true });
    expect(x, 502, "the node of 't@tokyo' was lost: the message may have arrived");
    x = request(&w, "DELETE", "/v1/processes/t@tokyo", NULL);
    gateway_outcome(w.job, &(struct gateway_outcome){ .on_its_way = true });
    expect(x, 202, "");
    x = request(&w, "DELETE", "/v1/processes/17%40london%23afa0?reason=enough", NULL);
    assert_string_equal(w.job->process, "17@london#afa0");
    assert_string_equal(w.job->reason, "enough");
    gateway_outcome(w.job, &(struct gateway_outcome){ 0 });
    expect(x, 204, "");
    close_world(&w);
}

/* Decodes the spawn that the job asks of the node. */
static struct spawn job_spawn(const struct gateway_job *job)
{
    struct reader fields = reader_on(job->data, job->len);
    struct spawn spawn;

    assert_int_equal(job->op, GATEWAY_REQUEST);
    assert_int_equal(job->request, OP_SPAWN);
    assert_int_equal(spawn_decode(&fields, &spawn), 0);
    return spawn;
}

/* Checks the next argument. */
static void assert_arg(struct spawn *spawn, const char *text)
{
    size_t len;
    const uint8_t *arg = reader_text(&spawn->args, &len, strlen(text));

    assert_int_equal(len, strlen(text));
    assert_memory_equal(arg, text, len);
}

static void test_spawn(void **state)
{
    static const char json[] = "{\"args\": [\"a b\", \"c\"], \"global\": \"postman\"}";
    static const struct {
        const char *path, *body, *part;
    } bad[] = {
        { "/v1/spawn/echo", "[]", "object" },
        { "/v1/spawn/echo", "{", "object" },
        { "/v1/spawn/echo", "{\"args\": 1}", "args" },
        { "/v1/spawn/echo", "{\"args\": [1]}", "strings" },
        { "/v1/spawn/echo", "{\"name\": \"a\", \"global\": \"b\"}", "not both" },
        { "/v1/spawn/echo", "{\"name\": \"a b\"}", "not a process" },
        { "/v1/spawn/echo", "{\"nmae\": \"a\"}", "nmae" },
        { "/v1/spawn/echo?name=17", NULL, "not a process" },
    };
    struct world w;
    struct spawn spawn;
    struct writer pid;
    uint8_t body[64];
    struct exchange *x;

    (void)state;
    open_world(&w);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect(request(&w, "POST", bad[i].path, bad[i].body), 400, bad[i].part);
    }
    assert_int_equal(w.begun, 0);
    x = request(&w, "POST", "/v1/spawn/relay", json);
    spawn = job_spawn(w.job);
    assert_memory_equal(spawn.spawnable, "relay", 5);
    assert_arg(&spawn, "a b");
    assert_int_equal(spawn.arg_count, 2);
    assert_memory_equal(spawn.name, "postman", 7);
    assert_int_equal(spawn.scope, SPAWN_GLOBAL);
    pid = writer_on(body, sizeof(body));
    wire_pid_write(&pid, &(struct wire_pid){ .serial = 3, .incarnation = 0x5f, .node = "" });
    gateway_outcome(w.job, &(struct gateway_outcome){ .data = body, .len = writer_len(&pid) });
    assert_string_equal(header(x, "location"), "/v1/processes/3@london%235f");
    expect(x, 201, "{\"pid\": \"3@london#5f\"}");
    x = request(&w, "POST", "/v1/spawn/relay?arg=x&arg=y%26&name=n", NULL);
    spawn = job_spawn(w.job);
    assert_arg(&spawn, "x");
    assert_arg(&spawn, "y&");
    assert_int_equal(spawn.scope, SPAWN_LOCAL);
    gateway_outcome(w.job, &(struct gateway_outcome){ .error = RUSM_EEXIST, .text = "taken" });
    expect(x, 409, "taken");
    close_world(&w);
}

/* ---- access ---- */

static int status_with(struct world *w, const char *authorization)
{
    struct exchange *x = start(w, false);
    int status;

    field(x, ":method", "PUT");
    field(x, ":path", "/v1/processes");
    if (authorization) {
        field(x, "authorization", authorization);
    }
    assert_false(exchange_head_end(x));
    status = status_of(x);
    exchange_free(x);
    return status;
}

static void test_token(void **state)
{
    struct world w;
    uint64_t now_ns = SECOND;

    (void)state;
    open_world(&w);
    assert_int_equal(status_with(&w, NULL), 401); /* not even that there is no PUT */
    assert_int_equal(status_with(&w, "Bearer " TOKEN), 405);
    assert_int_equal(status_with(&w, "bearer " TOKEN), 405);
    assert_int_equal(status_with(&w, "Basic " TOKEN), 401);
    assert_int_equal(status_with(&w, "Bearer " TOKEN "x"), 401);
    assert_int_equal(status_with(&w, "Bearer 0123456789abcdef012"), 401);
    assert_int_equal(status_with(&w, "Bearer " TOKEN TOKEN), 401);
    assert_int_equal(status_with(&w, "Bearer "), 401);
    for (unsigned i = 0; i < LIMIT_HTTP_WRONG; i++) {
        (void)status_with(&w, "Bearer wrong");
    }
    assert_int_equal(status_with(&w, "Bearer wrong"), 429);
    assert_int_equal(status_with(&w, "Bearer " TOKEN), 405); /* the right one is taken always */
    assert_int_equal(status_with(&w, "Bearer wrong"), 429);
    assert_int_equal(gateway_counters(w.gateway)->refused, 6 + LIMIT_HTTP_WRONG + 2);
    assert_int_equal(status_with(&w, NULL), 401);
    now_ns += LIMIT_HTTP_WRONG_NS;
    gateway_tick(w.gateway, now_ns);
    assert_int_equal(status_with(&w, "Bearer wrong"), 401);
    close_world(&w);
}

static void test_token_file(void **state)
{
    struct rusm_why why = { "" };
    struct world w;

    (void)state;
    assert_int_equal(open_with(&w, TOKEN, 0640, &why), RUSM_EREFUSED);
    assert_non_null(strstr(why.text, "chmod 600"));
    assert_int_equal(open_with(&w, "short", 0600, &why), RUSM_EMALFORMED);
    assert_int_equal(open_with(&w, TOKEN " " TOKEN, 0600, &why), RUSM_EMALFORMED);
    assert_int_equal(open_with(&w, "", 0600, &why), RUSM_EMALFORMED);
    assert_int_equal(open_with(&w, NULL, 0, &why), 0);
    assert_false(gateway_has_token(w.gateway));
    assert_int_equal(status_with(&w, "Bearer "), 401);
    close_world(&w);
}

/* ---- limits ---- */

static void test_fields_limit(void **state)
{
    struct exchange *x;
    struct world w;
    char value[1024];

    (void)state;
    open_world(&w);
    memset(value, 'a', sizeof(value));
    x = start(&w, true);
    field(x, ":method", "GET");
    field(x, ":path", "/v1/processes");
    for (unsigned i = 0; i < LIMIT_HTTP_FIELDS / sizeof(value); i++) {
        exchange_field(x, "x", 1, value, sizeof(value));
    }
    assert_false(exchange_head_end(x));
    expect(x, 431, "may have at most");
    close_world(&w);
}

static struct exchange *upload(struct world *w, const char *length)
{
    struct exchange *x = start(w, true);

    field(x, ":method", "POST");
    field(x, ":path", "/v1/call/p");
    if (length) {
        field(x, "content-length", length);
    }
    exchange_head_end(x);
    return x;
}

static void test_body_limits(void **state)
{
    static char block[1024 * 1024];
    struct exchange *x[4];
    struct world w;

    (void)state;
    open_world(&w);
    expect(upload(&w, "67108865"), 413, "67108864");
    expect(upload(&w, "18446744073709551616"), 400, "content-length");
    expect(upload(&w, "-1"), 400, "content-length");
    x[0] = upload(&w, NULL);
    for (unsigned i = 0; i < 64; i++) {
        assert_true(exchange_body(x[0], block, sizeof(block)));
    }
    assert_false(exchange_body(x[0], block, 1));
    expect(x[0], 413, "67108864");
    /* All bodies share a budget. A third one is too many, whether its length was announced or
     * not. */
    for (unsigned j = 0; j < 2; j++) {
        x[j] = upload(&w, "67108864");
        for (unsigned i = 0; i < 64; i++) {
            assert_true(exchange_body(x[j], block, sizeof(block)));
        }
    }
    expect(upload(&w, "1"), 503, "try again");
    x[2] = upload(&w, NULL);
    assert_false(exchange_body(x[2], block, 1));
    expect(x[2], 503, "try again");
    exchange_free(x[1]);
    x[2] = upload(&w, NULL);
    assert_true(exchange_body(x[2], block, 1));
    exchange_free(x[0]);
    exchange_free(x[2]);
    close_world(&w);
}

static void test_requests_limit(void **state)
{
    struct exchange **x = calloc(LIMIT_HTTP_REQUESTS, sizeof(struct exchange *));
    struct world w;

    (void)state;
    open_world(&w);
    for (size_t i = 0; i < LIMIT_HTTP_REQUESTS; i++) {
        x[i] = start(&w, true);
        assert_non_null(x[i]);
    }
    assert_null(start(&w, true));
    assert_int_equal(gateway_counters(w.gateway)->busy, 1);
    assert_int_equal(gateway_counters(w.gateway)->requests, LIMIT_HTTP_REQUESTS + 1);
    for (size_t i = 0; i < LIMIT_HTTP_REQUESTS; i++) {
        exchange_free(x[i]);
    }
    free(x);
    close_world(&w);
}

/* ---- slow clients ---- */

static void test_slow_request(void **state)
{
    struct world w;
    struct exchange *x;
    uint64_t now_ns = SECOND;

    (void)state;
    open_world(&w);
    assert_true(gateway_tick(w.gateway, now_ns) == UINT64_MAX);
    x = upload(&w, NULL);
    for (unsigned i = 0; i < 4; i++) { /* one byte now and then is too slow */
        assert_true(gateway_tick(w.gateway, now_ns) == SECOND + LIMIT_HTTP_STALL_NS);
        now_ns += LIMIT_HTTP_STALL_NS / 5;
        assert_true(exchange_body(x, "a", 1));
    }
    gateway_tick(w.gateway, SECOND + LIMIT_HTTP_STALL_NS);
    expect(x, 408, "faster");
    assert_int_equal(gateway_counters(w.gateway)->slow, 1);
    close_world(&w);
}

static void test_slow_response(void **state)
{
    struct world w;
    struct exchange *x;
    uint64_t now_ns = SECOND + 100 * LIMIT_HTTP_STALL_NS;

    (void)state;
    open_world(&w);
    x = request(&w, "POST", "/v1/call/p", "hello");
    gateway_tick(w.gateway, now_ns); /* the node is slow, not the client */
    assert_int_equal(status_of(x), 0);
    gateway_outcome(w.job, &(struct gateway_outcome){ .data = "hello", .len = 5 });
    now_ns += LIMIT_HTTP_STALL_NS - 1;
    gateway_tick(w.gateway, now_ns);
    assert_int_equal(w.gave_up, 0);
    gateway_tick(w.gateway, now_ns + 1);
    assert_int_equal(w.gave_up, 1);
    assert_int_equal(gateway_counters(w.gateway)->slow, 1);
    close_world(&w);
}

static void test_cancel(void **state)
{
    struct world w;
    struct exchange *x;

    (void)state;
    open_world(&w);
    x = request(&w, "POST", "/v1/call/p", "hello");
    exchange_free(x);
    assert_int_equal(w.cancelled, 1);
    assert_int_equal(w.ready, 0);
    gateway_leave(w.gateway);
    expect(request(&w, "POST", "/v1/call/p", "hello"), 503, "stopping");
    close_world(&w);
}

/* ---- streams ---- */

static unsigned drains;

static void drained(struct exchange *x)
{
    (void)x;
    drains++;
}

static void test_stream(void **state)
{
    static char block[LIMIT_HTTP_STREAM];
    const uint8_t *first, *second;
    struct world w;
    struct exchange *x;
    bool end;

    (void)state;
    open_world(&w);
    x = request(&w, "POST", "/v1/call/p", "hello");
    x->drained = drained;
    answer_stream(x, "text/event-stream");
    assert_true(exchange_head(x)->length == EXCHANGE_STREAMED);
    assert_int_equal(exchange_pull(x, &first, 10, &end), 0);
    assert_false(end);
    assert_int_equal(answer_write(x, "one", 3), 0);
    assert_int_equal(exchange_pull(x, &first, 10, &end), 3);
    assert_int_equal(answer_write(x, "three", 5), 0);
    assert_int_equal(exchange_pull(x, &second, 2, &end), 2);
    assert_memory_equal(first, "one", 3); /* the bytes stay where they are until acked */
    assert_int_equal(answer_write(x, block, sizeof(block)), RUSM_BUSY);
    exchange_acked(x, 5);
    assert_int_equal(drains, 0);
    assert_int_equal(exchange_pull(x, &second, 10, &end), 3);
    assert_memory_equal(second, "ree", 3);
    exchange_acked(x, 3);
    assert_int_equal(drains, 1);
    assert_int_equal(answer_write(x, block, sizeof(block)), 0);
    answer_end(x);
    assert_int_equal(exchange_pull(x, &second, sizeof(block), &end), sizeof(block));
    assert_true(end);
    exchange_free(x);
    assert_int_equal(w.cancelled, 1);
    close_world(&w);
}

static void test_head(void **state)
{
    struct world w;
    struct exchange *x;
    const uint8_t *data;
    bool end;

    (void)state;
    open_world(&w);
    x = request(&w, "HEAD", "/nowhere", NULL);
    assert_int_equal(status_of(x), 404);
    assert_true(exchange_head(x)->length > 10);
    assert_int_equal(exchange_pull(x, &data, 10, &end), 0);
    assert_true(end);
    exchange_free(x);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),        cmocka_unit_test(test_call),
        cmocka_unit_test(test_outcomes),     cmocka_unit_test(test_send_and_kill),
        cmocka_unit_test(test_spawn),        cmocka_unit_test(test_token),
        cmocka_unit_test(test_token_file),   cmocka_unit_test(test_fields_limit),
        cmocka_unit_test(test_body_limits),  cmocka_unit_test(test_requests_limit),
        cmocka_unit_test(test_slow_request), cmocka_unit_test(test_slow_response),
        cmocka_unit_test(test_cancel),       cmocka_unit_test(test_stream),
        cmocka_unit_test(test_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
