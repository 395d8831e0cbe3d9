/* lane_pools: spare memory of all lanes of a scheduler: whoever runs one (a node, a client) has one
 * and lends it to its connections. */
#ifndef PEER_LANE_POOLS_H
#define PEER_LANE_POOLS_H

#include "base/blocks.h"
#include "base/pool.h"
#include "peer/outq.h"

struct lane_pools {
    struct outq_pool chunks;
    struct pool out, in, credits; /* struct lane_out, lane_in, credit */
    struct blocks blocks;         /* payloads of large records, both ways */
};

void lane_pools_init(struct lane_pools *p); /* no allocation */
/* After the last connection, and the last message that came on one. */
void lane_pools_fini(struct lane_pools *p);

#endif
