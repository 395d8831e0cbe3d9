/* mixed: `mixed`: measures the small round trips of one pair, alone and beside the load of others
 * on the same two nodes. */
#include "load.h"

#include <string.h>

#define MIXED_HOSE_BYTES RUSM_MESSAGE_MAX /* a message of the firehose */
#define MIXED_STALL_BYTES 1024            /* a message for the stalled receiver */
#define MIXED_STALL_SENDERS 8
#define MIXED_LOSS "1"    /* percent of all datagrams */
#define MIXED_LEAD_MS 200 /* the load runs for so long before and after the probe */

enum { HUB, WORKER, NODES };

struct mixed {
    const struct bench *bench;
    json_t *cases;
    uint64_t lost;
    double alone_bytes_per_s;
};

/* Orders the hub's senders to send to the worker, for the seconds of the bench and both leads. */
static int mixed_send(struct mixed *m, struct cluster *c, uint32_t senders, uint32_t payload,
                      uint64_t pace_ns)
{
    const struct load_order take = { .what = LOAD_TAKE, .pace_ns = pace_ns };
    struct load_order send = { .what = LOAD_SEND, .senders = senders, .payload = payload };

    send.duration_ns = m->bench->seconds * 1000000000 + 2 * MIXED_LEAD_MS * (uint64_t)1000000;
    snprintf(send.node, sizeof(send.node), "%s", c->node[WORKER].name);
    int status = load_order(c, m->bench, WORKER, &take, NULL);
    status = status == 0 ? load_order(c, m->bench, HUB, &send, NULL) : status;
    common_wait(m->bench, NULL, MIXED_LEAD_MS);
    return status;
}

static double mixed_rate(const struct load_state *taker)
{
    uint64_t ns = taker->taken_ns - taker->send_ns;

    return taker->taken ? (double)taker->taken_bytes * 1e9 / (double)ns : 0;
}

/* Prints one case, or keeps it for the JSON. */
static void mixed_case(struct mixed *m, const char *name, const char *title,
                       const struct histogram *rtt, double bulk)
{
    double p50 = histogram_us(rtt, 0.5), p99 = histogram_us(rtt, 0.99);
    double p999 = histogram_us(rtt, 0.999);

    if (m->bench->json) {
        json_array_append_new(m->cases, json_pack("{s:s, s:{s:f, s:f, s:f}, s:f}", "case", name,
                                                  "rtt_us", "p50", p50, "p99", p99, "p999", p999,
                                                  "bulk_bytes_per_s", bulk));
        return;
    }
    printf("%s: p50 %.1f us, p99 %.1f us, p99.9 %.1f us", title, p50, p99, p999);
    if (bulk > 0) {
        printf("; the firehose %.3f GB/s, %.0f %% of its own", bulk / 1e9,
               100 * bulk / m->alone_bytes_per_s);
    }
    printf(" (%llu round trips)\n", (unsigned long long)rtt->count);
    if (m->bench->person) {
        histogram_print(rtt, stdout);
    }
}

static int mixed_alone(struct mixed *m, struct cluster *c)
{
    struct histogram rtt;
    int status = load_probe(c, m->bench, "alone", HUB, WORKER, &rtt, &m->lost);

    if (status == 0) {
        mixed_case(m, "alone", "alone", &rtt, 0);
    }
    return status;
}

static int mixed_firehose(struct mixed *m, struct cluster *c)
{
    struct load_state taker;
    struct histogram rtt;
    int status = mixed_send(m, c, 1, MIXED_HOSE_BYTES, LOAD_AT_ONCE);

    common_wait(m->bench, "firehose alone", m->bench->seconds * 1000);
    status = status == 0 ? load_drain(c, m->bench, WORKER, &taker, &m->lost) : status;
    if (status != 0) {
        return status;
    }
    m->alone_bytes_per_s = mixed_rate(&taker);
    if (!m->bench->json) {
        printf("the firehose alone: %.3f GB/s\n", m->alone_bytes_per_s / 1e9);
    }
    status = mixed_send(m, c, 1, MIXED_HOSE_BYTES, LOAD_AT_ONCE);
    status =
        status == 0 ? load_probe(c, m->bench, "firehose", HUB, WORKER, &rtt, &m->lost) : status;
    status = status == 0 ? load_drain(c, m->bench, WORKER, &taker, &m->lost) : status;
    if (status == 0) {
        mixed_case(m, "firehose", "beside a firehose", &rtt, mixed_rate(&taker));
    }
    return status;
}

static int mixed_stalled(struct mixed *m, struct cluster *c)
{
    const struct load_order go_on = { .what = LOAD_PACE, .pace_ns = LOAD_AT_ONCE };
    struct load_state taker;
    struct histogram rtt;
    int status = mixed_send(m, c, MIXED_STALL_SENDERS, MIXED_STALL_BYTES, LOAD_NEVER);

    status = status == 0 ? load_probe(c, m->bench, "stalled", HUB, WORKER, &rtt, &m->lost) : status;
    status = status == 0 ? load_order(c, m->bench, WORKER, &go_on, NULL) : status;
    status = status == 0 ? load_drain(c, m->bench, WORKER, &taker, &m->lost) : status;
    if (status == 0) {
        mixed_case(m, "stalled", "beside a stalled receiver", &rtt, 0);
    }
    return status;
}

static int mixed_loss(struct mixed *m)
{
    struct cluster c = { .nodes = 0 };
    struct histogram rtt;
    int status = cluster_start_lossy(&c, m->bench->options->cmd, load_boot, MIXED_LOSS);

    status = status == 0 ? load_probe(&c, m->bench, "loss", HUB, WORKER, &rtt, &m->lost) : status;
    cluster_stop(&c);
    if (status == 0) {
        mixed_case(m, "loss", "under 1 % loss", &rtt, 0);
    }
    return status;
}

int bench_mixed(struct bench *b)
{
    struct mixed m = { .bench = b, .cases = json_array() };
    struct cluster c;
    int status = cluster_start(&c, b->options->cmd, NODES, load_boot);

    status = status == 0 ? cluster_client(&c, b->options->cmd, WORKER) : status;
    if (status == 0 && !b->json) {
        printf("two nodes, round trips of 17 bytes, one at a time, %llu s a case\n",
               (unsigned long long)b->seconds);
    }
    status = status == 0 ? mixed_alone(&m, &c) : status;
    status = status == 0 ? mixed_firehose(&m, &c) : status;
    status = status == 0 ? mixed_stalled(&m, &c) : status;
    cluster_stop(&c);
    status = status == 0 ? mixed_loss(&m) : status;
    if (status == 0 && b->json) {
        common_print_json(json_pack("{s:s, s:O, s:f}", "bench", "mixed", "cases", m.cases,
                                    "bulk_alone_bytes_per_s", m.alone_bytes_per_s));
    }
    json_decref(m.cases);
    return status == 0 ? common_verdict(b, m.lost) : status;
}
