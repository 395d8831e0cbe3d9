/* connect.h: the messages between the two sides of `bench connect`. */
#ifndef BENCH_CONNECT_H
#define BENCH_CONNECT_H

#include "bench.h"

enum connect_what {
    CONNECT_SENDERS,      /* start `count` senders */
    CONNECT_LANES,        /* each sender opens a lane to worker0 */
    CONNECT_SPAWNS_ASKED, /* ask worker0 for `count` spawns, or for spawns until the time is over */
};

/* An order of the parent to the hub's process "connect": the data of a call. */
struct connect_order {
    enum connect_what what;
    uint32_t count, in_flight;
    uint64_t duration_ns;
};

/* The reply to an order, when it is done. */
struct connect_state {
    int error;
    uint64_t done, elapsed_ns;
    struct histogram spawn; /* times of spawns, if one is in flight at a time */
};

/* Boots what runs on a node. In connect_hub.c. */
cluster_boot_fn connect_boot;

#endif
