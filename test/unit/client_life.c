/* client/client: a client whose node comes and goes, cannot be reached, or is not the intended one.
 * And the list of the nodes of this machine. */
#include <sys/stat.h>
#include "doubles/scene.h"

/* ---- the node comes and goes ---- */

static void test_restart(void **state)
{
    struct scene *s = *state;

    expect_done(s, call(s, s->client, "echo"));
    node_stop(s);
    expect_error(s, call(s, s->client, "echo"), RUSM_ENOCONN,
                 "no node 'london' (known: none; looked in");
    node_start(s);
    /* Nothing waited on the old connection, so the next call makes a new one. */
    expect_done(s, call(s, s->client, "echo"));
    node_stop(s);
    node_start(s);
    expect_done(s, call(s, s->client, "echo"));
}

/* Waits until a node has ended. Takes a copy of the scene, because another node takes the node's
 * place there. */
static void *node_end(void *context)
{
    struct scene *ended = context;

    pthread_join(ended->thread, NULL);
    rusm_node_free(ended->node);
    return NULL;
}

/* rusm_client_stop returns when the node's name is free again. */
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

    expect_error(s, open_with(s, "oslo", s->identity, 60000, &c), RUSM_ENOCONN,
                 "no node 'oslo' (known: london; looked in ");
    assert_null(c);
    expect_error(s, open_with(s, "a b", s->identity, 60000, &c), RUSM_EINVAL, "is not a node");
    expect_error(s, open_with(s, "127.0.0.1:1", s->identity, 60000, &c), RUSM_ENOCONN,
                 "cannot reach 127.0.0.1:1: nobody listens there");
    snprintf(text, sizeof(text), "oslo@%s", address);
    expect_error(s, open_with(s, text, s->identity, 60000, &c), RUSM_ENOCONN,
                 "is 'london', not 'oslo'");
    int n =
        snprintf(text, sizeof(text), "rome %s\nlondon %s\noslo 127.0.0.1:1\n", address, address);
    assert_int_equal(folder_write(s->folder, "nodes", text, (size_t)n), 0);
    expect_error(s, open_with(s, "oslo", s->identity, 60000, &c), RUSM_ENOCONN,
                 "oslo at 127.0.0.1:1");
    expect_error(s, open_with(s, "rome", s->identity, 60000, &c), RUSM_ENOCONN, "not 'rome'");
    unlink(folder_path(s->folder, "nodes", nodes));

    folder_path(s->folder, "other.pem", nodes);
    snprintf(other, sizeof(other), "%s/other.pem", s->folder->path);
    expect_error(s, open_with(s, "london", other, 60000, &c), RUSM_EREFUSED, "no identity at ");
    struct rusm_identity_info info;
    expect_done(s, rusm_identity_new(other, &info, &s->why));
    expect_error(s, open_with(s, "london", other, 60000, &c), RUSM_EREFUSED, other);
    assert_int_equal(chmod(other, 0640), 0);
    expect_error(s, open_with(s, "london", other, 60000, &c), RUSM_EREFUSED, "chmod 600");
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
                                           .timeout_ms = 60000 };
    const char *address = rusm_node_address(s->node);
    char text[256], other[96];
    int n =
        snprintf(text, sizeof(text), "london %s\noslo 127.0.0.1:1\nrome %s\n", address, address);

    assert_int_equal(folder_write(s->folder, "nodes", text, (size_t)n), 0);
    expect_done(s, rusm_nodes_list(&options, see_row, &seen, &s->why));
    assert_string_equal(seen.text, "london alive us run-folder\n"
                                   "oslo unreachable - nodes-file\n"
                                   "rome wrong-node - nodes-file\n");
    /* As seen from a machine with another run folder, and then from another cluster. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_restart),     TEST(test_stop),  TEST(test_lost),
        TEST(test_unreachable), TEST(test_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
