/* lane_out_state: what lane_out.c (opening, sending, idle lanes) and lane_flow.c (bytes on their
 * way) share. Private to these files. */
#ifndef PEER_LANE_OUT_STATE_H
#define PEER_LANE_OUT_STATE_H

#include "peer/lane_out.h"

/* Opens a stream and queues the lane's header on it. With `pair` NULL the lane is unordered.
 * Returns 0, RUSM_BUSY if the peer allows no more streams, RUSM_ENOMEM, or RUSM_ECLOSED. */
int lane_out_open(struct lanes_out *o, const struct parcel *to, struct pair *pair,
                  struct lane_out **out);
/* Frees a lane whose stream has ended. */
void lane_out_free(struct lanes_out *o, struct lane_out *l);

#endif
