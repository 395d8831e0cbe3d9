/* What a node of several schedulers was taught by a SPEC can be spawned by every peer, whichever
 * scheduler has the connection with it, and by its own processes on each scheduler. */
#include "embed.h"

#include <stdatomic.h>

static const char *const peers[] = { "bonn", "oslo", "rome", "tokyo", "lima", "cairo" };
#define PEERS (sizeof(peers) / sizeof(peers[0]))

static atomic_uint spawned;

/* Asks the node that its argument names, as soon as it is connected; "": its own. */
static int asker_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    uint64_t ref;
    (void)state;
    if (args->count > 0) {
        return rusm_monitor_nodes(self, true);
    }
    return rusm_spawn_at(self, 0, "mirror", NULL, &ref);
}

static void asker_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    uint64_t ref;
    (void)state;
    if (m->kind == RUSM_NODE_UP && strcmp((const char *)m->data, "london") == 0) {
        expect(rusm_spawn_at(self, m->from.node, "mirror", NULL, &ref) == 0, "to ask for a spawn");
    }
    expect(m->kind != RUSM_FAILED, "a spawn: %s", (const char *)m->data);
    atomic_fetch_add(&spawned, m->kind == RUSM_SPAWNED);
}

static const struct rusm_behaviour asker = { .name = "asker",
                                             .init = asker_init,
                                             .receive = asker_receive };

static void boot_asker(struct rusm_node *node, const char *arg)
{
    const char *args[] = { arg };
    struct rusm_boot boot = {
        .name = "asker", .spawnable = "asker", .args = args, .arg_count = arg ? 1 : 0
    };
    struct rusm_why why;
    expect(rusm_node_teach(node, "asker", &asker) == 0, "a behaviour");
    expect(rusm_node_boot(node, &boot, &why) == 0, "asker: %s", why.text);
}

static void await(unsigned wanted)
{
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (atomic_load(&spawned) < wanted) {
        expect(clock_ms() < until, "%u spawns, not %u", wanted, atomic_load(&spawned));
        usleep(1000);
    }
}

int main(void)
{
    struct place place;
    struct running running[PEERS + 1];
    struct rusm_node *london;
    struct rusm_why why;
    place_make(&place);
    struct rusm_node_options options = { .name = "london",
                                         .rundir = place.rundir,
                                         .identity = place.identity,
                                         .identity_create = true,
                                         .log_level = RUSM_LOG_ERROR,
                                         .schedulers = 3 };
    expect(rusm_node_new(&london, &options, &why) == 0, "a node: %s", why.text);
    expect(rusm_node_teach_spec(london, "mirror", "echo", &why) == 0, "mirror: %s", why.text);
    boot_asker(london, NULL);
    run_start(&running[PEERS], london);
    for (size_t i = 0; i < PEERS; i++) {
        struct rusm_node *node = node_make(&place, peers[i], 0);
        boot_asker(node, "london");
        run_start(&running[i], node);
    }
    await(PEERS + 1);
    /* Spawned on each scheduler in turn: each of them asks its own. */
    struct rusm_client *client = client_to(&place, "london");
    for (unsigned i = 0; i < 3; i++) {
        char pid[RUSM_PID_TEXT_MAX];
        int error = rusm_client_spawn(client, "asker", NULL, NULL, false, pid, &why);
        expect(error == 0, "asker: %s", why.text);
    }
    await(PEERS + 4);
    rusm_client_close(client);
    for (size_t i = 0; i <= PEERS; i++) {
        run_stop(&running[i]);
    }
    place_remove(&place);
    return 0;
}
