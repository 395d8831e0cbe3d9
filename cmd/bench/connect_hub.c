/* connect_hub: what runs on the nodes of `bench connect`. On the hub "connect" takes orders and
 * answers each when it is done, and many senders open a lane each. On the other nodes the lanes end
 * at "lanes". A spawnable there lives for a moment only. */
#include "connect.h"

#include <stdlib.h>
#include <string.h>

#define LANES_ROW 100 /* lanes opened at once */

struct connect_hub {
    struct connect_order order;
    struct connect_state state;
    struct rusm_message asked; /* the call that waits for an answer; kind RUSM_SEND: none */
    uint64_t start_ns, stamp_ns;
    uint32_t node; /* index of worker0 */
    uint32_t asks; /* spawns asked for */
    rusm_pid *sender;
    uint32_t senders;
};

/* ---- on the hub ---- */

static void sender_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    uint32_t node;

    (void)state;
    if (m->kind != RUSM_SEND || m->len != sizeof(node)) {
        return;
    }
    memcpy(&node, m->data, sizeof(node));
    int error = rusm_send_name(self, node, "lanes", NULL, 0, 0);
    if (error == RUSM_BUSY) {
        rusm_hold(self);
    } else if (error != 0) {
        rusm_exit(self, rusm_strerror(error));
    }
}

static int hub_spawn_senders(struct rusm_process *self, struct connect_hub *h)
{
    static const struct rusm_behaviour sender = { .name = "sender", .receive = sender_receive };

    h->sender = calloc(h->order.count, sizeof(*h->sender));
    if (!h->sender) {
        return RUSM_ENOMEM;
    }
    for (; h->senders < h->order.count; h->senders++) {
        int error = rusm_spawn(self, &sender, NULL, &h->sender[h->senders]);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

/* Lets the next row of senders open its lanes. */
static int hub_open_row(struct rusm_process *self, struct connect_hub *h)
{
    uint64_t end = h->state.done + LANES_ROW < h->senders ? h->state.done + LANES_ROW : h->senders;

    for (uint64_t i = h->state.done; i < end; i++) {
        int error = rusm_send(self, h->sender[i], &h->node, sizeof(h->node), 0);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int hub_ask_spawn(struct rusm_process *self, struct connect_hub *h)
{
    uint64_t ref;

    h->asks++;
    h->stamp_ns = common_now_ns();
    return rusm_spawn_at(self, h->node, "mayfly", NULL, &ref);
}

static bool hub_more_spawns(const struct connect_hub *h, uint64_t now_ns)
{
    return h->order.count > 0 ? h->asks < h->order.count
                              : now_ns - h->start_ns < h->order.duration_ns;
}

static void hub_answer(struct rusm_process *self, struct connect_hub *h, int error)
{
    h->state.error = error;
    h->state.elapsed_ns = common_now_ns() - h->start_ns;
    rusm_reply(self, &h->asked, &h->state, sizeof(h->state));
    h->asked.kind = RUSM_SEND;
}

static void hub_begin(struct rusm_process *self, struct connect_hub *h)
{
    int error = rusm_node_index(self, "worker0", &h->node);

    memset(&h->state, 0, sizeof(h->state));
    h->asks = 0;
    h->start_ns = common_now_ns();
    if (error == 0 && h->order.what == CONNECT_SENDERS) {
        error = hub_spawn_senders(self, h);
    } else if (error == 0 && h->order.what == CONNECT_LANES) {
        error = hub_open_row(self, h);
    } else {
        for (uint32_t i = 0; error == 0 && i < h->order.in_flight; i++) {
            error = hub_ask_spawn(self, h);
        }
    }
    if (error != 0 || h->order.what == CONNECT_SENDERS) {
        hub_answer(self, h, error);
    }
}

static void hub_spawned(struct rusm_process *self, struct connect_hub *h)
{
    uint64_t now_ns = common_now_ns();
    int error = 0;

    h->state.done++;
    if (h->order.in_flight == 1) {
        histogram_add(&h->state.spawn, now_ns - h->stamp_ns);
    }
    if (hub_more_spawns(h, now_ns)) {
        error = hub_ask_spawn(self, h);
    }
    if (error != 0 || h->state.done == h->asks) {
        hub_answer(self, h, error);
    }
}

static void hub_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct connect_hub *h = rusm_context(self);
    bool busy = h->asked.kind == RUSM_CALL;

    (void)state;
    if (m->kind == RUSM_CALL && m->len == sizeof(h->order) && !busy) {
        memcpy(&h->order, m->data, sizeof(h->order));
        h->asked = *m;
        hub_begin(self, h);
    } else if (m->kind == RUSM_SPAWNED && busy) {
        hub_spawned(self, h);
    } else if (m->kind == RUSM_FAILED && busy) {
        hub_answer(self, h, m->error);
    } else if (m->kind == RUSM_SEND && busy && m->len == sizeof(h->state.done)) {
        memcpy(&h->state.done, m->data, sizeof(h->state.done));
        int error = h->state.done < h->senders ? hub_open_row(self, h) : 0;
        if (error != 0 || h->state.done >= h->senders) {
            hub_answer(self, h, error);
        }
    }
}

/* ---- on the other nodes ---- */

/* Tells the hub how many lanes came, after each row. */
static void lanes_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    uint64_t *count = rusm_context(self);

    (void)state;
    if (m->kind != RUSM_SEND) {
        return;
    }
    if (++*count % LANES_ROW == 0) {
        int error = rusm_send_name(self, m->from.node, "connect", count, sizeof(*count), 0);
        if (error != 0) {
            rusm_exit(self, rusm_strerror(error));
        }
    }
}

static int mayfly_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args;
    (void)state;
    return rusm_send(self, rusm_self(self), NULL, 0, 0);
}

static void mayfly_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    (void)m;
    rusm_exit(self, "normal");
}

int connect_boot(struct rusm_node *node, size_t index, struct rusm_why *why)
{
    static struct connect_hub hub; /* static: each node has an OS process of its own */
    static uint64_t lanes_count;
    static const struct rusm_behaviour connect = { .name = "connect",
                                                   .receive = hub_receive,
                                                   .context = &hub };
    static const struct rusm_behaviour lanes = { .name = "lanes",
                                                 .receive = lanes_receive,
                                                 .context = &lanes_count };
    static const struct rusm_behaviour mayfly = { .name = "mayfly",
                                                  .init = mayfly_init,
                                                  .receive = mayfly_receive };
    int error = rusm_node_teach(node, "mayfly", &mayfly);

    error = error == 0 ? rusm_node_teach(node, "connect", &connect) : error;
    error = error == 0 ? rusm_node_teach(node, "lanes", &lanes) : error;
    if (error != 0) {
        return error;
    }
    return index == 0 ? cluster_boot(node, "connect", "connect", NULL, why)
                      : cluster_boot(node, "lanes", "lanes", NULL, why);
}
