/* peer: the drivers' common half: command line, the hub's senders, the figures. What it measures,
 * and when, is what cmd/bench/trips.c and cmd/bench/hub.c do. Whatever goes wrong ends the driver
 * with a word about it, and the workers end with it. */
#include "peer.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS 1000000000ull
#define GRACE_NS (5 * NS) /* for what is in flight when the time is over */

struct sender {
    char name[SENDER_NAME + 1];
    uint32_t worker, in_flight;
    uint32_t left; /* probes still to be sent (unloaded), of the warm-up too */
    uint64_t stamp_ns;
};

struct hub {
    const struct peer *peer;
    void *link;
    enum bench_mode mode;
    uint32_t senders, window;
    size_t payload;
    char *data;
    uint64_t start_ns, end_ns, last_ns, sent, received;
    struct histogram rtt;
    struct sender sender[BENCH_SENDERS_MAX];
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

/* ---- senders --------------------------------------------------------------------------------- */

static bool sender_send(struct hub *h, struct sender *s, uint64_t now)
{
    char message[MESSAGE_SIZE];

    if (h->mode == BENCH_CLOSED) {
        s->stamp_ns = now;
        if (!h->peer->send(h->link, s->worker, s->name, h->data, h->payload)) {
            return false;
        }
    } else {
        memcpy(message, &now, sizeof(now));
        memcpy(message + sizeof(now), s->name, SENDER_NAME);
        if (!h->peer->send(h->link, s->worker, s->name, message, sizeof(message))) {
            return false;
        }
    }
    s->in_flight++;
    h->sent++;
    return true;
}

/* Fills the window, while the time (unloaded: the probes) lasts. */
static void sender_fill(struct hub *h, struct sender *s)
{
    while (s->in_flight < h->window && (h->mode != BENCH_UNLOADED || s->left > 0)) {
        uint64_t now = now_ns();
        if ((h->mode != BENCH_UNLOADED && now >= h->end_ns) || !sender_send(h, s, now)) {
            break;
        }
        s->left -= h->mode == BENCH_UNLOADED;
    }
}

void hub_reply(struct hub *h, const char *name, const void *data, size_t len)
{
    char digits[SENDER_NAME] = "";
    memcpy(digits, name + 1, SENDER_NAME - 1);
    unsigned long i = strtoul(digits, NULL, 10);
    size_t expected = h->mode == BENCH_CLOSED ? h->payload : MESSAGE_SIZE;

    if (i >= h->senders || len != expected || h->sender[i].in_flight == 0) {
        errx(1, "a reply that nobody waits for");
    }
    struct sender *s = &h->sender[i];
    uint64_t then = s->stamp_ns;
    if (h->mode != BENCH_CLOSED) {
        memcpy(&then, data, sizeof(then));
    }
    h->last_ns = now_ns();
    s->in_flight--;
    if (h->mode != BENCH_UNLOADED || h->received >= BENCH_WARMUP) {
        histogram_add(&h->rtt, h->last_ns - then);
    }
    h->received++;
}

/* One phase; the first sender's worker is `first`, the others' follow round and round. The times
 * are added to those in the histogram. Returns how many were lost. */
static uint64_t hub_run(struct hub *h, const struct peer_run *r, uint32_t first)
{
    bool unloaded = h->mode == BENCH_UNLOADED, more;
    uint64_t now;

    h->senders = unloaded ? 1 : r->senders;
    h->window = h->mode == BENCH_ORDERED ? r->window : 1;
    h->sent = h->received = 0;
    for (uint32_t i = 0; i < h->senders; i++) {
        struct sender *s = &h->sender[i];
        snprintf(s->name, sizeof(s->name), "s%08u", i % 100000000u);
        s->worker = (first + i) % r->workers;
        s->in_flight = 0;
        s->left = BENCH_WARMUP + BENCH_PROBES_ROW;
    }
    h->start_ns = h->last_ns = now_ns();
    h->end_ns = h->start_ns + r->seconds * NS;
    do {
        for (uint32_t i = 0; i < h->senders; i++) {
            sender_fill(h, &h->sender[i]);
        }
        if (h->peer->flush) {
            h->peer->flush(h->link);
        }
        if (h->sent > h->received) {
            h->peer->receive(h->link, h);
        }
        now = now_ns();
        more = unloaded ? h->sender[0].left > 0 : now < h->end_ns;
    } while ((more || h->sent > h->received) && now < h->end_ns + GRACE_NS);
    return h->sent - h->received;
}

/* ---- figures --------------------------------------------------------------------------------- */

static double hub_rate(const struct hub *h)
{
    uint64_t elapsed = h->last_ns - h->start_ns;
    return elapsed ? (double)h->received * 1e9 / (double)elapsed : 0;
}

static void print_head(const struct peer_run *r, const struct hub *h, const char *bench)
{
    printf("{\"peer\":\"%s\",\"bench\":\"%s\",\"seconds\":%u,\"workers\":%u,\"senders\":%u,"
           "\"payload\":%zu,",
           h->peer->name, bench, r->seconds, r->workers, r->senders,
           r->closed ? h->payload : (size_t)MESSAGE_SIZE);
}

static uint64_t run_closed(struct hub *h, const struct peer_run *r)
{
    h->mode = BENCH_CLOSED;
    uint64_t lost = hub_run(h, r, 0);
    print_head(r, h, "closed");
    printf("\"round_trips\":%" PRIu64 ",\"round_trips_per_s\":%.6g,\"rtt_us\":{\"p50\":%.6g,"
           "\"p99\":%.6g,\"samples\":%" PRIu64 "},\"lost\":%" PRIu64 "}\n",
           h->received, hub_rate(h), histogram_us(&h->rtt, 0.5), histogram_us(&h->rtt, 0.99),
           h->rtt.count, lost);
    return lost;
}

static uint64_t run_fanout(struct hub *h, const struct peer_run *r)
{
    uint64_t lost_unloaded = 0;

    h->mode = BENCH_UNLOADED;
    for (uint32_t i = 0; i < BENCH_PROBES / BENCH_PROBES_ROW; i++) {
        lost_unloaded += hub_run(h, r, i);
    }
    print_head(r, h, "fanout");
    printf("\"rtt_us\":{\"p50\":%.6g,\"p99\":%.6g,\"samples\":%" PRIu64 "},",
           histogram_us(&h->rtt, 0.5), histogram_us(&h->rtt, 0.99), h->rtt.count);

    histogram_clear(&h->rtt);
    h->mode = BENCH_ORDERED;
    uint64_t cpu = process_cpu_ns(r);
    uint64_t lost = hub_run(h, r, 0);
    cpu = process_cpu_ns(r) - cpu;
    double rate = hub_rate(h);
    printf("\"saturation\":[{\"mode\":\"ordered\",\"round_trips\":%" PRIu64
           ",\"round_trips_per_s\":%.6g,\"messages_per_s\":%.6g,\"lost\":%" PRIu64
           ",\"cpu_us_per_round_trip\":%.6g,\"rtt_us\":{\"p50\":%.6g,\"p99\":%.6g}}],"
           "\"hub_peak_rss_kib\":%" PRIu64 "}\n",
           h->received, rate, 2 * rate, lost,
           h->received ? (double)cpu / 1000 / (double)h->received : 0, histogram_us(&h->rtt, 0.5),
           histogram_us(&h->rtt, 0.99), process_peak_kib());
    return lost + lost_unloaded;
}

/* ---- main ------------------------------------------------------------------------------------ */

static uint32_t number(const char *text, uint32_t max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end != '\0' || n == 0 || n > max) {
        errx(2, "'%s' is not a number from 1 to %u", text, max);
    }
    return (uint32_t)n;
}

int peer_main(int argc, char **argv, const struct peer *peer)
{
    static const struct option options[] = { { "senders", required_argument, NULL, 's' },
                                             { "window", required_argument, NULL, 'w' },
                                             { "payload", required_argument, NULL, 'p' },
                                             { NULL, 0, NULL, 0 } };
    struct peer_run r = { .window = 128, .payload = 2 };
    struct hub *h = calloc(1, sizeof(*h));

    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
        case 's': r.senders = number(optarg, BENCH_SENDERS_MAX); break;
        case 'w': r.window = number(optarg, BENCH_WINDOW_MAX); break;
        case 'p': r.payload = number(optarg, BENCH_PAYLOAD_MAX); break;
        default: return 2;
        }
    }
    if (argc - optind != 3 || !h) {
        errx(2, "usage: [--senders N] [--window N] [--payload N] fanout|closed SECONDS WORKERS");
    }
    r.closed = strcmp(argv[optind], "closed") == 0;
    r.seconds = number(argv[optind + 1], 3600);
    r.workers = number(argv[optind + 2], BENCH_WORKERS_MAX);
    r.senders = r.senders ? r.senders : 8 * r.workers;
    h->peer = peer;
    h->payload = r.payload;
    h->data = calloc(1, r.payload);
    if (peer->prepare) {
        peer->prepare(&r);
    }
    process_start(&r, peer);
    h->link = peer->open(&r);
    uint64_t lost = r.closed ? run_closed(h, &r) : run_fanout(h, &r);
    fflush(stdout);
    process_stop(&r);
    return lost > 0;
}
