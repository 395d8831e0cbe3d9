/* lane_in_state: what lane_in.c (streams, headers, turns), lane_credit.c and lane_record.c share.
 * Private to these files. */
#ifndef PEER_LANE_IN_STATE_H
#define PEER_LANE_IN_STATE_H

#include "peer/lane_in.h"
#include "peer/peer.h"

/* Returns whether the large record has all its bytes. Then it waits for its grant or for room. */
static inline bool lane_large_complete(const struct lane_in *l)
{
    return l->large && l->block_have == l->record.payload_len;
}

/* lane_credit.c */
void lane_credit_init(struct lane_in *l, uint64_t now_ns);
/* Gives the lane's window back to the budget. */
void lane_credit_fini(struct lanes_in *in, struct lane_in *l);
/* Runs the lane in the next lanes_in_turn. */
void lane_run_later(struct lanes_in *in, struct lane_in *l);
/* Returns a new account, whose bytes lanes_in_turn adds to T, or NULL if there is no memory. */
struct credit *lane_account(struct lanes_in *in, struct lane_in *l);
/* Tells the peer how far it may send now. */
void lane_update_limit(struct lanes_in *in, struct lane_in *l);
/* Checks the pace of the receiving process. Doubles the window if a larger one helps and the budget
 * has room. Halves it if the connection has more than its part of the budget. */
void lane_grow_window(struct lanes_in *in, struct lane_in *l);
/* Asks for a grant of the large record. If nobody can take the record, skips the rest of it. */
void lane_ask(struct lanes_in *in, struct lane_in *l);
/* Ends the lane's grant or its request, when the large record was taken, was discarded or will
 * never come. Then the next record may have its turn. */
void lane_end_grant(struct lanes_in *in, struct lane_in *l);
/* Returns whether the granted record comes fast enough. */
bool lane_keeps_pace(struct lanes_in *in, struct lane_in *l, uint64_t now_ns);
/* Drops the large record and its block. */
void lane_drop_block(struct lanes_in *in, struct lane_in *l);

/* lane_record.c */
/* Does one step of a lane in LANE_OPEN. Returns the bytes used, 0 if nothing more can be done with
 * these bytes, RUSM_ETOOLARGE, or an error of lane_in.h. */
ssize_t lane_step(struct lanes_in *in, struct lane_in *l, const uint8_t *p, size_t n);

#endif
