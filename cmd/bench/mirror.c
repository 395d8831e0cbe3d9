/* mirror: the process that benches send to. It sends each message back to its sender as a message,
 * not as the reply to a call, because the benches measure messages. */
#include "bench.h"

static void mirror_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    if (m->kind == RUSM_SEND && rusm_reply(self, m, m->data, m->len) == RUSM_BUSY) {
        rusm_hold(self);
    }
}

int bench_mirror_boot(struct rusm_node *node, struct rusm_why *why)
{
    static const struct rusm_behaviour mirror = { .name = "mirror", .receive = mirror_receive };
    int error = rusm_node_teach(node, "mirror", &mirror);

    return error == 0 ? cluster_boot(node, "mirror", "mirror", NULL, why) : error;
}
