/* connect.h: what the two sides of `bench connect` say to each other. */
#ifndef BENCH_CONNECT_H
#define BENCH_CONNECT_H

#include "bench.h"

enum connect_what {
    CONNECT_SENDERS,      /* there are `count` senders */
    CONNECT_LANES,        /* each opens a lane to worker0 */
    CONNECT_SPAWNS_ASKED, /* worker0 spawns `count` times, or for the duration */
};

/* What the parent asks of the hub's process "connect", as the message of a call. */
struct connect_order {
    enum connect_what what;
    uint32_t count, in_flight;
    uint64_t duration_ns;
};

/* What it answers when that is done. */
struct connect_state {
    int error;
    uint64_t done, elapsed_ns;
    struct histogram spawn; /* of those asked one at a time */
};

/* connect_hub.c: what runs on the nodes. */
cluster_boot_fn connect_boot;

#endif
