/* lane_out_state: what lane_out.c (pairs, sending, idle lanes) and lane_flow.c (bytes on their way)
 * share, and nobody else. */
#ifndef PEER_LANE_OUT_STATE_H
#define PEER_LANE_OUT_STATE_H

#include "peer/lane_out.h"

/* Opens a stream, with the header queued on it. pair NULL: unordered. 0, RUSM_BUSY, RUSM_ENOMEM,
 * RUSM_ECLOSED. */
int lane_out_open(struct lanes_out *o, const struct parcel *to, struct pair *pair,
                  struct lane_out **out);
/* Its stream is over. */
void lane_out_free(struct lanes_out *o, struct lane_out *l);

#endif
