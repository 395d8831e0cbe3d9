/* node/client: a client and a real node, on a thread of its own: messages and receipts, calls,
 * requests, tables; and what a client says when something is wrong. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "help/folder.h"
#include "rusm.h"

#define MAILBOX 8

/* ---- behaviours ---- */

/* Never answers. */
static void mute_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)self, (void)state, (void)m;
}

static const struct rusm_behaviour mute = { .name = "mute", .receive = mute_receive };

/* Never takes a message. */
static void stuck_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state, (void)m;
    rusm_hold(self);
}

static const struct rusm_behaviour stuck = { .name = "stuck", .receive = stuck_receive };

static int broken_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)state;
    rusm_init_error(self, "no luck with %zu arguments", args->count);
    return RUSM_EINVAL;
}

static const struct rusm_behaviour broken = { .name = "broken",
                                              .init = broken_init,
                                              .receive = mute_receive };

/* ---- a node and its client ---- */

struct scene {
    struct folder *folder;
    char rundir[96], identity[96];
    struct rusm_node *node;
    pthread_t thread;
    int null_fd;
    struct rusm_client *client;
    struct rusm_why why;
};

static void *node_thread(void *node)
{
    rusm_node_run(node);
    return NULL;
}

static void node_start(struct scene *s)
{
    const struct rusm_node_options options = { .name = "london",
                                               .rundir = s->rundir,
                                               .identity = s->identity,
                                               .identity_create = true,
                                               .mailbox_messages = MAILBOX,
                                               .output_fd = s->null_fd };

    if (rusm_node_new(&s->node, &options, &s->why) != 0) {
        fail_msg("%s", s->why.text);
    }
    assert_int_equal(rusm_node_teach_spec(s->node, "echo", "echo", &s->why), 0);
    assert_int_equal(rusm_node_teach(s->node, "mute", &mute), 0);
    assert_int_equal(rusm_node_teach(s->node, "stuck", &stuck), 0);
    assert_int_equal(rusm_node_teach(s->node, "broken", &broken), 0);
    for (const char *const *name = (const char *const[]){ "echo", "mute", "stuck", "crash", NULL };
         *name; name++) {
        const struct rusm_boot boot = { .name = *name, .spawnable = *name };
        assert_int_equal(rusm_node_boot(s->node, &boot, &s->why), 0);
    }
    assert_int_equal(pthread_create(&s->thread, NULL, node_thread, s->node), 0);
}

static void node_stop(struct scene *s)
{
    rusm_node_stop(s->node);
    pthread_join(s->thread, NULL);
    rusm_node_free(s->node);
    s->node = NULL;
}

static int open_with(struct scene *s, const char *node, const char *identity, uint32_t timeout_ms,
                     struct rusm_client **client)
{
    const struct rusm_client_options options = { .rundir = s->rundir,
                                                 .identity = identity,
                                                 .timeout_ms = timeout_ms };

    return rusm_client_open(client, &options, node, &s->why);
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    void *folder = NULL;

    if (!s || folder_setup(&folder) != 0) {
        return -1;
    }
    s->folder = folder;
    snprintf(s->rundir, sizeof(s->rundir), "%s/run", s->folder->path);
    snprintf(s->identity, sizeof(s->identity), "%s/cluster.pem", s->folder->path);
    s->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    node_start(s);
    *state = s;
    return open_with(s, "london", s->identity, 5000, &s->client);
}

static int teardown(void **state)
{
    struct scene *s = *state;
    void *folder = s->folder;

    rusm_client_close(s->client);
    if (s->node) {
        node_stop(s);
    }
    close(s->null_fd);
    free(s);
    return folder_teardown(&folder);
}

#define expect_error(s, operation, error, part)                          \
    do {                                                                 \
        (s)->why.text[0] = '\0';                                         \
        int failed_ = (operation);                                       \
        if (failed_ != (error) || !strstr((s)->why.text, part)) {        \
            fail_msg("%d '%s', not '%s'", failed_, (s)->why.text, part); \
        }                                                                \
    } while (0)

#define expect_done(s, operation)                      \
    do {                                               \
        (s)->why.text[0] = '\0';                       \
        int failed_ = (operation);                     \
        if (failed_ != 0) {                            \
            fail_msg("%d %s", failed_, (s)->why.text); \
        }                                              \
    } while (0)

static int call(struct scene *s, struct rusm_client *c, const char *process)
{
    void *reply;
    size_t len;
    int error = rusm_client_call(c, process, false, "hi", 2, &reply, &len, &s->why);

    if (error == 0) {
        assert_string_equal(reply, "hi");
        assert_int_equal(len, 2);
    } else {
        assert_null(reply);
    }
    free(reply);
    return error;
}

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

/* The first failure is told once; others go on. */
static void test_nobody(void **state)
{
    struct scene *s = *state;

    expect_done(s, rusm_client_post(s->client, "nobody", false, "x", 1, &s->why));
    expect_done(s, rusm_client_post(s->client, "echo", false, "x", 1, &s->why));
    expect_error(s, rusm_client_flush(s->client, &s->why), RUSM_ENOPROC,
                 "no process 'nobody' on london");
    expect_done(s, rusm_client_flush(s->client, &s->why));
    expect_error(s, call(s, s->client, "nobody"), RUSM_ENOPROC, "no process 'nobody' on london");
    expect_error(s, call(s, s->client, "99"), RUSM_ENOPROC, "no process 99@london");
    expect_error(s, call(s, s->client, "1@london#1"), RUSM_ENOPROC, "no process 1@london#1");
    expect_error(s, call(s, s->client, "1@oslo"), RUSM_EINVAL, "a process of oslo, not of london");
    expect_error(s, call(s, s->client, "a b"), RUSM_EINVAL, "neither a process's name nor a pid");

    int error = 0, posts = 0;
    while (error == 0 && posts++ < 100000) {
        error = rusm_client_post(s->client, "nobody", false, "x", 1, &s->why);
    }
    assert_int_equal(error, RUSM_ENOPROC);
    rusm_client_flush(s->client, &s->why);
    expect_done(s, call(s, s->client, "echo"));
}

/* Only who sends to the full mailbox waits. */
static void test_full(void **state)
{
    struct scene *s = *state;
    struct rusm_client *c;
    static uint8_t data[4096];
    int error = 0;

    expect_done(s, open_with(s, "london", s->identity, 300, &c));
    for (int i = 0; i < MAILBOX; i++) {
        expect_done(s, rusm_client_post(c, "stuck", false, "x", 1, &s->why));
    }
    expect_done(s, rusm_client_flush(c, &s->why));
    expect_done(s, rusm_client_post(c, "stuck", false, "x", 1, &s->why));
    expect_error(s, rusm_client_flush(c, &s->why), RUSM_ETIMEOUT, "no receipt within 0.3 s");
    assert_non_null(strstr(s->why.text, "the mailbox of 'stuck' on london is full"));
    assert_non_null(strstr(s->why.text, "may still arrive"));
    for (int i = 0; i < 10000 && error == 0; i++) {
        error = rusm_client_post(c, "stuck", false, data, sizeof(data), &s->why);
    }
    assert_int_equal(error, RUSM_BUSY);
    assert_non_null(strstr(s->why.text, "the mailbox of 'stuck' on london is full"));
    expect_done(s, call(s, c, "echo"));
    expect_error(s, call(s, c, "mute"), RUSM_ETIMEOUT, "'mute' on london has the message");
    expect_error(s, call(s, c, "stuck"), RUSM_ETIMEOUT, "no reply within 0.3 s: the mailbox");
    expect_done(s, rusm_client_kill(c, "stuck", false, "enough", &s->why));
    expect_error(s, rusm_client_flush(c, &s->why), RUSM_ENOPROC, "no process 'stuck' on london");
    expect_done(s, call(s, c, "echo"));
    rusm_client_close(c);
}

static void test_died(void **state)
{
    struct scene *s = *state;

    expect_error(s, call(s, s->client, "crash"), RUSM_ENOPROC,
                 "process 'crash' on london died before it replied: crashed");
    expect_error(s, call(s, s->client, "crash"), RUSM_ENOPROC, "no process 'crash' on london");
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
    for (int i = 0; i < 3000; i++) { /* several replies */
        expect_done(s, rusm_client_spawn(s->client, "mute", NULL, NULL, false, pid, &s->why));
    }
    rows.count = 0;
    expect_done(s, rusm_client_list(s->client, RUSM_TABLE_PROCESSES, count_row, &rows, &s->why));
    assert_int_equal(rows.count, 3004);
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

/* A global name's owner that our run folder does not show: found by the address that our node has
 * of it. */
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
    for (int i = 0; i < 500 && error == RUSM_ENOPROC; i++) {
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

/* ---- the node comes and goes ---- */

static void test_restart(void **state)
{
    struct scene *s = *state;

    expect_done(s, call(s, s->client, "echo"));
    node_stop(s);
    expect_error(s, call(s, s->client, "echo"), RUSM_ENOCONN,
                 "no node 'london' (known: none; looked in");
    node_start(s);
    /* Nothing hung on the old connection: the next call makes another. */
    expect_done(s, call(s, s->client, "echo"));
    node_stop(s);
    node_start(s);
    expect_done(s, call(s, s->client, "echo"));
}

/* Waits for a node to end, by a copy of the scene: another node takes its place there. */
static void *node_end(void *context)
{
    struct scene *ended = context;

    pthread_join(ended->thread, NULL);
    rusm_node_free(ended->node);
    return NULL;
}

/* Done when the name is free again. */
static void test_stop(void **state)
{
    struct scene *s = *state;
    struct scene ended = *s;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, node_end, &ended), 0);
    expect_done(s, rusm_client_stop(s->client, &s->why));
    s->node = NULL;
    node_start(s);
    pthread_join(thread, NULL);
    expect_done(s, call(s, s->client, "echo"));
}

static void test_lost(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < MAILBOX + 1; i++) {
        expect_done(s, rusm_client_post(s->client, "stuck", false, "x", 1, &s->why));
    }
    node_stop(s);
    expect_error(s, rusm_client_flush(s->client, &s->why), RUSM_ENOCONN,
                 "the connection to london was lost: it has left");
    expect_error(s, rusm_client_post(s->client, "echo", false, "x", 1, &s->why), RUSM_ENOCONN,
                 "no node 'london'");
}

static void test_unreachable(void **state)
{
    struct scene *s = *state;
    struct rusm_client *c;
    char text[128], other[96], nodes[256];
    const char *address = rusm_node_address(s->node);

    expect_error(s, open_with(s, "oslo", s->identity, 500, &c), RUSM_ENOCONN,
                 "no node 'oslo' (known: london; looked in ");
    assert_null(c);
    expect_error(s, open_with(s, "a b", s->identity, 500, &c), RUSM_EINVAL, "is not a node");
    expect_error(s, open_with(s, "127.0.0.1:1", s->identity, 500, &c), RUSM_ENOCONN,
                 "cannot reach 127.0.0.1:1: nobody listens there");
    snprintf(text, sizeof(text), "oslo@%s", address);
    expect_error(s, open_with(s, text, s->identity, 500, &c), RUSM_ENOCONN,
                 "is 'london', not 'oslo'");
    int n =
        snprintf(text, sizeof(text), "rome %s\nlondon %s\noslo 127.0.0.1:1\n", address, address);
    assert_int_equal(folder_write(s->folder, "nodes", text, (size_t)n), 0);
    expect_error(s, open_with(s, "oslo", s->identity, 500, &c), RUSM_ENOCONN,
                 "oslo at 127.0.0.1:1");
    expect_error(s, open_with(s, "rome", s->identity, 500, &c), RUSM_ENOCONN, "not 'rome'");
    unlink(folder_path(s->folder, "nodes", nodes));

    folder_path(s->folder, "other.pem", nodes);
    snprintf(other, sizeof(other), "%s/other.pem", s->folder->path);
    expect_error(s, open_with(s, "london", other, 500, &c), RUSM_EREFUSED, "no identity at ");
    struct rusm_identity_info info;
    expect_done(s, rusm_identity_new(other, &info, &s->why));
    expect_error(s, open_with(s, "london", other, 500, &c), RUSM_EREFUSED, other);
    assert_int_equal(chmod(other, 0640), 0);
    expect_error(s, open_with(s, "london", other, 500, &c), RUSM_EREFUSED, "chmod 600");
}

/* ---- the nodes of this machine ---- */

struct seen {
    char text[512];
};

static int see_row(void *context, const struct rusm_field *f, size_t count)
{
    struct seen *seen = context;
    size_t len = strlen(seen->text);

    assert_int_equal(count, 6);
    snprintf(seen->text + len, sizeof(seen->text) - len, "%s %s %s %s\n", f[0].text, f[2].text,
             f[3].number == (uint64_t)getpid() ? "us" : "-", f[5].text);
    return 0;
}

static void test_nodes(void **state)
{
    struct scene *s = *state;
    struct seen seen = { "" };
    struct rusm_client_options options = { .rundir = s->rundir,
                                           .identity = s->identity,
                                           .timeout_ms = 5000 };
    const char *address = rusm_node_address(s->node);
    char text[256], other[96];
    int n =
        snprintf(text, sizeof(text), "london %s\noslo 127.0.0.1:1\nrome %s\n", address, address);

    assert_int_equal(folder_write(s->folder, "nodes", text, (size_t)n), 0);
    expect_done(s, rusm_nodes_list(&options, see_row, &seen, &s->why));
    assert_string_equal(seen.text, "london alive us run-folder\n"
                                   "oslo unreachable - nodes-file\n"
                                   "rome wrong-node - nodes-file\n");
    /* From a machine of another run folder; then of another cluster. */
    snprintf(text, sizeof(text), "%s/empty", s->folder->path);
    options.rundir = text;
    seen.text[0] = '\0';
    expect_done(s, rusm_nodes_list(&options, see_row, &seen, &s->why));
    assert_string_equal(seen.text, "london reachable - nodes-file\n"
                                   "oslo unreachable - nodes-file\n"
                                   "rome wrong-node - nodes-file\n");
    struct rusm_identity_info info;
    snprintf(other, sizeof(other), "%s/other.pem", s->folder->path);
    expect_done(s, rusm_identity_new(other, &info, &s->why));
    options.identity = other;
    seen.text[0] = '\0';
    expect_done(s, rusm_nodes_list(&options, see_row, &seen, &s->why));
    assert_string_equal(seen.text, "london foreign - nodes-file\n"
                                   "oslo unreachable - nodes-file\n"
                                   "rome foreign - nodes-file\n");
    options.rundir = s->rundir;
    seen.text[0] = '\0';
    expect_done(s, rusm_nodes_list(&options, see_row, &seen, &s->why));
    assert_memory_equal(seen.text, "london foreign us run-folder\n", 29);
    assert_int_equal(folder_write(s->folder, "nodes", "x\n", 2), 0);
    expect_error(s, rusm_nodes_list(&options, see_row, &seen, &s->why), RUSM_EMALFORMED, "line 1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sizes),   TEST(test_post),  TEST(test_nobody), TEST(test_full),
        TEST(test_died),    TEST(test_spawn), TEST(test_tables), TEST(test_elsewhere),
        TEST(test_restart), TEST(test_stop),  TEST(test_lost),   TEST(test_unreachable),
        TEST(test_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
