/* bench.h: what the files of `rusm bench` share. The parent forks every node, the hub too, each a
 * process of the system with its own run folder's entry; it then acts on the hub as a client. The
 * hub's senders are ordinary behaviours on rusm.h. Every figure is measured in the run that prints
 * it. */
#ifndef BENCH_H
#define BENCH_H

#include "../cmd.h"

#include <jansson.h>

#define BENCH_NODES_MAX 101 /* all together */
#define BENCH_WORKERS_MAX 64
#define BENCH_SENDERS_MAX 1024 /* all together */
#define BENCH_WINDOW_MAX 65536
#define BENCH_PAYLOAD_MAX (1024 * 1024)
#define BENCH_PROBES 2000    /* unloaded round trips, one at a time */
#define BENCH_PROBES_ROW 500 /* in a row to one worker */
/* Round trips before each row that are not counted in it: until caches are warm, and the system has
 * given either side a core of its own, which takes a few of its ticks. The peers and the floor have
 * the same. */
#define BENCH_WARMUP 2000

/* ---- bench.c: the table of benches ----------------------------------------------------------- */

struct bench {
    const struct options *options;
    uint64_t seconds;    /* 0: it takes none */
    uint32_t timeout_ms; /* for what is in flight when the time is over */
    bool json, person;
};

/* The benches: each returns the exit status. */
int bench_fanout(struct bench *bench);
int bench_closed(struct bench *bench);
int bench_mixed(struct bench *bench);
int bench_flood(struct bench *bench);
int bench_bulk(struct bench *bench);
int bench_connect(struct bench *bench);
int bench_local(struct bench *bench);

/* ---- common.c: what they share --------------------------------------------------------------- */

/* The number that word i is. Returns 0 or the exit status. */
int common_word(const struct bench *b, size_t i, const char *what, uint64_t max, uint64_t *number);
/* CLOCK_MONOTONIC; in the parent and on the nodes. */
uint64_t common_now_ns(void);
/* One line. Takes o. */
void common_print_json(json_t *o);
/* Waits; says how far `what` is on a terminal, unless it is NULL. */
void common_wait(const struct bench *b, const char *what, uint64_t ms);
/* 0, or EXIT_FAILED after a message. */
int common_verdict(const struct bench *b, uint64_t lost);

/* ---- histogram.c: times in ns, 1.6 % wide buckets -------------------------------------------- */

#define HISTOGRAM_SUB 64
struct histogram {
    uint64_t count;
    uint64_t at[64 * HISTOGRAM_SUB];
};
void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t ns);
/* The time below which that share (0 to 1) lies, in microseconds; 0 when empty. */
double histogram_us(const struct histogram *h, double share);
/* Bars, one a power of two, as wide as a terminal. */
void histogram_print(const struct histogram *h, FILE *out);

/* ---- cluster.c: the nodes --------------------------------------------------------------- */

struct bench_node {
    char name[32], address[64];
    pid_t pid;
    struct rusm_client *client; /* NULL unless cluster_client was called */
};

struct cluster {
    char dir[64], rundir[80], apart[80], identity[80];
    struct bench_node node[BENCH_NODES_MAX]; /* the hub is the first */
    size_t nodes;
    uint32_t max_packet;     /* of nodes started from now on; 0: the default */
    uint32_t schedulers;     /* of nodes started from now on; 0: one */
    uint32_t timeout_ms;     /* of clients opened from now on */
    struct rusm_client *hub; /* the first one's client */
    pid_t relay;             /* 0: none */
};

/* In a node's own process: teaches and boots what runs there. The hub's index is 0. */
typedef int cluster_boot_fn(struct rusm_node *node, size_t index, struct rusm_why *why);

/* Makes the identity and starts the nodes "hub", "worker0", "worker1"...; waits until the hub has
 * all as peers. Returns 0 or the exit status. cluster_stop in any case. */
int cluster_start(struct cluster *c, const struct cmd *cmd, size_t nodes, cluster_boot_fn *boot);
/* For a cluster_boot_fn: boots a spawnable under that name; arg may be NULL. */
int cluster_boot(struct rusm_node *node, const char *name, const char *spawnable, const char *arg,
                 struct rusm_why *why);
/* The same for a hub and one worker that lose so many percent of their datagrams. */
int cluster_start_lossy(struct cluster *c, const struct cmd *cmd, cluster_boot_fn *boot,
                        const char *loss);
void cluster_stop(struct cluster *c);
/* In steps: the folder and the identity that all share; nodes until there are so many; waits until
 * each has all others as peers. */
int cluster_make(struct cluster *c, const struct cmd *cmd);
int cluster_grow(struct cluster *c, const struct cmd *cmd, size_t nodes, cluster_boot_fn *boot);
int cluster_mesh(const struct cluster *c, const struct cmd *cmd);
/* Opens that node's client, which cluster_stop closes; or one that is the caller's. Returns 0 or
 * the exit status. */
int cluster_client(struct cluster *c, const struct cmd *cmd, size_t index);
int cluster_dial(const struct cluster *c, const struct cmd *cmd, size_t index,
                 struct rusm_client **client);
/* Calls a process of the hub. Returns 0 or the exit status; an answer of another length is a
 * failure. */
int cluster_call(const struct cluster *c, const struct cmd *cmd, const char *process,
                 const void *order, size_t len, void *answer, size_t answer_len);
/* CPU time of all nodes so far, ns. */
uint64_t cluster_cpu_ns(const struct cluster *c);
/* A node's resident memory, now and at its highest. */
uint64_t cluster_rss_kib(const struct cluster *c, size_t index);
uint64_t cluster_peak_kib(const struct cluster *c, size_t index);

/* ---- mirror.c: what a worker sends back -------------------------------------------------- */

/* Teaches and boots "mirror". */
int bench_mirror_boot(struct rusm_node *node, struct rusm_why *why);

/* ---- hub.c: what runs on the hub --------------------------------------------------------- */

enum bench_mode { BENCH_UNLOADED, BENCH_ORDERED, BENCH_STREAM, BENCH_CLOSED };

/* What the parent asks of the hub's process "bench", as the message of a call. */
struct bench_order {
    enum bench_mode mode;
    uint32_t workers, senders; /* senders: all together */
    uint32_t first;            /* the first sender's worker; the others' follow round and round */
    uint32_t window, payload;
    uint64_t duration_ns;
};

/* What it answers to a call without an order: the state of the last one. An order is answered with
 * nothing. */
struct bench_state {
    bool done;
    uint64_t sent, received, elapsed_ns; /* elapsed: of the measured time */
    uint64_t first_ns;                   /* unloaded: the first round trip of the row */
    struct histogram rtt, warm;          /* warm: unloaded: of the warm-up, the first included */
};

/* Teaches and boots it. Context: static storage of the hub's own process. */
int bench_hub_boot(struct rusm_node *node, struct rusm_why *why);

#endif
