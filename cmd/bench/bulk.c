/* bulk: `bulk`: large messages one way, from a process on a hub to one on a worker. First the
 * parent's side, then what runs on the nodes. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define BULK_SECONDS 3 /* the default */
#define BULK_MESSAGE ((size_t)1024 * 1024)
#define BULK_ETHERNET 1452 /* what an Ethernet frame holds over IPv6 */

/* An order of the parent to the hub's process "bulk". The answer comes when the sink has
 * counted. */
struct bulk_order {
    uint64_t duration_ns;
};

struct bulk_state {
    uint64_t sent, received, elapsed_ns;
    int error;
};

/* ---- the parent ---- */

static int bulk_nodes_boot(struct rusm_node *node, size_t index, struct rusm_why *why);

static int bulk_counter(void *context, const struct rusm_field *fields, size_t count)
{
    uint64_t *packet = context;

    if (count == 2 && strcmp(fields[0].text, "datagram_longest") == 0) {
        *packet = fields[1].number;
    }
    return 0;
}

/* Gives the length of the longest packets that the worker has received. */
static int bulk_packet(const struct cluster *c, const struct cmd *cmd, uint64_t *packet)
{
    struct rusm_client *worker;
    struct rusm_why why;
    int status = cluster_dial(c, cmd, 1, &worker);

    if (status == 0) {
        int error = rusm_client_list(worker, RUSM_TABLE_COUNTERS, bulk_counter, packet, &why);
        status = error != 0 ? failure_report(cmd, error, &why) : 0;
        rusm_client_close(worker);
    }
    return status;
}

static int bulk_measure(struct bench *b, struct cluster *c, json_t *runs, uint64_t *lost)
{
    const struct bulk_order order = { .duration_ns = b->seconds * 1000000000 };
    const struct cmd *cmd = b->options->cmd;
    struct bulk_state state;
    uint64_t packet = 0;
    int status = cluster_call(c, cmd, "bulk", &order, sizeof(order), &state, sizeof(state));

    if (status == 0 && state.error != 0) {
        return failure_report(cmd, state.error, NULL);
    }
    status = status == 0 ? bulk_packet(c, cmd, &packet) : status;
    if (status != 0) {
        return status;
    }
    double rate = (double)(state.received * BULK_MESSAGE) * 1e9 / (double)state.elapsed_ns;
    *lost += state.sent - state.received;
    if (b->json) {
        return json_array_append_new(runs, json_pack("{s:I, s:f}", "packet_bytes",
                                                     (json_int_t)packet, "bytes_per_s", rate));
    }
    printf("packets of %llu bytes: %.3f GB/s (%llu messages)\n", (unsigned long long)packet,
           rate / 1e9, (unsigned long long)state.received);
    return 0;
}

static int bulk_run(struct bench *b, uint32_t max_packet, json_t *runs, uint64_t *lost)
{
    const struct cmd *cmd = b->options->cmd;
    struct cluster c;
    int status = cluster_make(&c, cmd);

    c.max_packet = max_packet;
    c.timeout_ms = (uint32_t)b->seconds * 1000 + b->timeout_ms;
    status = status == 0 ? cluster_grow(&c, cmd, 2, bulk_nodes_boot) : status;
    status = status == 0 ? cluster_mesh(&c, cmd) : status;
    status = status == 0 ? cluster_client(&c, cmd, 0) : status;
    status = status == 0 ? bulk_measure(b, &c, runs, lost) : status;
    cluster_stop(&c);
    return status;
}

int bench_bulk(struct bench *bench)
{
    json_t *runs = json_array();
    uint64_t lost = 0;
    int status = 0;

    bench->seconds = BULK_SECONDS;
    if (bench->options->word_count > 1) {
        status = common_word(bench, 1, "seconds", 3600, &bench->seconds);
    }
    status = status == 0 ? bulk_run(bench, BULK_ETHERNET, runs, &lost) : status;
    status = status == 0 ? bulk_run(bench, RUSM_PACKET_MAX, runs, &lost) : status;
    if (status == 0 && bench->json) {
        common_print_json(json_pack("{s:s, s:O}", "bench", "bulk", "runs", runs));
    }
    json_decref(runs);
    return status == 0 ? common_verdict(bench, lost) : status;
}

/* ---- on the hub: spawns a sink, sends to it, asks it how many messages came ---- */

struct bulk_sender {
    struct bulk_order order;
    struct bulk_state state;
    struct rusm_message asked; /* the call that waits for an answer */
    uint64_t start_ns;
    rusm_pid sink;
    uint8_t *data;
};

static void bulk_answer(struct rusm_process *self, struct bulk_sender *s, int error)
{
    s->state.error = error;
    s->state.elapsed_ns = common_now_ns() - s->start_ns;
    rusm_reply(self, &s->asked, &s->state, sizeof(s->state));
}

/* Sends while there is room. When the time is over, sends the question behind the last message. */
static void bulk_fill(struct rusm_process *self, struct bulk_sender *s)
{
    uint64_t ref;
    int error = 0;

    while (error == 0 && common_now_ns() - s->start_ns < s->order.duration_ns) {
        error = rusm_send(self, s->sink, s->data, BULK_MESSAGE, 0);
        s->state.sent += error == 0;
    }
    error = error == 0 ? rusm_request(self, s->sink, NULL, 0, RUSM_FOREVER, &ref) : error;
    if (error != 0 && error != RUSM_BUSY) {
        bulk_answer(self, s, error);
    }
}

static void bulk_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct bulk_sender *s = rusm_context(self);
    uint64_t ref;
    uint32_t node;
    int error = 0;

    (void)state;
    if (m->kind == RUSM_CALL && m->len == sizeof(s->order)) {
        memcpy(&s->order, m->data, sizeof(s->order));
        s->asked = *m;
        s->data = s->data ? s->data : calloc(1, BULK_MESSAGE);
        error = s->data ? rusm_node_index(self, "worker0", &node) : RUSM_ENOMEM;
        error = error == 0 ? rusm_spawn_at(self, node, "bulk-sink", NULL, &ref) : error;
    } else if (m->kind == RUSM_SPAWNED) {
        s->sink = m->from;
        s->start_ns = common_now_ns();
        bulk_fill(self, s);
    } else if (m->kind == RUSM_WRITABLE) {
        bulk_fill(self, s);
    } else if (m->kind == RUSM_REPLY && m->len == sizeof(s->state.received)) {
        memcpy(&s->state.received, m->data, sizeof(s->state.received));
        bulk_answer(self, s, 0);
    } else if (m->kind == RUSM_FAILED) {
        error = m->error;
    }
    if (error != 0) {
        bulk_answer(self, s, error);
    }
}

/* ---- on the worker: counts whole messages ---- */

static int sink_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self;
    (void)args;
    *state = calloc(1, sizeof(uint64_t));
    return *state ? 0 : RUSM_ENOMEM;
}

static void sink_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    uint64_t *count = state;

    if (m->kind == RUSM_SEND) {
        *count += m->len == BULK_MESSAGE;
    } else if (m->kind == RUSM_CALL && rusm_reply(self, m, count, sizeof(*count)) == RUSM_BUSY) {
        rusm_hold(self);
    }
}

static void sink_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self;
    (void)reason;
    free(state);
}

static int bulk_nodes_boot(struct rusm_node *node, size_t index, struct rusm_why *why)
{
    static struct bulk_sender sender; /* static: each node has an OS process of its own */
    static const struct rusm_behaviour bulk = { .name = "bulk",
                                                .receive = bulk_receive,
                                                .context = &sender };
    static const struct rusm_behaviour sink = {
        .name = "bulk-sink", .init = sink_init, .receive = sink_receive, .stop = sink_stop
    };
    int error = rusm_node_teach(node, "bulk-sink", &sink);

    error = error == 0 ? rusm_node_teach(node, "bulk", &bulk) : error;
    return error == 0 && index == 0 ? cluster_boot(node, "bulk", "bulk", NULL, why) : error;
}
