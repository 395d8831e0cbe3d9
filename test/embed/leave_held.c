/* leave_held: a node leaves while a handler runs on one of its schedulers for longer than a leaving
 * node waits for a tick to end. Peers connected to that scheduler are told that the node leaves,
 * like all others. */
#include "embed.h"

#include <stdatomic.h>

#define HELD_MS 400u

static atomic_bool held;

/* Runs for HELD_MS on the second scheduler. On the first it does nothing. */
static void hold_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    uint64_t until = clock_ms() + HELD_MS;
    (void)state;
    if (m->kind != RUSM_SEND || rusm_self(self).serial % 2 == 0) {
        return;
    }
    atomic_store(&held, true);
    while (clock_ms() < until) {}
}

static const struct rusm_behaviour hold = { .name = "hold", .receive = hold_receive };

static int is_left(void *context, const struct rusm_field *fields, size_t count)
{
    if (strcmp(field(fields, count, "node"), "london") == 0) {
        snprintf(context, 32, "%s", field(fields, count, "state"));
    }
    return 0;
}

int main(void)
{
    /* n1 and n2 belong to the second scheduler, n3 and n4 to the first. */
    static const char *const peers[] = { "n1", "n2", "n3", "n4" };
    struct running london, others[4];
    struct rusm_client *clients[4];
    struct place place;
    struct rusm_why why;
    place_make(&place);
    struct rusm_node_options options = { .name = "london",
                                         .rundir = place.rundir,
                                         .identity = place.identity,
                                         .identity_create = true,
                                         .schedulers = 2 };
    struct rusm_node *node;
    expect(rusm_node_new(&node, &options, &why) == 0, "%s", why.text);
    expect(rusm_node_teach(node, "hold", &hold) == 0, "taught");
    run_start(&london, node);
    struct rusm_client *to_london = client_to(&place, "london");
    for (int i = 0; i < 4; i++) {
        run_start(&others[i], node_make(&place, peers[i], 0));
        clients[i] = client_to(&place, peers[i]);
        await_peer(clients[i], "london");
        await_peer(to_london, peers[i]);
    }
    /* Clients' spawns go to the schedulers in turn. */
    for (int i = 0; i < 2; i++) {
        char pid[RUSM_PID_TEXT_MAX];
        expect(rusm_client_spawn(to_london, "hold", NULL, NULL, false, pid, &why) == 0, "%s",
               why.text);
        expect(rusm_client_post(to_london, pid, false, "x", 1, &why) == 0, "%s", why.text);
    }
    expect(rusm_client_flush(to_london, &why) == 0, "%s", why.text);
    uint64_t until = clock_ms() + PATIENCE_MS;
    while (!atomic_load(&held)) {
        expect(clock_ms() < until, "a handler on the second scheduler");
    }
    rusm_node_stop(london.node);
    rusm_client_close(to_london);
    pthread_join(london.thread, NULL);
    rusm_node_free(london.node);
    for (int i = 0; i < 4; i++) {
        char state[32] = "";
        do {
            expect(rusm_client_list(clients[i], RUSM_TABLE_PEERS, is_left, state, &why) == 0, "%s",
                   why.text);
            expect(clock_ms() < until, "%s says london is %s", peers[i], state);
        } while (strcmp(state, "connected") == 0);
        expect(strcmp(state, "left") == 0, "%s says london is %s", peers[i], state);
        rusm_client_close(clients[i]);
        run_stop(&others[i]);
    }
    place_remove(&place);
    return 0;
}
