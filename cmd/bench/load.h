/* load.h: what `mixed` and `flood` share: nodes on which one process measures round trips while
 * others send, take and stall. Every node can do all of it. The parent says which node does
 * what. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench.h"

#define LOAD_SENDERS_MAX 64 /* on each node */

enum load_what {
    LOAD_ASK,   /* return the state only */
    LOAD_PROBE, /* measure small round trips to node's "mirror", one at a time, for the duration */
    LOAD_SEND,  /* senders fill their lanes to node's "taker" for the duration */
    LOAD_TAKE,  /* this node's taker begins anew, at that pace */
    LOAD_PACE,  /* this node's taker goes on at that pace */
};

#define LOAD_AT_ONCE 0
#define LOAD_NEVER UINT64_MAX

struct load_order {
    enum load_what what;
    char node[32];
    uint32_t senders, payload;
    uint64_t duration_ns;
    uint64_t pace_ns; /* time between two messages taken, or LOAD_AT_ONCE, LOAD_NEVER */
};

struct load_state {
    bool probing;
    uint32_t sending;                      /* senders that are not done */
    uint64_t sent, send_ns;                /* by all senders, and when they began */
    uint64_t taken, taken_bytes, taken_ns; /* by this node's taker, and when it took the last */
    uint64_t asked, answered;              /* round trips */
    struct histogram rtt;
};

/* Boots all that runs on a node. A cluster_boot_fn. */
int load_boot(struct rusm_node *node, size_t index, struct rusm_why *why);

/* ---- in the parent: each returns 0 or the exit status ---- */

/* Gives a node an order. `state` may be NULL. */
int load_order(struct cluster *c, const struct bench *b, size_t index,
               const struct load_order *order, struct load_state *state);
/* Measures small round trips from one node to another for b->seconds. None may be lost. Adds the
 * lost ones to *lost. */
int load_probe(struct cluster *c, const struct bench *b, const char *what, size_t from, size_t to,
               struct histogram *rtt, uint64_t *lost);
/* Waits until the senders of all nodes are done and node `to` has taken all that they sent. Gives
 * the taker's state. Its send_ns is that of the first sender. Adds what is still missing to
 * *lost. */
int load_drain(struct cluster *c, const struct bench *b, size_t to, struct load_state *taker,
               uint64_t *lost);

#endif
