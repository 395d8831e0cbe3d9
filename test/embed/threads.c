/* threads: what rusm.h promises of threads: each node runs on its own, each client on one, and any
 * thread may stop a node. A node's helper thread looks up the hosts to join. The program checks
 * little itself: it is meant for the thread sanitizer. */
#include "embed.h"

#define CLIENTS 4
#define CALLS 50
#define ENDS 20

struct caller {
    const struct place *place;
    pthread_t thread;
    char pid[RUSM_PID_TEXT_MAX];
};

static void *caller_run(void *arg)
{
    struct caller *c = arg;
    struct rusm_client *client = client_to(c->place, "london");
    struct rusm_why why;

    expect(rusm_client_spawn(client, "echo", NULL, NULL, false, c->pid, &why) == 0, "%s", why.text);
    for (unsigned i = 0; i < CALLS; i++) {
        void *reply;
        size_t len;
        int error = rusm_client_call(client, c->pid, false, &i, sizeof(i), &reply, &len, &why);
        expect(error == 0, "%s", why.text);
        expect(len == sizeof(i) && memcmp(reply, &i, len) == 0, "what was said to %s", c->pid);
        free(reply);
    }
    rusm_client_close(client);
    return NULL;
}

static void clients_at_once(const struct place *place)
{
    struct caller callers[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        callers[i].place = place;
        expect(pthread_create(&callers[i].thread, NULL, caller_run, &callers[i]) == 0, "a thread");
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(callers[i].thread, NULL);
    }
    for (int i = 1; i < CLIENTS; i++) {
        expect(strcmp(callers[i].pid, callers[i - 1].pid) != 0, "a process each");
    }
}

/* Makes a node in a run folder of its own. It finds the other node only by its host's name. */
static struct rusm_node *joiner_make(const struct place *place, const char *address)
{
    char join[128], run[128];
    const char *const joins[] = { join, join };
    const struct rusm_node_options options = { .name = "tokyo",
                                               .rundir = run,
                                               .identity = place->identity,
                                               .join = joins,
                                               .join_count = 2,
                                               .log_level = RUSM_LOG_ERROR };
    struct rusm_node *node;
    struct rusm_why why;

    snprintf(join, sizeof(join), "london@localhost%s", strrchr(address, ':'));
    snprintf(run, sizeof(run), "%s/apart", place->dir);
    expect(rusm_node_new(&node, &options, &why) == 0, "%s", why.text);
    return node;
}

static void *stop_thread(void *node)
{
    rusm_node_stop(node);
    return NULL;
}

int main(void)
{
    struct place place;
    struct running london, tokyo;
    char apart[128];
    pthread_t other;

    place_make(&place);
    struct rusm_node *node = node_make(&place, "london", 0);
    expect(rusm_node_teach_spec(node, "echo", "echo", NULL) == 0, "a spawnable");
    run_start(&london, node);
    run_start(&tokyo, joiner_make(&place, rusm_node_address(london.node)));
    struct rusm_client *client = client_to(&place, "london");
    await_peer(client, "tokyo");
    clients_at_once(&place);
    rusm_client_close(client);
    run_stop(&tokyo);

    for (int i = 0; i < ENDS; i++) { /* while the helper thread is at work, or has just answered */
        node = joiner_make(&place, rusm_node_address(london.node));
        if (i % 2) {
            run_start(&tokyo, node);
            run_stop(&tokyo);
        } else {
            rusm_node_free(node);
        }
    }
    expect(pthread_create(&other, NULL, stop_thread, london.node) == 0, "a thread");
    rusm_node_stop(london.node);
    pthread_join(london.thread, NULL);
    pthread_join(other, NULL);
    rusm_node_free(london.node);
    snprintf(apart, sizeof(apart), "%s/apart", place.dir);
    rmdir(apart);
    place_remove(&place);
    return 0;
}
