/* client/client: a client of a real node: messages and receipts, calls, requests, tables. */
#include "doubles/scene.h"

/* ---- messages ---- */

static void test_sizes(void **state)
{
    static const size_t sizes[] = { 0, 1, 1000, 16384, 100000, 5000000, RUSM_MESSAGE_MAX };
    struct scene *s = *state;
    uint8_t *data = malloc(RUSM_MESSAGE_MAX + 1);

    assert_non_null(data);
    for (size_t i = 0; i < RUSM_MESSAGE_MAX; i++) {
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *reply;
        size_t len;
        expect_done(s, rusm_client_call(s->client, "echo", false, data, sizes[i], &reply, &len,
                                        &s->why));
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(reply, data, len);
        assert_int_equal(((char *)reply)[len], 0);
        free(reply);
    }
    expect_error(s, rusm_client_post(s->client, "echo", false, data, RUSM_MESSAGE_MAX + 1, &s->why),
                 RUSM_ETOOLARGE, "67108865 bytes");
    free(data);
    expect_done(s, call(s, s->client, "echo"));
}

static void test_post(void **state)
{
    struct scene *s = *state;
    char pid[RUSM_PID_TEXT_MAX], name[64];

    for (int i = 0; i < 20000; i++) {
        expect_done(s, rusm_client_post(s->client, "mute", false, &i, sizeof(i), &s->why));
    }
    expect_done(s, rusm_client_flush(s->client, &s->why));
    expect_done(s, rusm_client_spawn(s->client, "echo", NULL, NULL, false, pid, &s->why));
    expect_done(s, rusm_client_post(s->client, pid, false, "x", 1, &s->why));
    expect_done(s, rusm_client_flush(s->client, &s->why));
    expect_done(s, call(s, s->client, pid));
    *strchr(pid, '#') = '\0';
    expect_done(s, call(s, s->client, pid));
    *strchr(pid, '@') = '\0';
    expect_done(s, call(s, s->client, pid));
    snprintf(name, sizeof(name), "echo@%s", rusm_client_node(s->client));
    expect_done(s, call(s, s->client, name));
}

/* The client reports the first failure once. Later messages go on. */
static void test_nobody(void **state)
{
    struct scene *s = *state;

    /* The next post reports it, or the flush. */
    expect_done(s, rusm_client_post(s->client, "nobody", false, "x", 1, &s->why));
    int error = rusm_client_post(s->client, "echo", false, "x", 1, &s->why);
    error = error ? error : rusm_client_flush(s->client, &s->why);
    assert_int_equal(error, RUSM_ENOPROC);
    assert_non_null(strstr(s->why.text, "no process 'nobody' on london"));
    expect_done(s, rusm_client_flush(s->client, &s->why));
    expect_error(s, call(s, s->client, "nobody"), RUSM_ENOPROC, "no process 'nobody' on london");
    expect_error(s, call(s, s->client, "99"), RUSM_ENOPROC, "no process 99@london");
    expect_error(s, call(s, s->client, "1@london#1"), RUSM_ENOPROC, "no process 1@london#1");
    expect_error(s, call(s, s->client, "1@oslo"), RUSM_ENOCONN, "london is not connected to oslo");
    expect_error(s, call(s, s->client, "a b"), RUSM_EINVAL, "neither a process's name nor a pid");

    int posts = 0;
    for (error = 0; error == 0 && posts < 100000; posts++) {
        error = rusm_client_post(s->client, "nobody", false, "x", 1, &s->why);
    }
    assert_int_equal(error, RUSM_ENOPROC);
    rusm_client_flush(s->client, &s->why);
    expect_done(s, call(s, s->client, "echo"));
}

/* Only messages to the full mailbox wait. */
static void test_full(void **state)
{
    struct scene *s = *state;
    struct rusm_client *c;
    static uint8_t data[4096];
    char pid[RUSM_PID_TEXT_MAX];
    int error = 0;

    /* No supervisor starts this process again. */
    expect_done(s, rusm_client_spawn(s->client, "stuck", NULL, "jam", false, pid, &s->why));
    expect_done(s, open_with(s, "london", s->identity, 1500, &c));
    for (int i = 0; i < MAILBOX; i++) {
        expect_done(s, rusm_client_post(c, "jam", false, "x", 1, &s->why));
    }
    expect_done(s, rusm_client_flush(c, &s->why));
    expect_done(s, rusm_client_post(c, "jam", false, "x", 1, &s->why));
    expect_error(s, rusm_client_flush(c, &s->why), RUSM_ETIMEOUT, "no receipt within 1.5 s");
    assert_non_null(strstr(s->why.text, "the mailbox of 'jam' on london is full"));
    assert_non_null(strstr(s->why.text, "may still arrive"));
    for (int i = 0; i < 10000 && error == 0; i++) {
        error = rusm_client_post(c, "jam", false, data, sizeof(data), &s->why);
    }
    assert_int_equal(error, RUSM_BUSY);
    assert_non_null(strstr(s->why.text, "the mailbox of 'jam' on london is full"));
    expect_done(s, call(s, c, "echo"));
    expect_error(s, call(s, c, "mute"), RUSM_ETIMEOUT, "'mute' on london has the message");
    expect_error(s, call(s, c, "jam"), RUSM_ETIMEOUT, "no reply within 1.5 s: the mailbox");
    expect_done(s, rusm_client_kill(c, "jam", false, "enough", &s->why));
    expect_error(s, rusm_client_flush(c, &s->why), RUSM_ENOPROC, "no process 'jam' on london");
    expect_done(s, call(s, c, "echo"));
    rusm_client_close(c);
}

static void test_died(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < 2; i++) { /* its supervisor has started it again by the second call */
        expect_error(s, call(s, s->client, "crash"), RUSM_ENOPROC,
                     "process 'crash' on london died before it replied: crashed");
    }
}

/* ---- requests ---- */

static void test_spawn(void **state)
{
    struct scene *s = *state;
    char pid[RUSM_PID_TEXT_MAX], again[RUSM_PID_TEXT_MAX];
    const char *many[RUSM_ARGS_MAX + 1];
    struct rusm_args args = { .count = RUSM_ARGS_MAX + 1, .value = many };
    void *reply;
    size_t len;

    for (int i = 0; i <= RUSM_ARGS_MAX; i++) {
        many[i] = "x";
    }
    expect_error(s, rusm_client_spawn(s->client, "nosuch", NULL, NULL, false, pid, &s->why),
                 RUSM_ENOSPAWNABLE, "nosuch");
    expect_error(s, rusm_client_spawn(s->client, "echo", &args, NULL, false, pid, &s->why),
                 RUSM_ETOOLARGE, "arguments");
    args.count = 2;
    expect_error(s, rusm_client_spawn(s->client, "broken", &args, NULL, false, pid, &s->why),
                 RUSM_EINIT, "no luck with 2 arguments");
    expect_error(s, rusm_client_spawn(s->client, "echo", NULL, "mute", false, pid, &s->why),
                 RUSM_EEXIST, "mute");
    expect_error(s, rusm_client_spawn(s->client, "echo", NULL, "a b", false, pid, &s->why),
                 RUSM_EINVAL, "a b");
    expect_done(s, rusm_client_spawn(s->client, "echo", NULL, "one", true, pid, &s->why));
    expect_done(s, rusm_client_whereis(s->client, "one", again, &s->why));
    assert_string_equal(pid, again);
    expect_done(s, rusm_client_call(s->client, "one", true, "hey", 3, &reply, &len, &s->why));
    assert_string_equal(reply, "hey");
    free(reply);
    expect_done(s, rusm_client_kill(s->client, "one", true, NULL, &s->why));
    expect_error(s, rusm_client_whereis(s->client, "one", again, &s->why), RUSM_ENOPROC, "one");
    expect_error(s, rusm_client_post(s->client, "one", true, "x", 1, &s->why), RUSM_ENOPROC, "one");
    expect_error(s, rusm_client_kill(s->client, pid, false, NULL, &s->why), RUSM_ENOPROC,
                 "no process ");
}

struct rows {
    struct scene *s;
    int count, stop_at;
    int inner;
};

static int count_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct rows *r = context;

    assert_true(count > 0);
    assert_non_null(fields[0].column);
    r->count++;
    r->inner = r->s ? rusm_client_list(r->s->client, RUSM_TABLE_NODE, count_row, r, NULL) : 0;
    return r->count == r->stop_at ? 77 : 0;
}

static void test_tables(void **state)
{
    struct scene *s = *state;
    struct rows rows = { .stop_at = 0 };
    char pid[RUSM_PID_TEXT_MAX];

    for (int t = RUSM_TABLE_NODE; t <= RUSM_TABLE_COUNTERS; t++) {
        expect_done(s, rusm_client_list(s->client, (enum rusm_table)t, count_row, &rows, &s->why));
    }
    for (int i = 0; i < 3000; i++) { /* several reply frames */
        expect_done(s, rusm_client_spawn(s->client, "mute", NULL, NULL, false, pid, &s->why));
    }
    rows.count = 0;
    expect_done(s, rusm_client_list(s->client, RUSM_TABLE_PROCESSES, count_row, &rows, &s->why));
    assert_int_equal(rows.count, 3005); /* with the supervisor of the booted processes */
    rows = (struct rows){ .stop_at = 2 };
    assert_int_equal(rusm_client_list(s->client, RUSM_TABLE_PROCESSES, count_row, &rows, &s->why),
                     77);
    assert_int_equal(rows.count, 2);
    rows = (struct rows){ .s = s, .stop_at = 1 };
    assert_int_equal(rusm_client_list(s->client, RUSM_TABLE_PROCESSES, count_row, &rows, &s->why),
                     77);
    assert_int_equal(rows.inner, RUSM_BUSY);
    expect_error(s, rusm_client_list(s->client, RUSM_TABLE_NODES, count_row, &rows, &s->why),
                 RUSM_EINVAL, "no such table");
    expect_done(s, call(s, s->client, "echo"));
}

/* A global name belongs to a node that is not in our run folder. The client finds it by the address
 * that our node has of it. */
static void test_elsewhere(void **state)
{
    struct scene *s = *state;
    struct scene tokyo = { .null_fd = s->null_fd };
    char join[128], run[96], pid[RUSM_PID_TEXT_MAX];
    const char *const joins[] = { join };
    const struct rusm_node_options options = { .name = "tokyo",
                                               .rundir = run,
                                               .identity = s->identity,
                                               .join = joins,
                                               .join_count = 1,
                                               .output_fd = s->null_fd };
    const struct rusm_boot boot = { .name = "far", .spawnable = "echo", .global = true };
    void *reply;
    size_t len;
    int error = RUSM_ENOPROC;

    snprintf(run, sizeof(run), "%s/run2", s->folder->path);
    snprintf(join, sizeof(join), "london@%s", rusm_node_address(s->node));
    expect_done(s, rusm_node_new(&tokyo.node, &options, &s->why));
    expect_done(s, rusm_node_boot(tokyo.node, &boot, &s->why));
    assert_int_equal(pthread_create(&tokyo.thread, NULL, node_thread, tokyo.node), 0);
    for (int i = 0; i < 6000 && error == RUSM_ENOPROC; i++) {
        usleep(10000);
        error = rusm_client_whereis(s->client, "far", pid, &s->why);
    }
    expect_done(s, error);
    assert_non_null(strstr(pid, "@tokyo#"));
    for (int i = 0; i < 3; i++) {
        expect_done(s, rusm_client_post(s->client, "far", true, "x", 1, &s->why));
        expect_done(s, rusm_client_call(s->client, "far", true, "hi", 2, &reply, &len, &s->why));
        assert_string_equal(reply, "hi");
        free(reply);
    }
    expect_done(s, rusm_client_flush(s->client, &s->why));
    expect_error(s, call(s, s->client, "far"), RUSM_ENOPROC, "no process 'far' on london");
    expect_done(s, rusm_client_kill(s->client, "far", true, NULL, &s->why));
    node_stop(&tokyo);
}

/* Many requests under way. Each has an answer of its own, in the order in which they were sent. */
static void test_ask(void **state)
{
    struct scene *s = *state;
    size_t len;
    void *reply;

    for (uint32_t i = 0; i < RUSM_ASKED_MAX; i++) {
        const char *process = i % 5 == 4 ? "nobody" : "echo";
        expect_done(s, rusm_client_ask(s->client, process, false, &i, sizeof(i), &s->why));
    }
    expect_error(s, rusm_client_ask(s->client, "echo", false, "x", 1, &s->why), RUSM_BUSY,
                 "1024 answers are not taken yet");
    expect_done(s, call(s, s->client, "echo")); /* others may go between */
    for (uint32_t i = 0; i < RUSM_ASKED_MAX; i++) {
        assert_int_equal(rusm_client_asked(s->client), RUSM_ASKED_MAX - i);
        if (i % 5 == 4) {
            expect_error(s, rusm_client_answer(s->client, &reply, &len, &s->why), RUSM_ENOPROC,
                         "no process 'nobody' on london");
            assert_null(reply);
            continue;
        }
        expect_done(s, rusm_client_answer(s->client, &reply, &len, &s->why));
        assert_int_equal(len, sizeof(i));
        assert_memory_equal(reply, &i, len);
        free(reply);
    }
    expect_error(s, rusm_client_answer(s->client, &reply, &len, &s->why), RUSM_EINVAL,
                 "nothing was asked");
    expect_error(s, rusm_client_ask(s->client, "a b", false, "x", 1, &s->why), RUSM_EINVAL,
                 "neither a process's name nor a pid");
    assert_int_equal(rusm_client_asked(s->client), 0);
}

/* Answers that the program does not take, and a node that leaves before it has answered. */
static void test_ask_and_leave(void **state)
{
    struct scene *s = *state;
    size_t len;
    void *reply;

    expect_done(s, rusm_client_ask(s->client, "mute", false, "x", 1, &s->why));
    expect_done(s, rusm_client_ask(s->client, "echo", false, "x", 1, &s->why));
    node_stop(s);
    int error = rusm_client_answer(s->client, &reply, &len, &s->why);
    assert_true(error == RUSM_ENOPROC || error == RUSM_ENOCONN);
    assert_int_equal(rusm_client_asked(s->client), 1); /* closed with it */
}

static void wait_event(struct scene *s, const char *type, struct rusm_event *event)
{
    do {
        expect_done(s, rusm_client_event(s->client, 60000, event, &s->why));
    } while (strcmp(event->type, type) != 0);
}

static void test_follow(void **state)
{
    static const char *const types[] = { "process_started", "process_ended" };
    struct rusm_follow what = { .types = types, .type_count = 2 };
    struct scene *s = *state;
    char pid[RUSM_PID_TEXT_MAX], id[64];
    struct rusm_event event;

    expect_error(s, rusm_client_event(s->client, 0, &event, &s->why), RUSM_ENOCONN,
                 "no events of london are followed");
    assert_string_equal(rusm_client_event_id(s->client), "");
    expect_done(s, rusm_client_follow(s->client, &what, &s->why));
    assert_int_equal(rusm_client_event(s->client, 10, &event, &s->why), RUSM_ETIMEOUT);
    expect_done(s, rusm_client_spawn(s->client, "echo", NULL, "e1", false, pid, &s->why));
    expect_done(s, rusm_client_kill(s->client, "e1", false, "b\xff\nd", &s->why));
    expect_done(s, rusm_client_event(s->client, 60000, &event, &s->why));
    assert_string_equal(event.type, "process_started");
    assert_string_equal(event.fields[0].text, pid);
    snprintf(id, sizeof(id), "%s", event.id);
    assert_string_equal(rusm_client_event_id(s->client), id);
    expect_done(s, rusm_client_event(s->client, 60000, &event, &s->why));
    assert_string_equal(event.type, "process_ended");
    assert_string_equal(event.fields[event.count - 1].column, "reason");
    assert_string_equal(event.fields[event.count - 1].text, "b\\xff\\x0ad");
    /* The same again, and with a filter the other way round. */
    what.since = id;
    expect_done(s, rusm_client_follow(s->client, &what, &s->why));
    expect_done(s, rusm_client_event(s->client, 60000, &event, &s->why));
    assert_string_equal(event.type, "process_ended");
    what.but = true;
    expect_done(s, rusm_client_follow(s->client, &what, &s->why));
    wait_event(s, "name_registered", &event);
    /* Tables and calls go between. */
    expect_done(s, call(s, s->client, "echo"));
    expect_done(s, rusm_client_whereis(s->client, "nobody", pid, &s->why) == RUSM_ENOPROC ? 0 : 1);
    what = (struct rusm_follow){ .since = "1-1" };
    expect_done(s, rusm_client_follow(s->client, &what, &s->why));
    wait_event(s, "missed", &event);
    assert_int_equal(event.fields[0].number, 0);
    what.reserved[0] = s;
    assert_int_equal(rusm_client_follow(s->client, &what, &s->why), RUSM_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sizes),  TEST(test_post),  TEST(test_nobody),        TEST(test_full),
        TEST(test_died),   TEST(test_spawn), TEST(test_tables),        TEST(test_elsewhere),
        TEST(test_follow), TEST(test_ask),   TEST(test_ask_and_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
