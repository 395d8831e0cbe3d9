/* life: a program is told that its node runs, but not while a handler holds up any scheduler of it.
 * It is also told that the node leaves. */
#include "embed.h"

#include <poll.h>
#include <stdatomic.h>

#define PERIOD_MS 50
#define SCHEDULERS 3

struct told {
    atomic_uint runs, leaves;
    atomic_bool held, release;
};

static void tell(void *context, enum rusm_life life)
{
    struct told *t = context;
    expect(life == RUSM_LIFE_RUNS || life == RUSM_LIFE_LEAVES, "a known word");
    atomic_fetch_add(life == RUSM_LIFE_RUNS ? &t->runs : &t->leaves, 1);
}

static void hold_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct told *t = rusm_context(self);
    (void)state, (void)m;
    atomic_store(&t->held, true);
    while (!atomic_load(&t->release)) {
        poll(NULL, 0, 1);
    }
    atomic_store(&t->release, false);
}

static void await_runs(struct told *t, unsigned more)
{
    unsigned wanted = atomic_load(&t->runs) + more;
    while (atomic_load(&t->runs) < wanted) {
        poll(NULL, 0, 1);
    }
}

/* Holds up the process's scheduler. What was told just before does not count. */
static void hold(struct told *t, struct rusm_node *node, const char *pid)
{
    atomic_store(&t->held, false);
    expect(rusm_node_post_to(node, pid, "x", 1) == 0, "a message to %s", pid);
    while (!atomic_load(&t->held)) {
        poll(NULL, 0, 1);
    }
    poll(NULL, 0, 3 * PERIOD_MS);
    unsigned before = atomic_load(&t->runs);
    poll(NULL, 0, 4 * PERIOD_MS);
    expect(atomic_load(&t->runs) == before, "silence while %s is held up", pid);
    atomic_store(&t->release, true);
    await_runs(t, 2);
}

int main(void)
{
    struct told t = { 0 };
    struct rusm_behaviour holder = { .name = "holder", .receive = hold_receive, .context = &t };
    char pid[SCHEDULERS][RUSM_PID_TEXT_MAX];
    struct running london;
    struct place place;
    struct rusm_why why;
    struct rusm_node *node;

    place_make(&place);
    struct rusm_node_options options = { .name = "london",
                                         .rundir = place.rundir,
                                         .identity = place.identity,
                                         .identity_create = true,
                                         .schedulers = SCHEDULERS,
                                         .life = tell,
                                         .life_context = &t,
                                         .alive_ms = PERIOD_MS };
    expect(rusm_node_new(&node, &options, &why) == 0, "%s", why.text);
    expect(rusm_node_teach(node, "holder", &holder) == 0, "holder taught");
    run_start(&london, node);
    await_runs(&t, 2);
    struct rusm_client *client = client_to(&place, "london");
    for (unsigned i = 0; i < SCHEDULERS; i++) { /* they are spread over all schedulers in turn */
        int error = rusm_client_spawn(client, "holder", NULL, NULL, false, pid[i], &why);
        expect(error == 0, "%s", why.text);
    }
    rusm_client_close(client);
    for (unsigned i = 0; i < SCHEDULERS; i++) {
        hold(&t, node, pid[i]);
    }
    expect(atomic_load(&t.leaves) == 0, "not a word of leaving");
    run_stop(&london);
    expect(atomic_load(&t.leaves) == 1, "one word of leaving");
    place_remove(&place);
    return 0;
}
