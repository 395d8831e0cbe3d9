/* load: the processes of a loaded node. "load" takes orders, "probe" measures round trips, the
 * senders send, and "taker" takes at its pace. All share one struct without a lock, because they
 * run on one thread. The OS process of the node owns it. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#define LOAD_PROBE_BYTES 17 /* the length of the messages of fanout */
#define LOAD_STALL_MS 5     /* how often a stalled taker looks whether it may take */

struct load {
    struct load_state state;
    struct load_order probe, send;
    uint64_t probe_end_ns, send_end_ns;
    uint64_t pace_ns, paced, pace_start_ns; /* paced: messages taken since pace_start_ns */
    rusm_pid probe_pid, sender_pid[LOAD_SENDERS_MAX];
    uint32_t probe_node, send_node;
    uint64_t stamp_ns; /* when the round trip in flight began */
    char *payload;
    size_t payload_cap;
};

/* ---- probe ---- */

static void probe_send(struct rusm_process *self, struct load *load)
{
    static const char probe[LOAD_PROBE_BYTES] = "a small message.";

    load->stamp_ns = common_now_ns();
    int error = rusm_send_name(self, load->probe_node, "mirror", probe, sizeof(probe), 0);
    if (error == 0) {
        load->state.asked++;
    } else if (error != RUSM_BUSY) { /* after RUSM_BUSY, RUSM_WRITABLE follows */
        rusm_exit(self, rusm_strerror(error));
    }
}

/* A message from another node is the mirror's answer. Any other message makes the probe begin, or
 * go on after RUSM_BUSY. */
static void probe_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct load *load = rusm_context(self);
    uint64_t now = common_now_ns();

    (void)state;
    if (m->kind == RUSM_SEND && m->from.node != 0) {
        load->state.answered++;
        histogram_add(&load->state.rtt, now - load->stamp_ns);
    }
    if (now < load->probe_end_ns) {
        probe_send(self, load);
    } else {
        load->state.probing = false;
    }
}

/* ---- senders ---- */

/* Begins with a message of "load". Goes on whenever its lane has room. */
static void sender_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct load *load = rusm_context(self);
    int error = 0;

    (void)state;
    (void)m;
    while (error == 0 && common_now_ns() < load->send_end_ns) {
        error =
            rusm_send_name(self, load->send_node, "taker", load->payload, load->send.payload, 0);
        load->state.sent += error == 0;
    }
    if (error == 0) {
        load->state.sending--;
    } else if (error != RUSM_BUSY) {
        rusm_exit(self, rusm_strerror(error));
    }
}

/* ---- taker ---- */

static void taker_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct load *load = rusm_context(self);
    uint64_t now = common_now_ns();

    (void)state;
    if (m->kind != RUSM_SEND) {
        return;
    }
    if (load->pace_ns == LOAD_NEVER) {
        rusm_hold_for(self, LOAD_STALL_MS);
        return;
    }
    if (load->pace_ns != LOAD_AT_ONCE &&
        load->paced >= (now - load->pace_start_ns) / load->pace_ns) {
        rusm_hold_for(self, 1);
        return;
    }
    load->paced++;
    load->state.taken++;
    load->state.taken_bytes += m->len;
    load->state.taken_ns = now;
}

/* ---- the process that takes orders ---- */

static int load_begin_probe(struct rusm_process *self, struct load *load,
                            const struct load_order *order)
{
    load->probe = *order;
    load->probe_end_ns = common_now_ns() + order->duration_ns;
    load->state.probing = true;
    load->state.asked = load->state.answered = 0;
    histogram_clear(&load->state.rtt);
    int error = rusm_node_index(self, order->node, &load->probe_node);
    return error != 0 ? error : rusm_send(self, load->probe_pid, NULL, 0, 0);
}

static int load_begin_send(struct rusm_process *self, struct load *load,
                           const struct load_order *order)
{
    int error = rusm_node_index(self, order->node, &load->send_node);

    if (order->payload > load->payload_cap) {
        free(load->payload);
        load->payload_cap = 0;
        load->payload = malloc(order->payload);
        if (!load->payload) {
            return RUSM_ENOMEM;
        }
        load->payload_cap = order->payload;
        memset(load->payload, 'x', order->payload);
    }
    load->send = *order;
    load->state.sent = 0;
    load->state.sending = order->senders;
    load->state.send_ns = common_now_ns();
    load->send_end_ns = load->state.send_ns + order->duration_ns;
    for (uint32_t i = 0; error == 0 && i < order->senders; i++) {
        error = rusm_send(self, load->sender_pid[i], NULL, 0, 0);
    }
    return error;
}

static void load_pace(struct load *load, uint64_t pace_ns)
{
    load->pace_ns = pace_ns;
    load->paced = 0;
    load->pace_start_ns = common_now_ns();
}

static int load_obey(struct rusm_process *self, struct load *load, const struct load_order *order)
{
    switch (order->what) {
    case LOAD_PROBE: return load_begin_probe(self, load, order);
    case LOAD_SEND: return load_begin_send(self, load, order);
    case LOAD_TAKE:
        load->state.taken = load->state.taken_bytes = load->state.taken_ns = 0;
        load_pace(load, order->pace_ns);
        return 0;
    case LOAD_PACE: load_pace(load, order->pace_ns); return 0;
    case LOAD_ASK: return 0;
    }
    return RUSM_EINVAL;
}

static void load_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct load *load = rusm_context(self);
    struct load_order order;

    (void)state;
    if (m->kind != RUSM_CALL || m->len != sizeof(order)) {
        return;
    }
    memcpy(&order, m->data, sizeof(order));
    int error = load_obey(self, load, &order);
    if (error != 0) {
        rusm_exit(self, rusm_strerror(error));
        return;
    }
    rusm_reply(self, m, &load->state, sizeof(load->state));
}

static int load_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    static struct rusm_behaviour probe = { .name = "probe", .receive = probe_receive };
    static struct rusm_behaviour sender = { .name = "sender", .receive = sender_receive };
    struct load *load = rusm_context(self);
    int error;

    (void)args;
    (void)state;
    probe.context = sender.context = load;
    error = rusm_spawn(self, &probe, NULL, &load->probe_pid);
    for (size_t i = 0; error == 0 && i < LOAD_SENDERS_MAX; i++) {
        error = rusm_spawn(self, &sender, NULL, &load->sender_pid[i]);
    }
    return error;
}

int load_boot(struct rusm_node *node, size_t index, struct rusm_why *why)
{
    static struct load load; /* static: each node has an OS process of its own */
    static struct rusm_behaviour orders = { .name = "load",
                                            .init = load_init,
                                            .receive = load_receive };
    static struct rusm_behaviour taker = { .name = "taker", .receive = taker_receive };
    int error;

    (void)index;
    orders.context = taker.context = &load;
    error = rusm_node_teach(node, "load", &orders);
    error = error == 0 ? rusm_node_teach(node, "taker", &taker) : error;
    error = error == 0 ? cluster_boot(node, "load", "load", NULL, why) : error;
    error = error == 0 ? cluster_boot(node, "taker", "taker", NULL, why) : error;
    return error == 0 ? bench_mirror_boot(node, why) : error;
}
