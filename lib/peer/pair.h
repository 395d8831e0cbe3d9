/* pair: a sender and a target as addressed. struct pair is in lane_out.h. Used by lane_out.c and
 * lane_flow.c. */
#ifndef PEER_PAIR_H
#define PEER_PAIR_H

#include "peer/lane_out.h"

/* Finds or makes the parcel's pair. Returns 0, RUSM_BUSY if there are too many pairs, or
 * RUSM_ENOMEM. */
int pair_get(struct lanes_out *o, const struct parcel *p, struct pair **out);
/* Frees a pair. Tells no waiting sender, because a send may be under way: pairs_were_freed does. */
void pair_free(struct lanes_out *o, struct pair *pair);
/* Frees a pair if it has nothing that must be remembered. */
void pair_free_if_idle(struct lanes_out *o, struct pair *pair);
/* Forgets the pair's last lane. The next lane then need not name it. */
void pair_forget_ordinal(struct lanes_out *o, struct pair *pair);

/* Notes that `writable` must follow, for the pair's sender, or for all senders if `pair` is NULL.
 * Returns RUSM_BUSY. */
int pair_busy(struct lanes_out *o, struct pair *pair);
/* Returns whether the pair's sender, which was told RUSM_BUSY, should try again. */
bool pair_may_take(const struct lanes_out *o, const struct pair *pair);
/* Calls `writable` for senders that were told RUSM_BUSY and may succeed now. */
void pairs_tell_writable(struct lanes_out *o);
/* Does the same for senders without a pair, after pairs may have been freed. To be called last,
 * because the senders may send at once. */
void pairs_were_freed(struct lanes_out *o);

#endif
