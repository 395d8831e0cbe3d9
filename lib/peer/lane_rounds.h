/* lane_rounds: whose turn it is to send, of a connection's outgoing lanes, and how much of bulk may
 * be under way. Used by lane_out.c only.
 *
 * Lanes send in rounds, each at most a slice a round. Those within their slice come before those
 * that have used it up: a small message waits for no large one, and many small ones share with it
 * by bytes. A lane with more than a slice to send is bulk: what it has under way fills the buffers
 * on the way to the peer, where everybody's messages wait in line, so it is bounded: loosely while
 * bulk is alone, tightly while small messages go beside it. */
#ifndef PEER_LANE_ROUNDS_H
#define PEER_LANE_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct lane_out;
struct lanes_out;

struct lane_rounds {
    struct list fresh;   /* lanes within their slice */
    struct list rest;    /* those that have used it up, and `round` */
    struct list round;   /* its end */
    struct list held;    /* bulk that waits for acknowledgements */
    uint32_t number;     /* of the round */
    uint64_t flight;     /* bytes sent and not acknowledged, of all lanes */
    uint64_t small_left; /* bytes to be sent until the last small message is long ago */
    uint64_t bulk_left;  /* the same of bulk */
};

void rounds_init(struct lane_rounds *t);
/* The lane has something to send. Nothing if it waits already, or is blocked. */
void rounds_ready(struct lanes_out *o, struct lane_out *l);
/* Who is next; it may send l->slice bytes. NULL: nobody may. */
struct lane_out *rounds_next(struct lanes_out *o);
/* The lane has sent len bytes, as queued; has it more? */
void rounds_sent(struct lanes_out *o, struct lane_out *l, size_t len, bool more);
/* So much of what it sent is acknowledged, or will never be. */
void rounds_acked(struct lanes_out *o, uint64_t len);

#endif
