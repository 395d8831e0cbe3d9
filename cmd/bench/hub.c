/* hub: the processes of the hub. "bench" takes orders and says how far they are. The senders each
 * have messages in flight to one worker. All share one struct without a lock, because they run on
 * one thread. The OS process of the hub owns it. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define STAMP 8      /* bytes of the time at the start of a message */
#define REPLY_NAME 9 /* bytes of "s00000001" */

struct sender {
    struct hub *hub;
    char bytes[STAMP + REPLY_NAME]; /* a message: the time and the reply name */
    uint32_t node;                  /* index of its worker's node */
    uint32_t in_flight, left; /* left: unloaded: round trips still to send, with the warm-up */
    uint64_t stamp_ns;        /* closed: the time of the message in flight */
};

struct hub {
    struct bench_order order;
    struct bench_state state;
    uint64_t start_ns, end_ns;
    uint32_t running; /* senders that are not done */
    uint32_t senders; /* processes that exist */
    rusm_pid pid[BENCH_SENDERS_MAX];
    char *payload;
};

/* ---- a sender ---- */

static int sender_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct sender *s = calloc(1, sizeof(*s));

    if (!s) {
        return RUSM_ENOMEM;
    }
    s->hub = rusm_context(self);
    memcpy(s->bytes + STAMP, args->value[0], REPLY_NAME);
    *state = s;
    return rusm_register(self, rusm_self(self), args->value[0]);
}

static void sender_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self;
    (void)reason;
    free(state);
}

/* Sends one message. Returns false if there is no room now. */
static bool sender_send(struct rusm_process *self, struct sender *s)
{
    struct hub *h = s->hub;
    uint64_t now = common_now_ns();
    int error;

    if (h->order.mode == BENCH_CLOSED) {
        s->stamp_ns = now;
        error = rusm_send_name(self, s->node, "mirror", h->payload, h->order.payload, 0);
    } else {
        bool stream = h->order.mode == BENCH_STREAM;
        memcpy(s->bytes, &now, STAMP);
        error = stream ? rusm_send_name(self, s->node, "scatter", s->bytes, sizeof(s->bytes),
                                        RUSM_UNORDERED)
                       : rusm_send_name(self, s->node, "bounce", s->bytes, sizeof(s->bytes), 0);
    }
    if (error != 0) {
        if (error != RUSM_BUSY) {
            rusm_exit(self, rusm_strerror(error));
        }
        return false;
    }
    s->in_flight++;
    h->state.sent++;
    return true;
}

static void sender_done(struct hub *h, uint64_t now)
{
    if (--h->running == 0) {
        h->state.elapsed_ns = now - h->start_ns;
        h->state.done = true;
    }
}

/* Fills the window until the time is over. */
static void sender_fill(struct rusm_process *self, struct sender *s, uint64_t now)
{
    struct hub *h = s->hub;

    if (h->order.mode == BENCH_UNLOADED) {
        if (s->left > 0 && s->in_flight == 0 && sender_send(self, s)) {
            s->left--;
        }
    } else if (now < h->end_ns) {
        while (s->in_flight < h->order.window && sender_send(self, s)) {}
    }
}

static void sender_start(struct rusm_process *self, struct sender *s, const uint8_t *node)
{
    struct hub *h = s->hub;

    memcpy(&s->node, node, sizeof(s->node));
    s->in_flight = 0;
    s->left = h->order.mode == BENCH_UNLOADED ? BENCH_WARMUP + BENCH_PROBES_ROW : 0;
    sender_fill(self, s, common_now_ns());
}

static void sender_took(struct hub *h, uint64_t ns)
{
    bool unloaded = h->order.mode == BENCH_UNLOADED;

    if (unloaded && h->state.received == 0) {
        h->state.first_ns = ns;
    }
    histogram_add(unloaded && h->state.received < BENCH_WARMUP ? &h->state.warm : &h->state.rtt,
                  ns);
    h->state.received++;
}

static void sender_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct sender *s = state;
    struct hub *h = s->hub;
    uint64_t now, then = s->stamp_ns;

    if (m->kind == RUSM_WRITABLE) {
        sender_fill(self, s, common_now_ns());
        return;
    }
    if (m->kind != RUSM_SEND) {
        return;
    }
    if (m->from.node == 0) {
        sender_start(self, s, m->data);
        return;
    }
    if (s->in_flight == 0) {
        return; /* it belongs to an order that was given up */
    }
    now = common_now_ns();
    if (h->order.mode != BENCH_CLOSED) {
        memcpy(&then, m->data, sizeof(then));
    }
    s->in_flight--;
    sender_took(h, now - then);
    sender_fill(self, s, now);
    if (s->in_flight == 0 && (h->order.mode != BENCH_UNLOADED || s->left == 0)) {
        sender_done(h, now);
    }
}

/* ---- the process that takes orders ---- */

/* Spawns senders until there are as many as the order needs. Those of an earlier order stay. */
static int hub_spawn(struct rusm_process *self, struct hub *h, uint32_t senders)
{
    static struct rusm_behaviour sender = {
        .name = "sender", .init = sender_init, .receive = sender_receive, .stop = sender_stop
    };

    sender.context = h;
    while (h->senders < senders) {
        char name[REPLY_NAME + 1];
        const char *values[] = { name };
        struct rusm_args args = { .count = 1, .value = values };
        snprintf(name, sizeof(name), "s%08u", h->senders % 100000000u);
        int error = rusm_spawn(self, &sender, &args, &h->pid[h->senders]);
        if (error != 0) {
            return error;
        }
        h->senders++;
    }
    return 0;
}

static int hub_begin(struct rusm_process *self, struct hub *h, const struct bench_order *order)
{
    char *payload = calloc(1, order->payload + 1);
    int error = payload ? hub_spawn(self, h, order->senders) : RUSM_ENOMEM;

    if (error != 0) {
        free(payload);
        return error;
    }
    free(h->payload);
    h->payload = payload;
    h->order = *order;
    memset(&h->state, 0, sizeof(h->state));
    h->running = order->senders;
    h->start_ns = common_now_ns();
    h->end_ns = h->start_ns + order->duration_ns;
    for (uint32_t i = 0; i < order->senders; i++) {
        char name[32];
        uint32_t node;
        snprintf(name, sizeof(name), "worker%u", (order->first + i) % order->workers);
        error = rusm_node_index(self, name, &node);
        if (error == 0) {
            error = rusm_send(self, h->pid[i], &node, sizeof(node), 0);
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static void hub_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct hub *h = rusm_context(self);
    struct bench_order order;

    (void)state;
    if (m->kind != RUSM_CALL) {
        return;
    }
    if (m->len == sizeof(order)) {
        memcpy(&order, m->data, sizeof(order));
        int error = hub_begin(self, h, &order);
        if (error != 0) {
            rusm_exit(self, rusm_strerror(error));
            return;
        }
        /* Without the state: it is long, and sending it would disturb the measurement. */
        rusm_reply(self, m, NULL, 0);
        return;
    }
    rusm_reply(self, m, &h->state, sizeof(h->state));
}

int bench_hub_boot(struct rusm_node *node, struct rusm_why *why)
{
    static struct hub hub; /* static: each node has an OS process of its own */
    static struct rusm_behaviour bench = { .name = "bench", .receive = hub_receive };
    const struct rusm_boot boot = { .name = "bench", .spawnable = "bench" };
    int error;

    bench.context = &hub;
    error = rusm_node_teach(node, "bench", &bench);
    return error != 0 ? error : rusm_node_boot(node, &boot, why);
}
