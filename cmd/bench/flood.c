/* flood: `flood`: many senders on two nodes flood a process that takes one message a millisecond.
 * The bench measures what that costs in memory, and what it costs a bystander pair of the same
 * nodes in time. */
#include "load.h"

#include <string.h>

#define FLOOD_SECONDS 5  /* of each phase */
#define FLOOD_SENDERS 16 /* on each node */
#define FLOOD_BYTES 1024
#define FLOOD_PACE_NS ((uint64_t)1000000)
#define FLOOD_LEAD_MS 200           /* the flood runs for so long before and after the bystander */
#define FLOOD_LIMIT_KIB (64 * 1024) /* how much memory may grow on either side */

enum { RECEIVER, SENDER, SENDERS_END = SENDER + 2, NODES = SENDERS_END };

struct flood {
    const struct bench *bench;
    struct cluster cluster;
    uint64_t before_kib[NODES];
    uint64_t taken; /* during the flood */
    uint64_t sent, lost;
    struct histogram alone, flooded;
};

static int flood_begin(struct flood *f)
{
    const struct load_order take = { .what = LOAD_TAKE, .pace_ns = FLOOD_PACE_NS };
    struct load_order send = { .what = LOAD_SEND,
                               .senders = FLOOD_SENDERS,
                               .payload = FLOOD_BYTES };
    struct cluster *c = &f->cluster;
    int status = load_order(c, f->bench, RECEIVER, &take, NULL);

    send.duration_ns = f->bench->seconds * 1000000000 + 2 * FLOOD_LEAD_MS * (uint64_t)1000000;
    snprintf(send.node, sizeof(send.node), "%s", c->node[RECEIVER].name);
    for (size_t i = 0; i < NODES; i++) {
        f->before_kib[i] = cluster_rss_kib(c, i);
    }
    for (size_t i = SENDER; status == 0 && i < SENDERS_END; i++) {
        status = load_order(c, f->bench, i, &send, NULL);
    }
    common_wait(f->bench, NULL, FLOOD_LEAD_MS);
    return status;
}

/* Returns how much a node's memory has grown at its peak. */
static uint64_t flood_growth_kib(const struct flood *f, size_t index)
{
    uint64_t peak = cluster_peak_kib(&f->cluster, index);

    return peak > f->before_kib[index] ? peak - f->before_kib[index] : 0;
}

static int flood_run(struct flood *f)
{
    const struct load_order ask = { .what = LOAD_ASK };
    const struct load_order go_on = { .what = LOAD_PACE, .pace_ns = LOAD_AT_ONCE };
    const struct bench *b = f->bench;
    struct cluster *c = &f->cluster;
    struct load_state taker;
    int status = load_probe(c, b, "bystander alone", SENDER, RECEIVER, &f->alone, &f->lost);

    status = status == 0 ? flood_begin(f) : status;
    status =
        status == 0 ? load_probe(c, b, "flood", SENDER, RECEIVER, &f->flooded, &f->lost) : status;
    status = status == 0 ? load_order(c, b, RECEIVER, &ask, &taker) : status;
    f->taken = taker.taken;
    common_wait(b, NULL, FLOOD_LEAD_MS);
    status = status == 0 ? load_order(c, b, RECEIVER, &go_on, NULL) : status;
    status = status == 0 ? load_drain(c, b, RECEIVER, &taker, &f->lost) : status;
    f->sent = taker.taken;
    return status;
}

static void flood_print(const struct flood *f, uint64_t sender_kib, uint64_t receiver_kib)
{
    printf("%d senders on 2 nodes, a process that takes one message of %d bytes a ms, %llu s\n",
           2 * FLOOD_SENDERS, FLOOD_BYTES, (unsigned long long)f->bench->seconds);
    printf("%llu messages taken meanwhile, all %llu that were accepted in the end, %llu lost\n",
           (unsigned long long)f->taken, (unsigned long long)f->sent, (unsigned long long)f->lost);
    printf("resident memory grew by %llu KiB (senders), %llu KiB (receiver); limit %d KiB\n",
           (unsigned long long)sender_kib, (unsigned long long)receiver_kib, FLOOD_LIMIT_KIB);
    printf("bystander alone: p50 %.1f us, p99 %.1f us\n", histogram_us(&f->alone, 0.5),
           histogram_us(&f->alone, 0.99));
    if (f->bench->person) {
        histogram_print(&f->alone, stdout);
    }
    printf("bystander beside the flood: p50 %.1f us, p99 %.1f us\n", histogram_us(&f->flooded, 0.5),
           histogram_us(&f->flooded, 0.99));
    if (f->bench->person) {
        histogram_print(&f->flooded, stdout);
    }
}

int bench_flood(struct bench *b)
{
    struct flood f = { .bench = b };
    uint64_t sender_kib = 0, receiver_kib;
    int status;

    b->seconds = FLOOD_SECONDS;
    status = cluster_start(&f.cluster, b->options->cmd, NODES, load_boot);
    for (size_t i = SENDER; status == 0 && i < SENDERS_END; i++) {
        status = cluster_client(&f.cluster, b->options->cmd, i);
    }
    status = status == 0 ? flood_run(&f) : status;
    for (size_t i = SENDER; i < SENDERS_END; i++) {
        uint64_t kib = flood_growth_kib(&f, i);
        sender_kib = kib > sender_kib ? kib : sender_kib;
    }
    receiver_kib = flood_growth_kib(&f, RECEIVER);
    cluster_stop(&f.cluster);
    if (status != 0) {
        return status;
    }
    if (b->json) {
        common_print_json(
            json_pack("{s:s, s:{s:I, s:I}, s:i, s:I, s:{s:{s:f, s:f}, s:{s:f, s:f}}}", "bench",
                      "flood", "rss_growth_kib", "sender", (json_int_t)sender_kib, "receiver",
                      (json_int_t)receiver_kib, "limit_kib", FLOOD_LIMIT_KIB, "lost",
                      (json_int_t)f.lost, "bystander_rtt_us", "alone", "p50",
                      histogram_us(&f.alone, 0.5), "p99", histogram_us(&f.alone, 0.99), "flooded",
                      "p50", histogram_us(&f.flooded, 0.5), "p99", histogram_us(&f.flooded, 0.99)));
    } else {
        flood_print(&f, sender_kib, receiver_kib);
    }
    return common_verdict(b, f.lost);
}
