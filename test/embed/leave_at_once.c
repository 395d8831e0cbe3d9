/* leave_at_once: nodes are stopped twice, so they leave at once, while processes of all schedulers
 * send to other nodes. What is on its way between their schedulers then finds the connections
 * gone. */
#include "embed.h"

#define ROUNDS 20
#define SPRAYS 6
#define BURST 200

static void spray_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    /* n1 belongs to the second scheduler, n3 to the first. */
    static const char *const to[] = { "sink@n1", "sink@n3" };
    (void)state, (void)m;
    for (int i = 0; i < BURST; i++) {
        (void)rusm_send_to(self, to[i % 2], "x", 1, 0);
    }
}

static int spray_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    uint64_t ref;
    (void)args, (void)state;
    return rusm_interval(self, 1, &ref);
}

static const struct rusm_behaviour spray = { .name = "spray",
                                             .init = spray_init,
                                             .receive = spray_receive };

static void stop_at_once(const struct place *place)
{
    struct rusm_node_options options = {
        .name = "london", .rundir = place->rundir, .identity = place->identity, .schedulers = 2
    };
    char pid[RUSM_PID_TEXT_MAX];
    struct running london;
    struct rusm_node *node;
    struct rusm_why why;
    expect(rusm_node_new(&node, &options, &why) == 0, "%s", why.text);
    expect(rusm_node_teach(node, "spray", &spray) == 0, "taught");
    run_start(&london, node);
    struct rusm_client *client = client_to(place, "london");
    await_peer(client, "n1");
    await_peer(client, "n3");
    for (int i = 0; i < SPRAYS; i++) {
        expect(rusm_client_spawn(client, "spray", NULL, NULL, false, pid, &why) == 0, "%s",
               why.text);
    }
    rusm_client_close(client);
    rusm_node_stop(london.node);
    run_stop(&london);
}

int main(void)
{
    static const char *const names[] = { "n1", "n3" };
    struct rusm_boot sink = { .name = "sink", .spawnable = "sink" };
    struct running others[2];
    struct place place;
    struct rusm_why why;
    place_make(&place);
    for (int i = 0; i < 2; i++) {
        struct rusm_node *node = node_make(&place, names[i], 0);
        expect(rusm_node_boot(node, &sink, &why) == 0, "%s", why.text);
        run_start(&others[i], node);
    }
    for (int i = 0; i < ROUNDS; i++) {
        stop_at_once(&place);
    }
    for (int i = 0; i < 2; i++) {
        run_stop(&others[i]);
    }
    place_remove(&place);
    return 0;
}
