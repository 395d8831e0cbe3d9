/* lane_in_state: what lane_in.c (streams, headers, turns), lane_credit.c and lane_record.c share,
 * and nobody else. */
#ifndef PEER_LANE_IN_STATE_H
#define PEER_LANE_IN_STATE_H

#include "peer/lane_in.h"
#include "peer/peer.h"

/* The large record under way has all its bytes, and waits for its grant or for room. */
static inline bool lane_large_complete(const struct lane_in *l)
{
    return l->large && l->block_have == l->record.payload_len;
}

/* lane_credit.c */
void lane_credit_init(struct lane_in *l, uint64_t now_ns);
/* Its window goes back to the budget. */
void lane_credit_fini(struct lanes_in *in, struct lane_in *l);
void lane_run_later(struct lanes_in *in, struct lane_in *l); /* in the next lanes_in_turn */
/* An account whose bytes lanes_in_turn adds to T. NULL: no memory. */
struct credit *lane_account(struct lanes_in *in, struct lane_in *l);
/* Tells the peer how far it may send now. */
void lane_update_limit(struct lanes_in *in, struct lane_in *l);
void lane_grow_window(struct lanes_in *in, struct lane_in *l);
/* Asks for the large record under way; without anybody to take it the rest is skipped. */
void lane_ask(struct lanes_in *in, struct lane_in *l);
/* The large record is taken, discarded or will never come: the next may have its turn. */
void lane_end_grant(struct lanes_in *in, struct lane_in *l);
/* Its granted record comes on as it should. */
bool lane_keeps_pace(struct lanes_in *in, struct lane_in *l, uint64_t now_ns);
/* Lets go of the large record under way. */
void lane_drop_block(struct lanes_in *in, struct lane_in *l);

/* lane_record.c */
/* One step in LANE_OPEN. Bytes used, 0: nothing more to do with these, or an error: RUSM_ETOOLARGE
 * besides those of lane_in.h. */
ssize_t lane_step(struct lanes_in *in, struct lane_in *l, const uint8_t *p, size_t n);

#endif
