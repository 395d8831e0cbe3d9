/* lane_rounds: which of a connection's outgoing lanes sends next, and how much bulk may be under
 * way. Used by lane_out.c and lane_flow.c.
 *
 * Lanes send in rounds. Each lane sends at most one slice in a round. Lanes that have not used up
 * their slice come before lanes that have. So a small message does not wait for a large one, and
 * many small ones share the connection with it by bytes. A lane with more than a slice to send is
 * bulk. Bulk under way fills the buffers on the path to the peer, where all messages wait in line.
 * So bulk is bounded: loosely while it is alone, tightly while small messages go beside it. */
#ifndef PEER_LANE_ROUNDS_H
#define PEER_LANE_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct lane_out;
struct lanes_out;

struct lane_rounds {
    struct list fresh;   /* lanes that have not used up their slice */
    struct list rest;    /* lanes that have used it up, and `round` */
    struct list round;   /* marks the end of the round in `rest` */
    struct list held;    /* bulk lanes that wait for acknowledgements */
    uint32_t number;     /* of the current round */
    uint64_t flight;     /* bytes of all lanes that are sent and not acknowledged */
    uint64_t small_left; /* bytes to send until the last small message counts as long ago */
    uint64_t bulk_left;  /* the same for bulk */
};

void rounds_init(struct lane_rounds *t);
/* Queues a lane that has something to send. Does nothing if the lane is queued or blocked. */
void rounds_ready(struct lanes_out *o, struct lane_out *l);
/* Returns the next lane to send, which may send l->slice bytes, or NULL if no lane may send. */
struct lane_out *rounds_next(struct lanes_out *o);
/* Notes that the lane has sent `len` bytes of its queue. `more`: it has more to send. */
void rounds_sent(struct lanes_out *o, struct lane_out *l, size_t len, bool more);
/* Notes that `len` sent bytes are acknowledged, or never will be. */
void rounds_acked(struct lanes_out *o, uint64_t len);

#endif
