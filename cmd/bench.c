/* bench: measures rusm on this machine: real nodes, real QUIC, nothing lost. */
#include "bench.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BENCH_GRACE_MS 5000 /* for what is in flight when the time is over */

struct bench {
    const struct options *options;
    struct cluster cluster;
    uint64_t seconds, workers, senders, window, payload;
    bool json, person;
};

/* ---- one measurement ------------------------------------------------------------------------------ */

static int bench_ask(struct bench *b, const struct bench_order *order, struct bench_state *state)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(b->cluster.hub, "bench", false, order, order ? sizeof(*order) : 0,
                                 &reply, &len, &why);

    if (error != 0) {
        return failure_report(b->options->cmd, error, &why);
    }
    if (len == sizeof(*state)) {
        memcpy(state, reply, sizeof(*state));
    }
    free(reply);
    return len == sizeof(*state) ? 0 : failure_say(b->options->cmd, EXIT_FAILED, "bad answer");
}

/* Gives an order and waits until it is done. What is still missing then is lost. */
static int bench_run(struct bench *b, const struct bench_order *order, const char *what,
                     struct bench_state *state)
{
    uint64_t limit_ms = order->duration_ns / 1000000 + BENCH_GRACE_MS, waited = 0;
    const struct timespec pause = { .tv_nsec = 20000000 };
    int status = bench_ask(b, order, state);

    /* Asking costs the hub little; in the measured time it is not asked at all. */
    uint64_t quiet = order->duration_ns / 1000000;
    while (status == 0 && !state->done && waited < limit_ms) {
        nanosleep(&pause, NULL);
        waited += 20;
        if (b->person && waited % 1000 == 0) {
            fprintf(stderr, "\r%s: %llu s ", what, (unsigned long long)waited / 1000);
        }
        if (waited >= quiet) {
            status = bench_ask(b, NULL, state);
        }
    }
    if (b->person) {
        fprintf(stderr, "\r%*s\r", 40, "");
    }
    if (status == 0 && !state->done && state->elapsed_ns == 0) {
        state->elapsed_ns = order->duration_ns;
    }
    return status;
}

static uint64_t bench_lost(const struct bench_state *state)
{
    return state->sent - state->received;
}

static double bench_rate(const struct bench_state *state)
{
    return state->elapsed_ns ? (double)state->received * 1e9 / (double)state->elapsed_ns : 0;
}

static json_t *bench_rtt(const struct histogram *h)
{
    return json_pack("{s:f, s:f}", "p50", histogram_us(h, 0.5), "p99", histogram_us(h, 0.99));
}

static void bench_print_json(json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
    puts(text ? text : "{}");
    free(text);
    json_decref(o);
}

/* ---- fanout ---------------------------------------------------------------------------------------- */

static int bench_unloaded(struct bench *b, struct histogram *all, uint64_t *lost)
{
    struct bench_state state;
    uint32_t rows = BENCH_PROBES / BENCH_PROBES_ROW;

    histogram_clear(all);
    for (uint32_t i = 0; i < rows; i++) {
        const struct bench_order order = { .mode = BENCH_UNLOADED,
                                           .workers = (uint32_t)b->workers,
                                           .senders = 1,
                                           .first = i,
                                           .window = 1,
                                           .payload = 17 };
        int status = bench_run(b, &order, "unloaded", &state);
        if (status != 0) {
            return status;
        }
        for (size_t k = 0; k < sizeof(all->at) / sizeof(all->at[0]); k++) {
            all->at[k] += state.rtt.at[k];
        }
        all->count += state.rtt.count;
        *lost += bench_lost(&state);
    }
    return 0;
}

static int bench_saturate(struct bench *b, enum bench_mode mode, json_t *list, uint64_t *lost)
{
    const char *name = mode == BENCH_STREAM ? "stream" : "ordered";
    const struct bench_order order = { .mode = mode,
                                       .workers = (uint32_t)b->workers,
                                       .senders = (uint32_t)b->senders,
                                       .window = (uint32_t)b->window,
                                       .payload = 17,
                                       .duration_ns = b->seconds * 1000000000 };
    struct bench_state state;
    uint64_t cpu = cluster_cpu_ns(&b->cluster);
    int status = bench_run(b, &order, name, &state);

    if (status != 0) {
        return status;
    }
    cpu = cluster_cpu_ns(&b->cluster) - cpu;
    double each = state.received ? (double)cpu / 1000 / (double)state.received : 0;
    double rate = bench_rate(&state);
    *lost += bench_lost(&state);
    if (b->json) {
        json_array_append_new(list, json_pack("{s:s, s:I, s:f, s:f, s:I, s:f, s:o}", "mode", name,
                                              "round_trips", (json_int_t)state.received,
                                              "round_trips_per_s", rate, "messages_per_s", 2 * rate,
                                              "lost", (json_int_t)bench_lost(&state),
                                              "cpu_us_per_round_trip", each, "rtt_us",
                                              bench_rtt(&state.rtt)));
        return 0;
    }
    printf("saturation, %s: %.0f round trips/s (%.0f messages/s), %llu lost, "
           "%.2f us CPU each, age p50 %.0f us, p99 %.0f us\n",
           mode == BENCH_STREAM ? "a stream a message" : "ordered lanes", rate, 2 * rate,
           (unsigned long long)bench_lost(&state), each, histogram_us(&state.rtt, 0.5),
           histogram_us(&state.rtt, 0.99));
    if (b->person) {
        histogram_print(&state.rtt, stdout);
    }
    return 0;
}

static int bench_fanout(struct bench *b)
{
    struct histogram rtt;
    json_t *list = json_array();
    uint64_t lost = 0;
    int status = bench_unloaded(b, &rtt, &lost);

    if (status == 0 && !b->json) {
        printf("hub and %llu workers, %llu senders, window %llu, 17-byte messages, %llu s a mode\n",
               (unsigned long long)b->workers, (unsigned long long)b->senders,
               (unsigned long long)b->window, (unsigned long long)b->seconds);
        printf("unloaded round trip: p50 %.1f us, p99 %.1f us (%llu probes)\n",
               histogram_us(&rtt, 0.5), histogram_us(&rtt, 0.99), (unsigned long long)rtt.count);
        if (b->person) {
            histogram_print(&rtt, stdout);
        }
    }
    status = status == 0 ? bench_saturate(b, BENCH_ORDERED, list, &lost) : status;
    status = status == 0 ? bench_saturate(b, BENCH_STREAM, list, &lost) : status;
    uint64_t peak = cluster_hub_peak_kib(&b->cluster);
    if (status == 0 && b->json) {
        bench_print_json(json_pack("{s:s, s:I, s:I, s:I, s:i, s:{s:f, s:f, s:I}, s:O, s:I}",
                                   "bench", "fanout", "seconds", (json_int_t)b->seconds, "workers",
                                   (json_int_t)b->workers, "senders", (json_int_t)b->senders,
                                   "payload", 17, "rtt_us", "p50", histogram_us(&rtt, 0.5), "p99",
                                   histogram_us(&rtt, 0.99), "samples", (json_int_t)rtt.count,
                                   "saturation", list, "hub_peak_rss_kib", (json_int_t)peak));
    } else if (status == 0) {
        printf("hub's peak memory: %llu KiB\n", (unsigned long long)peak);
    }
    json_decref(list);
    if (status == 0 && lost > 0) {
        return failure_say(b->options->cmd, EXIT_FAILED, "%llu messages were lost",
                           (unsigned long long)lost);
    }
    return status;
}

/* ---- closed ---------------------------------------------------------------------------------------- */

static int bench_closed(struct bench *b)
{
    const struct bench_order order = { .mode = BENCH_CLOSED,
                                       .workers = (uint32_t)b->workers,
                                       .senders = (uint32_t)b->senders,
                                       .window = 1,
                                       .payload = (uint32_t)b->payload,
                                       .duration_ns = b->seconds * 1000000000 };
    struct bench_state state;
    int status = bench_run(b, &order, "closed", &state);

    if (status != 0) {
        return status;
    }
    double rate = bench_rate(&state);
    if (b->json) {
        bench_print_json(
            json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:{s:f, s:f, s:I}, s:I}", "bench",
                      "closed", "seconds", (json_int_t)b->seconds, "workers",
                      (json_int_t)b->workers, "senders", (json_int_t)b->senders, "payload",
                      (json_int_t)b->payload, "round_trips", (json_int_t)state.received,
                      "round_trips_per_s", rate, "rtt_us", "p50", histogram_us(&state.rtt, 0.5),
                      "p99", histogram_us(&state.rtt, 0.99), "samples", (json_int_t)state.rtt.count,
                      "lost", (json_int_t)bench_lost(&state)));
    } else {
        printf("hub and %llu workers, %llu senders with one %llu-byte message in flight each\n",
               (unsigned long long)b->workers, (unsigned long long)b->senders,
               (unsigned long long)b->payload);
        printf("%.0f round trips/s (%.1f MB/s each way), p50 %.1f us, p99 %.1f us, %llu lost\n",
               rate, rate * (double)b->payload / 1e6, histogram_us(&state.rtt, 0.5),
               histogram_us(&state.rtt, 0.99), (unsigned long long)bench_lost(&state));
        if (b->person) {
            histogram_print(&state.rtt, stdout);
        }
    }
    if (bench_lost(&state) > 0) {
        return failure_say(b->options->cmd, EXIT_FAILED, "%llu messages were lost",
                           (unsigned long long)bench_lost(&state));
    }
    return 0;
}

/* ---- the command ------------------------------------------------------------------------------------ */

static int bench_word(const struct bench *b, size_t i, const char *what, uint64_t max,
                      uint64_t *number)
{
    const char *text = b->options->word[i];
    char *end;

    *number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || *number == 0 || *number > max) {
        return failure_usage(b->options->cmd, "'%s' is not a number of %s from 1 to %llu", text,
                             what, (unsigned long long)max);
    }
    return 0;
}

static int bench_main(struct options *options)
{
    static const char *const words[] = { "BENCH", "SECONDS", "WORKERS", NULL };
    struct bench b = { .options = options, .json = options_has(options, "json") };
    int status = options_words(options, words, 3);
    bool fanout, closed;

    if (status != 0) {
        return status;
    }
    fanout = strcmp(options->word[0], "fanout") == 0;
    closed = strcmp(options->word[0], "closed") == 0;
    if (!fanout && !closed) {
        return failure_usage(options->cmd, "no bench '%s' (there are fanout, closed)",
                             options->word[0]);
    }
    status = bench_word(&b, 1, "seconds", 3600, &b.seconds);
    status = status == 0 ? bench_word(&b, 2, "workers", BENCH_WORKERS_MAX, &b.workers) : status;
    status = status == 0 ? options_number(options, "senders", 1, BENCH_SENDERS_MAX, 8 * b.workers,
                                          &b.senders)
                         : status;
    status = status == 0 ? options_number(options, "window", 1, BENCH_WINDOW_MAX, 128, &b.window)
                         : status;
    status = status == 0 ? options_number(options, "payload", 1, BENCH_PAYLOAD_MAX, 2, &b.payload)
                         : status;
    if (status != 0) {
        return status;
    }
    b.person = !b.json && isatty(STDOUT_FILENO);
    status = cluster_start(&b.cluster, options->cmd, (size_t)b.workers);
    if (status == 0) {
        status = fanout ? bench_fanout(&b) : bench_closed(&b);
    }
    cluster_stop(&b.cluster);
    return status;
}

static const struct cmd_option bench_options[] = {
    { "senders", "N", "senders, all together [8 a worker]" },
    { "window", "N", "fanout: messages in flight, a sender [128]" },
    { "payload", "BYTES", "closed: bytes of a message [2]" },
    OPTION_JSON,
    OPTION_END,
};

const struct cmd cmd_bench = {
    .name = "bench",
    .synopsis = "[--senders N] [--window N] [--json] fanout SECONDS WORKERS\n"
                "[--senders N] [--payload BYTES] [--json] closed SECONDS WORKERS",
    .summary = "measure this machine's round trips between nodes",
    .options = bench_options,
    .run = bench_main,
};
