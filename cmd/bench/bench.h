/* bench.h: what the files of `rusm bench` share. The parent forks every node, also the hub. Each is
 * an OS process with its own entry in the run folder. The parent then uses the hub as a client. The
 * hub's senders are ordinary behaviours on rusm.h. Every figure is measured in the run that prints
 * it. */
#ifndef BENCH_H
#define BENCH_H

#include "../cmd.h"

#include <jansson.h>

#define BENCH_NODES_MAX 101 /* of a bench, with the hub */
#define BENCH_WORKERS_MAX 64
#define BENCH_SENDERS_MAX 1024 /* of a bench */
#define BENCH_WINDOW_MAX 65536
#define BENCH_PAYLOAD_MAX (1024 * 1024)
#define BENCH_PROBES 2000    /* round trips without load, one at a time */
#define BENCH_PROBES_ROW 500 /* of these, in a row to one worker */
/* Round trips before each row that do not count in it. Afterwards caches are warm, and the system
 * has given either side a core of its own, which takes it a few of its ticks. The benches of
 * test/peers, udpfloor too, have the same warm-up. */
#define BENCH_WARMUP 2000

/* ---- bench.c: the table of benches ----------------------------------------------------------- */

struct bench {
    const struct options *options;
    uint64_t seconds;    /* 0: the bench takes none */
    uint32_t timeout_ms; /* how long to wait for what is in flight at the end */
    bool json, person;
};

/* The benches. Each returns the exit status. */
int bench_fanout(struct bench *bench);
int bench_closed(struct bench *bench);
int bench_mixed(struct bench *bench);
int bench_flood(struct bench *bench);
int bench_bulk(struct bench *bench);
int bench_connect(struct bench *bench);
int bench_local(struct bench *bench);

/* ---- common.c: what the benches share ---------------------------------------------------- */

/* Gives the number that word i is. Returns 0 or the exit status. */
int common_word(const struct bench *b, size_t i, const char *what, uint64_t max, uint64_t *number);
/* Returns the time of CLOCK_MONOTONIC, which is the same in the parent and on the nodes. */
uint64_t common_now_ns(void);
/* Prints one line. Takes o. */
void common_print_json(json_t *o);
/* Waits. On a terminal, says how long it has waited for `what`, unless `what` is NULL. */
void common_wait(const struct bench *b, const char *what, uint64_t ms);
/* Returns 0 if `lost` is 0, or else EXIT_FAILED after a message. */
int common_verdict(const struct bench *b, uint64_t lost);

/* ---- histogram.c: times in ns, in buckets 1.6 % wide ------------------------------------- */

#define HISTOGRAM_SUB 64
struct histogram {
    uint64_t count;
    uint64_t at[64 * HISTOGRAM_SUB];
};
void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t ns);
/* Returns the time in microseconds below which `share` (0 to 1) of the times lie, or 0 if the
 * histogram is empty. */
double histogram_us(const struct histogram *h, double share);
/* Prints a bar for each power of two. The bars fit a terminal. */
void histogram_print(const struct histogram *h, FILE *out);

/* ---- cluster.c: the nodes ---------------------------------------------------------------- */

struct bench_node {
    char name[32], address[64];
    pid_t pid;
    struct rusm_client *client; /* NULL: cluster_client was not called */
};

struct cluster {
    char dir[64], rundir[80], apart[80], identity[80];
    struct bench_node node[BENCH_NODES_MAX]; /* the first one is the hub */
    size_t nodes;
    uint32_t max_packet;     /* of nodes that start later; 0: the default */
    uint32_t schedulers;     /* of nodes that start later; 0: one */
    uint32_t timeout_ms;     /* of clients that open later */
    struct rusm_client *hub; /* the client of the first node */
    pid_t relay;             /* 0: none */
};

/* Runs in the OS process of a node: teaches and boots what runs there. The index of the hub is
 * 0. */
typedef int cluster_boot_fn(struct rusm_node *node, size_t index, struct rusm_why *why);

/* Makes the identity and starts the nodes "hub", "worker0", "worker1" and so on. Waits until all
 * are peers of the hub. Returns 0 or the exit status. Call cluster_stop in either case. */
int cluster_start(struct cluster *c, const struct cmd *cmd, size_t nodes, cluster_boot_fn *boot);
/* Boots a spawnable under that name, for a cluster_boot_fn. `arg` may be NULL. */
int cluster_boot(struct rusm_node *node, const char *name, const char *spawnable, const char *arg,
                 struct rusm_why *why);
/* Does what cluster_start does, for a hub and one worker. `loss` percent of the datagrams between
 * them get lost. */
int cluster_start_lossy(struct cluster *c, const struct cmd *cmd, cluster_boot_fn *boot,
                        const char *loss);
void cluster_stop(struct cluster *c);
/* The steps of cluster_start. cluster_make makes the folder, and the identity that all nodes share.
 * cluster_grow starts nodes until there are `nodes`. cluster_mesh waits until each node has all
 * others as peers. */
int cluster_make(struct cluster *c, const struct cmd *cmd);
int cluster_grow(struct cluster *c, const struct cmd *cmd, size_t nodes, cluster_boot_fn *boot);
int cluster_mesh(const struct cluster *c, const struct cmd *cmd);
/* Open a client of a node. cluster_stop closes that of cluster_client, the caller that of
 * cluster_dial. Return 0 or the exit status. */
int cluster_client(struct cluster *c, const struct cmd *cmd, size_t index);
int cluster_dial(const struct cluster *c, const struct cmd *cmd, size_t index,
                 struct rusm_client **client);
/* Calls a process of the hub. Returns 0 or the exit status. An answer of another length is a
 * failure. */
int cluster_call(const struct cluster *c, const struct cmd *cmd, const char *process,
                 const void *order, size_t len, void *answer, size_t answer_len);
/* Returns the CPU time of all nodes so far, in ns. */
uint64_t cluster_cpu_ns(const struct cluster *c);
/* Return the resident memory of a node, now and at its peak. */
uint64_t cluster_rss_kib(const struct cluster *c, size_t index);
uint64_t cluster_peak_kib(const struct cluster *c, size_t index);

/* ---- mirror.c: sends messages back from a worker ----------------------------------------- */

/* Teaches and boots "mirror". */
int bench_mirror_boot(struct rusm_node *node, struct rusm_why *why);

/* ---- hub.c: what runs on the hub --------------------------------------------------------- */

enum bench_mode { BENCH_UNLOADED, BENCH_ORDERED, BENCH_STREAM, BENCH_CLOSED };

/* An order of the parent to the hub's process "bench": the data of a call. Its reply is empty. */
struct bench_order {
    enum bench_mode mode;
    uint32_t workers, senders; /* senders: of all workers */
    uint32_t first; /* the worker of the first sender; the next sender has the next worker */
    uint32_t window, payload;
    uint64_t duration_ns;
};

/* The reply to a call without data: the state of the last order. */
struct bench_state {
    bool done;
    uint64_t sent, received, elapsed_ns; /* elapsed_ns: of the measured time */
    uint64_t first_ns;                   /* unloaded: the first round trip of the row */
    struct histogram rtt, warm;          /* warm: unloaded: all round trips of the warm-up */
};

/* Teaches and boots the process "bench". Its context is static in the OS process of the hub. */
int bench_hub_boot(struct rusm_node *node, struct rusm_why *why);

#endif
