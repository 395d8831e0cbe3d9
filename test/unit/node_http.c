/* node/http, gateway/h3: a real node and a real HTTP/3 client: what each route must take and what
 * it must refuse. */
#include "doubles/scene.h"

#include <arpa/inet.h>
#include "doubles/http3.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

struct web {
    struct scene *s;
    struct identity *identity;
    struct http3 client;
    struct http3_request last;
};

static void web_dial(struct web *w, bool anonymous)
{
    const char *address = rusm_node_address(w->s->node), *colon = strrchr(address, ':');
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)atoi(colon + 1)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    assert_int_equal(http3_open(&w->client, (struct sockaddr *)&to, sizeof(to), w->identity,
                                anonymous),
                     0);
}

static int web_setup(void **state)
{
    struct web *w = calloc(1, sizeof(*w));
    void *scene = NULL;
    struct rusm_why why;

    if (!w || setup_with(&scene, TOKEN "\n") != 0) {
        return -1;
    }
    w->s = scene;
    *state = w;
    if (identity_load(w->s->identity, &w->identity, &why) != 0) {
        return -1;
    }
    web_dial(w, false);
    return 0;
}

static int web_teardown(void **state)
{
    struct web *w = *state;
    void *scene = w->s;

    http3_forget(&w->last);
    http3_close(&w->client);
    int status = teardown(&scene);
    identity_free(w->identity);
    free(w);
    return status;
}

#define WEB(name) cmocka_unit_test_setup_teardown(name, web_setup, web_teardown)

/* Submits the request as soon as the server allows it. */
static void begin(struct web *w, struct http3_request *r)
{
    int error;

    while ((error = w->client.ready ? http3_submit(&w->client, r) : RUSM_BUSY) == RUSM_BUSY) {
        assert_non_null(w->client.conn);
        http3_tick(&w->client, 5);
    }
    assert_int_equal(error, 0);
}

static const char *text(struct http3_request *r)
{
    assert_int_equal(buf_append(&r->answer, "", 1), 0);
    return (const char *)buf_data(&r->answer);
}

/* Makes one request and waits for its end. Returns its status. */
static int ask_with(struct web *w, const char *method, const char *path, const char *body,
                    const char *token, const char *const *fields)
{
    http3_forget(&w->last);
    w->last = (struct http3_request){ .method = method,
                                      .path = path,
                                      .token = token,
                                      .fields = fields,
                                      .body = body,
                                      .len = body ? strlen(body) : 0,
                                      .hold = SIZE_MAX };
    begin(w, &w->last);
    if (!http3_wait(&w->client, &w->last, 10)) {
        fail_msg("%s %s: no answer: %s", method, path, w->client.end.text);
    }
    return w->last.status;
}

static int ask(struct web *w, const char *method, const char *path, const char *body)
{
    return ask_with(w, method, path, body, NULL, NULL);
}

#define expect_text(w, part)                           \
    do {                                               \
        const char *text_ = text(&(w)->last);          \
        if (!strstr(text_, part)) {                    \
            fail_msg("'%s' has no '%s'", text_, part); \
        }                                              \
    } while (0)

/* ---- routes ---- */

static void test_tables(void **state)
{
    struct web *w = *state;

    assert_int_equal(ask(w, "GET", "/v1/node", NULL), 200);
    expect_text(w, "{\"node\":[\n{\"name\":\"london\",\"address\":\"127.0.0.1:");
    assert_non_null(strstr(w->last.head, "content-type: application/json\n"));
    assert_int_equal(ask(w, "GET", "/v1/processes", NULL), 200);
    expect_text(w, "{\"processes\":[\n{\"pid\":\"1@london#");
    expect_text(w, "\"name\":\"echo\",\"behaviour\":\"echo\",\"state\":\"waiting\",\"mailbox\":0,");
    expect_text(w, "}\n]}\n");
    assert_int_equal(ask(w, "GET", "/v1/peers", NULL), 200);
    assert_string_equal(text(&w->last), "{\"peers\":[]}\n");
    assert_int_equal(ask(w, "GET", "/v1/names", NULL), 200);
    expect_text(w, "{\"name\":\"stuck\",\"pid\":\"");
    assert_int_equal(ask(w, "GET", "/v1/spawnables", NULL), 200);
    expect_text(w, "{\"name\":\"broken\",\"behaviour\":\"broken\"}");
    assert_int_equal(ask(w, "GET", "/v1/counters", NULL), 200);
    expect_text(w, "{\"counter\":\"connections\",\"value\":");
    assert_int_equal(ask(w, "HEAD", "/v1/processes", NULL), 200);
    assert_int_equal(buf_len(&w->last.answer), 0);
    assert_int_equal(ask(w, "POST", "/v1/processes", ""), 405);
    assert_non_null(strstr(w->last.head, "allow: GET, HEAD\n"));
    assert_int_equal(ask(w, "GET", "/v1/nothing", NULL), 404);
    assert_int_equal(ask(w, "GET", "/v1/processes?x=1", NULL), 400);
}

static void test_process(void **state)
{
    struct web *w = *state;

    assert_int_equal(ask(w, "GET", "/v1/processes/echo", NULL), 200);
    expect_text(w, "{\"process\":{\"pid\":\"");
    expect_text(w, "\"name\":\"echo\",\"behaviour\":\"echo\",\"state\":\"waiting\",");
    expect_text(w, "\"relations\":[{\"relation\":\"name\",\"pid\":\"\",\"name\":\"echo\",");
    assert_int_equal(ask(w, "POST", "/v1/send/stuck", "hello"), 204);
    assert_int_equal(ask(w, "GET", "/v1/processes/stuck", NULL), 200);
    expect_text(w, "{\"relation\":\"message\",\"pid\":\"");
    expect_text(w, "\"bytes\":5}");
    assert_int_equal(ask(w, "GET", "/v1/processes/nobody", NULL), 404);
    assert_int_equal(ask(w, "GET", "/v1/processes/999@london", NULL), 404);
    assert_int_equal(ask(w, "GET", "/v1/processes/echo@oslo", NULL), 400);
    expect_text(w, "ask the other one");
    assert_int_equal(ask(w, "GET", "/v1/processes/a%20b", NULL), 400);
}

static void test_call(void **state)
{
    struct web *w = *state;
    char path[RUSM_PID_TEXT_MAX + 32];

    assert_int_equal(ask(w, "POST", "/v1/call/echo", "hello"), 200);
    assert_string_equal(text(&w->last), "hello");
    assert_non_null(strstr(w->last.head, "content-type: application/octet-stream\n"));
    assert_non_null(strstr(w->last.head, "content-length: 5\n"));
    assert_int_equal(ask(w, "POST", "/v1/call/echo", NULL), 200);
    assert_int_equal(buf_len(&w->last.answer), 0);
    assert_int_equal(ask(w, "POST", "/v1/call/echo@london", "x"), 200);
    assert_int_equal(ask(w, "POST", "/v1/call/nobody", "x"), 404);
    expect_text(w, "{\"error\": \"no process 'nobody'\"}");
    assert_int_equal(ask(w, "POST", "/v1/call/17@london%231", "x"), 404);
    assert_int_equal(ask(w, "POST", "/v1/call/echo@oslo", "x"), 502);
    assert_int_equal(ask(w, "POST", "/v1/call/mute?timeout=0.05", "x"), 504);
    assert_int_equal(ask(w, "POST", "/v1/call/crash", "x"), 502);
    expect_text(w, "crashed: x");
    assert_int_equal(ask(w, "POST", "/v1/call/postman?global=1", "x"), 404);
    assert_int_equal(ask(w, "POST", "/v1/spawn/echo?global=postman", NULL), 201);
    expect_text(w, "{\"pid\": \"");
    snprintf(path, sizeof(path), "/v1/call/%.*s%%23%s", (int)strcspn(text(&w->last) + 9, "#"),
             text(&w->last) + 9, strchr(text(&w->last), '#') + 1);
    *strchr(path, '"') = '\0';
    assert_int_equal(ask(w, "POST", path, "by pid"), 200);
    assert_string_equal(text(&w->last), "by pid");
    assert_int_equal(ask(w, "POST", "/v1/call/postman?global=1", "by name"), 200);
    assert_string_equal(text(&w->last), "by name");
}

static void test_send(void **state)
{
    struct web *w = *state;
    int status = 204, sent;

    assert_int_equal(ask(w, "POST", "/v1/send/echo", "hello"), 204);
    assert_int_equal(ask(w, "POST", "/v1/send/nobody", "hello"), 404);
    assert_int_equal(ask(w, "POST", "/v1/send/echo@oslo", "hello"), 502);
    for (sent = 0; sent <= MAILBOX + 1 && status == 204; sent++) {
        status = ask(w, "POST", "/v1/send/stuck", "hello");
    }
    assert_int_equal(status, 503);
    assert_in_range(sent, MAILBOX, MAILBOX + 2);
    assert_non_null(strstr(w->last.head, "retry-after: 1\n"));
    expect_text(w, "try again");
    assert_int_equal(ask(w, "POST", "/v1/call/stuck", "hello"), 503);
}

static void test_spawn_and_kill(void **state)
{
    static const char *const json[] = { "content-type", "application/json", NULL };
    static const char *const plain[] = { "content-type", "text/plain", NULL };
    struct web *w = *state;
    char path[RUSM_PID_TEXT_MAX + 32];
    const char *location;

    assert_int_equal(ask_with(w, "POST", "/v1/spawn/echo", "{\"name\": \"e2\"}", NULL, json), 201);
    location = strstr(w->last.head, "location: ");
    assert_non_null(location);
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(location + 10, "\n"), location + 10);
    assert_int_equal(ask(w, "POST", "/v1/call/e2", "hello"), 200);
    assert_int_equal(ask(w, "POST", "/v1/spawn/echo?name=e2", NULL), 409);
    expect_text(w, "taken");
    assert_int_equal(ask_with(w, "POST", "/v1/spawn/echo", "{}", NULL, plain), 415);
    assert_int_equal(ask_with(w, "POST", "/v1/spawn/echo", "{", NULL, json), 400);
    assert_int_equal(ask(w, "POST", "/v1/spawn/nothing", NULL), 404);
    expect_text(w, "known: ");
    assert_int_equal(ask_with(w, "POST", "/v1/spawn/broken", "{\"args\": [\"a\", \"b\"]}", NULL,
                              json),
                     422);
    expect_text(w, "no luck with 2 arguments");
    assert_int_equal(ask(w, "DELETE", path, NULL), 204);
    assert_int_equal(ask(w, "DELETE", path, NULL), 404);
    assert_int_equal(ask(w, "POST", "/v1/call/e2", "hello"), 404);
    assert_int_equal(ask(w, "DELETE", "/v1/processes/99?reason=x", NULL), 404);
    assert_int_equal(ask(w, "GET", path, NULL), 404);
    assert_int_equal(ask(w, "PUT", path, NULL), 405);
}

/* The gateway's process is killed. A request that waits gets a 503, and the next one has a new
 * process. */
static void test_process_killed(void **state)
{
    struct web *w = *state;
    struct http3_request r = { .method = "POST", .path = "/v1/call/mute", .hold = SIZE_MAX };
    const char *row, *pid;
    char path[RUSM_PID_TEXT_MAX + 32];

    begin(w, &r);
    assert_int_equal(ask(w, "GET", "/v1/processes", NULL), 200);
    row = strstr(text(&w->last), "\"behaviour\":\"gateway\"");
    assert_non_null(row);
    while (*row != '{') {
        row--;
    }
    pid = row + strlen("{\"pid\":\"");
    snprintf(path, sizeof(path), "/v1/processes/%.*s", (int)strcspn(pid, "@"), pid);
    assert_int_equal(ask(w, "DELETE", path, NULL), 204);
    assert_true(http3_wait(&w->client, &r, 10));
    assert_int_equal(r.status, 503);
    http3_forget(&r);
    assert_int_equal(ask(w, "POST", "/v1/call/echo", "again"), 200);
}

/* ---- access ---- */

static void test_token(void **state)
{
    struct web *w = *state;

    http3_close(&w->client);
    web_dial(w, true);
    assert_int_equal(ask(w, "GET", "/v1/processes", NULL), 401);
    assert_non_null(strstr(w->last.head, "www-authenticate: Bearer\n"));
    assert_int_equal(ask_with(w, "GET", "/v1/processes", NULL, "wrong", NULL), 401);
    assert_int_equal(ask_with(w, "POST", "/v1/call/echo", "x", "0123456789abcdef0123456789abcdeF",
                              NULL),
                     401);
    assert_int_equal(ask_with(w, "POST", "/v1/call/echo", "x", TOKEN, NULL), 200);
    assert_int_equal(ask(w, "POST", "/v1/call/echo", "x"), 401); /* each request needs the token */
    for (int i = 0; i < 10; i++) {
        (void)ask_with(w, "GET", "/", NULL, "wrong", NULL);
    }
    assert_int_equal(ask_with(w, "POST", "/v1/call/echo", "x", "wrong", NULL), 429);
    assert_int_equal(ask_with(w, "POST", "/v1/call/echo", "x", TOKEN, NULL), 200);
    http3_close(&w->client);
    web_dial(w, false); /* the limit does not hold up clients with the certificate */
    assert_int_equal(ask(w, "POST", "/v1/call/echo", "x"), 200);
}

static void test_foreign_certificate(void **state)
{
    struct web *w = *state;
    struct identity *ours = w->identity, *theirs;
    char path[256];
    struct rusm_why why;

    folder_path(w->s->folder, "other.pem", path);
    assert_int_equal(identity_create(path, &why), 0);
    assert_int_equal(identity_load(path, &theirs, &why), 0);
    http3_close(&w->client);
    w->identity = theirs;
    web_dial(w, false);
    while (w->client.conn) {
        http3_tick(&w->client, 5);
    }
    assert_int_equal(w->client.end.kind, CONN_END_REFUSED);
    w->identity = ours;
    identity_free(theirs);
}

/* ---- limits ---- */

static void test_oversized(void **state)
{
    static char huge[5000], value[1500];
    const char *fields[33] = { NULL };
    struct web *w = *state;
    size_t len = RUSM_MESSAGE_MAX + 1;
    char *body = calloc(1, len);
    struct http3_request r = {
        .method = "POST", .path = "/v1/call/echo", .body = body, .len = len, .hold = SIZE_MAX
    };

    assert_non_null(body);
    memset(huge, 'a', sizeof(huge) - 1);
    huge[0] = '/';
    assert_int_equal(ask(w, "GET", huge, NULL), 431);
    memset(value, 'a', sizeof(value) - 1);
    for (size_t i = 0; i < 24; i += 2) {
        fields[i] = "x-field";
        fields[i + 1] = value;
    }
    assert_int_equal(ask_with(w, "GET", "/v1/node", NULL, NULL, fields), 431);
    begin(w, &r);
    assert_true(http3_wait(&w->client, &r, 20));
    assert_int_equal(r.status, 413);
    http3_forget(&r);
    r.len--; /* the longest message, there and back */
    r.sent = 0;
    r.done = false;
    begin(w, &r);
    assert_true(http3_wait(&w->client, &r, 20));
    assert_int_equal(r.status, 200);
    assert_int_equal(buf_len(&r.answer), len - 1);
    http3_forget(&r);
    free(body);
    r = (struct http3_request){ .method = "POST",
                                .path = "/v1/call/echo",
                                .fields =
                                    (const char *const[]){ "content-length", "67108865", NULL },
                                .body = "x",
                                .len = 67108865 };
    begin(w, &r); /* refused before a byte of the body came */
    assert_true(http3_wait(&w->client, &r, 10));
    assert_int_equal(r.status, 413);
    http3_forget(&r);
}

#define MANY 1000

/* A thousand requests at once on one connection, answered in any order. */
static void test_many(void **state)
{
    struct web *w = *state;
    struct http3_request *r = calloc(MANY, sizeof(*r));
    const char *row;

    assert_non_null(r);
    assert_int_equal(ask(w, "POST", "/v1/spawn/mute?name=m", NULL), 201);
    for (size_t i = 0; i < MANY; i++) {
        /* Calls that are never answered stay open. The process takes all messages, so its mailbox
         * never fills for long. */
        r[i] = (struct http3_request){ .method = "POST",
                                       .path = "/v1/call/m?timeout=60",
                                       .body = "x",
                                       .len = 1,
                                       .hold = SIZE_MAX };
        begin(w, &r[i]);
    }
    assert_int_equal(ask(w, "POST", "/v1/call/echo", "meanwhile"), 200);
    do { /* a mailbox takes 8 at a time, but none is refused */
        assert_int_equal(ask(w, "GET", "/v1/processes", NULL), 200);
        row = strstr(text(&w->last), "\"name\":\"m\"");
        assert_non_null(row);
    } while (strncmp(strstr(row, "\"received\":"), "\"received\":1000,", 16) != 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(r[i].status, 0);
    }
    assert_int_equal(ask(w, "DELETE", "/v1/processes/m", NULL), 204);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(http3_wait(&w->client, &r[i], 10));
        assert_int_equal(r[i].status, 502);
        http3_forget(&r[i]);
    }
    free(r);
}

/* A long response does not hold up short ones. */
static void test_rounds(void **state)
{
    struct web *w = *state;
    size_t len = RUSM_MESSAGE_MAX;
    char *body = calloc(1, len);
    struct http3_request r = {
        .method = "POST", .path = "/v1/call/echo", .body = body, .len = len, .hold = SIZE_MAX
    };

    assert_non_null(body);
    http3_close(&w->client);
    w->client.window = 2 * len; /* enough credit, so that it waits only for its round */
    web_dial(w, false);
    begin(w, &r);
    while (r.status == 0) {
        assert_non_null(w->client.conn);
        http3_tick(&w->client, 5);
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(w, "GET", "/v1/node", NULL), 200);
    }
    assert_false(r.done);
    assert_true(http3_wait(&w->client, &r, 20));
    assert_int_equal(buf_len(&r.answer), len);
    http3_forget(&r);
    free(body);
}

/* If the client breaks a call off, the call is over for the callee too. */
static void test_cancelled(void **state)
{
    struct web *w = *state;
    struct http3_request r = { .method = "POST", .path = "/v1/call/mute?timeout=60" };

    begin(w, &r);
    assert_int_equal(ask(w, "POST", "/v1/call/echo", "x"), 200);
    assert_int_equal(ask(w, "GET", "/v1/processes", NULL), 200);
    const char *mute_row = strstr(text(&w->last), "\"name\":\"mute\"");
    assert_non_null(mute_row);
    assert_non_null(strstr(mute_row, "\"links\":2,")); /* its supervisor's and the call's */
    http3_break(&r);
    do {
        assert_int_equal(ask(w, "GET", "/v1/processes", NULL), 200);
        mute_row = strstr(text(&w->last), "\"name\":\"mute\"");
    } while (strncmp(strstr(mute_row, "\"links\":"), "\"links\":1,", 10) != 0);
    http3_forget(&r);
}

/* ---- leaving ---- */

static void test_leave(void **state)
{
    struct web *w = *state;
    struct http3_request r = { .method = "POST", .path = "/v1/call/mute?timeout=60" };

    begin(w, &r);
    assert_int_equal(ask(w, "POST", "/v1/call/echo", "x"), 200);
    rusm_node_stop(w->s->node);
    while (w->client.conn) {
        http3_tick(&w->client, 5);
    }
    assert_true(w->client.going > 0);
    assert_int_equal(r.status, 502); /* the process is ended before the connection */
    assert_int_equal(w->client.end.kind, CONN_END_PEER);
    assert_int_equal(w->client.end.code, NGHTTP3_H3_NO_ERROR);
    http3_forget(&r);
}

/* ---- the page, metrics and events ---- */

static void test_page(void **state)
{
    struct web *w = *state;

    http3_close(&w->client);
    web_dial(w, true); /* the page is for everyone, the rest is not */
    assert_int_equal(ask(w, "GET", "/", NULL), 200);
    expect_text(w, "<!DOCTYPE html>");
    assert_non_null(strstr(w->last.head, "content-security-policy: default-src 'none';"));
    assert_int_equal(ask(w, "GET", "/page.js", NULL), 200);
    assert_int_equal(ask(w, "GET", "/metrics", NULL), 401);
    assert_int_equal(ask(w, "GET", "/v1/events", NULL), 401);
}

static void test_metrics(void **state)
{
    struct web *w = *state;

    assert_int_equal(ask(w, "GET", "/metrics", NULL), 200);
    assert_non_null(strstr(w->last.head, "content-type: text/plain; version=0.0.4;"));
    expect_text(w, "rusm_node_info{name=\"london\",");
    expect_text(w, "\nrusm_processes_started_total 5\n");
    assert_null(strstr(text(&w->last), "# EOF"));
}

static bool holds(const struct http3_request *r, const char *part)
{
    return buf_len(&r->answer) > 0 &&
           memmem(buf_data(&r->answer), buf_len(&r->answer), part, strlen(part));
}

/* A stream of events stays open while other requests of the connection come and go. */
static void test_events(void **state)
{
    struct web *w = *state;
    struct http3_request events = { .method = "GET", .path = "/v1/events", .hold = SIZE_MAX };

    begin(w, &events);
    while (buf_len(&events.answer) == 0) {
        assert_non_null(w->client.conn);
        http3_tick(&w->client, 5);
    }
    assert_int_equal(events.status, 200);
    assert_non_null(strstr(events.head, "content-type: text/event-stream\n"));
    assert_int_equal(ask(w, "POST", "/v1/spawn/echo?name=seen", ""), 201);
    assert_int_equal(ask(w, "DELETE", "/v1/processes/seen?reason=tired", NULL), 204);
    while (!holds(&events, "\"behaviour\":\"echo\",\"reason\":\"tired\"}\n\n")) {
        assert_non_null(w->client.conn);
        http3_tick(&w->client, 5);
    }
    assert_true(holds(&events, "event: process_started\ndata: {\"time\":"));
    assert_true(holds(&events, "\"name\":\"seen\",\"scope\":\"local\"}"));
    assert_false(events.done);
    http3_close(&w->client); /* while the stream is open */
    http3_forget(&events);
    web_dial(w, false);
    assert_int_equal(ask(w, "GET", "/v1/node", NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEB(test_tables),
        WEB(test_page),
        WEB(test_process),
        WEB(test_metrics),
        WEB(test_events),
        WEB(test_call),
        WEB(test_send),
        WEB(test_spawn_and_kill),
        WEB(test_process_killed),
        WEB(test_token),
        WEB(test_foreign_certificate),
        WEB(test_oversized),
        WEB(test_many),
        WEB(test_rounds),
        WEB(test_cancelled),
        WEB(test_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
