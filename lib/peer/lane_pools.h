/* lane_pools: spare memory for all lanes of a scheduler. Each scheduler of a node, and each client,
 * has one and lends it to its connections. */
#ifndef PEER_LANE_POOLS_H
#define PEER_LANE_POOLS_H

#include "base/blocks.h"
#include "base/pool.h"
#include "peer/outq.h"

struct lane_pools {
    struct outq_pool chunks;
    struct pool out, in, credits; /* of struct lane_out, lane_in, credit */
    struct blocks blocks;         /* payloads of large records in both directions */
};

void lane_pools_init(struct lane_pools *p); /* allocates nothing */
/* To be called when the last connection is gone, and the last message that came on one. */
void lane_pools_fini(struct lane_pools *p);

#endif
