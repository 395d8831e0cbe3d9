/* lane_pools: see the header. */
#include "peer/lane_pools.h"

#include "base/credit.h"
#include "peer/lane_in.h"
#include "peer/lane_out.h"

/* Spare lanes in each direction. With one stream for each message, a batch of packets opens or ends
 * as many. They take about a megabyte. */
#define SPARE_LANES 2048

void lane_pools_init(struct lane_pools *p)
{
    blocks_init(&p->blocks);
    outq_pool_init(&p->chunks, &p->blocks);
    pool_init(&p->out, sizeof(struct lane_out), SPARE_LANES);
    pool_init(&p->in, sizeof(struct lane_in), SPARE_LANES);
    pool_init(&p->credits, sizeof(struct credit), SPARE_LANES);
}

void lane_pools_fini(struct lane_pools *p)
{
    outq_pool_fini(&p->chunks);
    pool_fini(&p->out);
    pool_fini(&p->in);
    pool_fini(&p->credits);
    blocks_fini(&p->blocks);
}
