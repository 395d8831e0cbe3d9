/* trips: `fanout` and `closed`: round trips from senders on a hub to workers and back. This is the
 * parent's side. hub.c is the hub's side. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define TRIPS_POLL_MS 20
/* How long to wait before asking for the state of an unloaded row. The row is done by then, or
 * nearly. */
#define TRIPS_ROW_MS 50

struct trips {
    struct bench *bench;
    struct cluster cluster;
    uint64_t workers, senders, window, payload;
};

/* ---- one measurement ---- */

/* Gives an order, or asks for the state of the last one if `order` is NULL. */
static int trips_ask(struct trips *t, const struct bench_order *order, struct bench_state *state)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(t->cluster.hub, "bench", false, order, order ? sizeof(*order) : 0,
                                 &reply, &len, &why);

    if (error != 0) {
        return failure_report(t->bench->options->cmd, error, &why);
    }
    bool fits = len == (order ? 0 : sizeof(*state));
    if (fits && !order) {
        memcpy(state, reply, sizeof(*state));
    }
    free(reply);
    return fits ? 0 : failure_say(t->bench->options->cmd, EXIT_FAILED, "bad answer");
}

/* Gives an order and waits until it is done. What is still missing then is lost. */
static int trips_run(struct trips *t, const struct bench_order *order, const char *what,
                     struct bench_state *state)
{
    int status = trips_ask(t, order, state);

    /* A question costs the hub little. But during the measured time the parent does not ask at
     * all. */
    if (status == 0) {
        common_wait(t->bench, what, order->duration_ns / 1000000);
        status = trips_ask(t, NULL, state);
    }
    for (uint32_t waited = 0; status == 0 && !state->done && waited < t->bench->timeout_ms;
         waited += TRIPS_POLL_MS) {
        common_wait(t->bench, NULL, TRIPS_POLL_MS);
        status = trips_ask(t, NULL, state);
    }
    if (status == 0 && !state->done && state->elapsed_ns == 0) {
        state->elapsed_ns = order->duration_ns;
    }
    return status;
}

static uint64_t trips_lost(const struct bench_state *state)
{
    return state->sent - state->received;
}

static double trips_rate(const struct bench_state *state)
{
    return state->elapsed_ns ? (double)state->received * 1e9 / (double)state->elapsed_ns : 0;
}

static json_t *trips_rtt(const struct histogram *h)
{
    return json_pack("{s:f, s:f}", "p50", histogram_us(h, 0.5), "p99", histogram_us(h, 0.99));
}

/* ---- fanout ---- */

/* What the unloaded phase measures. */
struct trips_unloaded {
    struct histogram rtt;
    /* warm: the round trips of the warm-up. first: the first round trip of each row. */
    struct histogram warm, first;
};

static void trips_add(struct histogram *all, const struct histogram *h)
{
    for (size_t i = 0; i < sizeof(all->at) / sizeof(all->at[0]); i++) {
        all->at[i] += h->at[i];
    }
    all->count += h->count;
}

static int trips_unloaded(struct trips *t, struct trips_unloaded *u, uint64_t *lost)
{
    struct bench_state state;
    uint32_t rows = BENCH_PROBES / BENCH_PROBES_ROW;

    memset(u, 0, sizeof(*u));
    for (uint32_t i = 0; i < rows; i++) {
        const struct bench_order order = { .mode = BENCH_UNLOADED,
                                           .workers = (uint32_t)t->workers,
                                           .senders = 1,
                                           .first = i,
                                           .window = 1,
                                           .payload = 17,
                                           .duration_ns = (uint64_t)TRIPS_ROW_MS * 1000000 };
        int status = trips_run(t, &order, "unloaded", &state);
        if (status != 0) {
            return status;
        }
        trips_add(&u->rtt, &state.rtt);
        trips_add(&u->warm, &state.warm);
        histogram_add(&u->first, state.first_ns);
        *lost += trips_lost(&state);
    }
    return 0;
}

static int trips_saturate(struct trips *t, enum bench_mode mode, json_t *list, uint64_t *lost)
{
    const char *name = mode == BENCH_STREAM ? "stream" : "ordered";
    const struct bench_order order = { .mode = mode,
                                       .workers = (uint32_t)t->workers,
                                       .senders = (uint32_t)t->senders,
                                       .window = (uint32_t)t->window,
                                       .payload = 17,
                                       .duration_ns = t->bench->seconds * 1000000000 };
    struct bench_state state;
    uint64_t cpu = cluster_cpu_ns(&t->cluster);
    int status = trips_run(t, &order, name, &state);

    if (status != 0) {
        return status;
    }
    cpu = cluster_cpu_ns(&t->cluster) - cpu;
    double each = state.received ? (double)cpu / 1000 / (double)state.received : 0;
    double rate = trips_rate(&state);
    *lost += trips_lost(&state);
    if (t->bench->json) {
        json_array_append_new(list, json_pack("{s:s, s:I, s:f, s:f, s:I, s:f, s:o}", "mode", name,
                                              "round_trips", (json_int_t)state.received,
                                              "round_trips_per_s", rate, "messages_per_s", 2 * rate,
                                              "lost", (json_int_t)trips_lost(&state),
                                              "cpu_us_per_round_trip", each, "rtt_us",
                                              trips_rtt(&state.rtt)));
        return 0;
    }
    printf("saturation, %s: %.0f round trips/s (%.0f messages/s), %llu lost, "
           "%.2f us CPU each, age p50 %.0f us, p99 %.0f us\n",
           mode == BENCH_STREAM ? "a stream a message" : "ordered lanes", rate, 2 * rate,
           (unsigned long long)trips_lost(&state), each, histogram_us(&state.rtt, 0.5),
           histogram_us(&state.rtt, 0.99));
    if (t->bench->person) {
        histogram_print(&state.rtt, stdout);
    }
    return 0;
}

static void trips_print_unloaded(const struct trips *t, const struct trips_unloaded *u)
{
    printf("unloaded round trip: p50 %.1f us, p99 %.1f us (%llu probes)\n",
           histogram_us(&u->rtt, 0.5), histogram_us(&u->rtt, 0.99),
           (unsigned long long)u->rtt.count);
    printf("its warm-up: first contact p50 %.1f us; p50 %.1f us, p99 %.1f us (%llu round trips)\n",
           histogram_us(&u->first, 0.5), histogram_us(&u->warm, 0.5), histogram_us(&u->warm, 0.99),
           (unsigned long long)u->warm.count);
    if (t->bench->person) {
        histogram_print(&u->rtt, stdout);
    }
}

static int trips_fanout(struct trips *t)
{
    struct trips_unloaded unloaded;
    json_t *list = json_array();
    uint64_t lost = 0;
    int status = trips_unloaded(t, &unloaded, &lost);

    if (status == 0 && !t->bench->json) {
        printf("hub and %llu workers, %llu senders, window %llu, 17-byte messages, %llu s a mode\n",
               (unsigned long long)t->workers, (unsigned long long)t->senders,
               (unsigned long long)t->window, (unsigned long long)t->bench->seconds);
        trips_print_unloaded(t, &unloaded);
    }
    status = status == 0 ? trips_saturate(t, BENCH_ORDERED, list, &lost) : status;
    status = status == 0 ? trips_saturate(t, BENCH_STREAM, list, &lost) : status;
    uint64_t peak = cluster_peak_kib(&t->cluster, 0);
    if (status == 0 && t->bench->json) {
        common_print_json(json_pack(
            "{s:s, s:I, s:I, s:I, s:i, s:{s:f, s:f, s:I}, s:{s:f, s:f, s:f, s:I}, s:O, s:I}",
            "bench", "fanout", "seconds", (json_int_t)t->bench->seconds, "workers",
            (json_int_t)t->workers, "senders", (json_int_t)t->senders, "payload", 17, "rtt_us",
            "p50", histogram_us(&unloaded.rtt, 0.5), "p99", histogram_us(&unloaded.rtt, 0.99),
            "samples", (json_int_t)unloaded.rtt.count, "warmup_us", "first",
            histogram_us(&unloaded.first, 0.5), "p50", histogram_us(&unloaded.warm, 0.5), "p99",
            histogram_us(&unloaded.warm, 0.99), "samples", (json_int_t)unloaded.warm.count,
            "saturation", list, "hub_peak_rss_kib", (json_int_t)peak));
    } else if (status == 0) {
        printf("hub's peak memory: %llu KiB\n", (unsigned long long)peak);
    }
    json_decref(list);
    return status == 0 ? common_verdict(t->bench, lost) : status;
}

/* ---- closed ---- */

static int trips_closed(struct trips *t)
{
    const struct bench_order order = { .mode = BENCH_CLOSED,
                                       .workers = (uint32_t)t->workers,
                                       .senders = (uint32_t)t->senders,
                                       .window = 1,
                                       .payload = (uint32_t)t->payload,
                                       .duration_ns = t->bench->seconds * 1000000000 };
    struct bench_state state;
    int status = trips_run(t, &order, "closed", &state);

    if (status != 0) {
        return status;
    }
    double rate = trips_rate(&state);
    if (t->bench->json) {
        common_print_json(
            json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:{s:f, s:f, s:I}, s:I}", "bench",
                      "closed", "seconds", (json_int_t)t->bench->seconds, "workers",
                      (json_int_t)t->workers, "senders", (json_int_t)t->senders, "payload",
                      (json_int_t)t->payload, "round_trips", (json_int_t)state.received,
                      "round_trips_per_s", rate, "rtt_us", "p50", histogram_us(&state.rtt, 0.5),
                      "p99", histogram_us(&state.rtt, 0.99), "samples", (json_int_t)state.rtt.count,
                      "lost", (json_int_t)trips_lost(&state)));
    } else {
        printf("hub and %llu workers, %llu senders with one %llu-byte message in flight each\n",
               (unsigned long long)t->workers, (unsigned long long)t->senders,
               (unsigned long long)t->payload);
        printf("%.0f round trips/s (%.1f MB/s each way), p50 %.1f us, p99 %.1f us, %llu lost\n",
               rate, rate * (double)t->payload / 1e6, histogram_us(&state.rtt, 0.5),
               histogram_us(&state.rtt, 0.99), (unsigned long long)trips_lost(&state));
        if (t->bench->person) {
            histogram_print(&state.rtt, stdout);
        }
    }
    return common_verdict(t->bench, trips_lost(&state));
}

/* ---- both ---- */

static int trips_child(struct rusm_node *node, size_t index, struct rusm_why *why)
{
    int error;

    if (index == 0) {
        return bench_hub_boot(node, why);
    }
    error = cluster_boot(node, "bounce", "bounce", NULL, why);
    error = error == 0 ? bench_mirror_boot(node, why) : error;
    return error == 0 ? cluster_boot(node, "scatter", "bounce", "unordered", why) : error;
}

static int trips_main(struct bench *b, int (*run)(struct trips *t))
{
    const struct options *o = b->options;
    struct trips t = { .bench = b };
    int status = common_word(b, 2, "workers", BENCH_WORKERS_MAX, &t.workers);

    status = status == 0
                 ? options_number(o, "senders", 1, BENCH_SENDERS_MAX, 8 * t.workers, &t.senders)
                 : status;
    status =
        status == 0 ? options_number(o, "window", 1, BENCH_WINDOW_MAX, 128, &t.window) : status;
    status =
        status == 0 ? options_number(o, "payload", 1, BENCH_PAYLOAD_MAX, 2, &t.payload) : status;
    if (status != 0) {
        return status;
    }
    status = cluster_start(&t.cluster, o->cmd, (size_t)t.workers + 1, trips_child);
    status = status == 0 ? run(&t) : status;
    cluster_stop(&t.cluster);
    return status;
}

int bench_fanout(struct bench *bench)
{
    return trips_main(bench, trips_fanout);
}

int bench_closed(struct bench *bench)
{
    return trips_main(bench, trips_closed);
}
