/* pair: a sender and a target as addressed; struct pair is in lane_out.h. For lane_out.c only. */
#ifndef PEER_PAIR_H
#define PEER_PAIR_H

#include "peer/lane_out.h"

/* Finds or makes the parcel's pair. 0, RUSM_BUSY (too many pairs), RUSM_ENOMEM. */
int pair_get(struct lanes_out *o, const struct parcel *p, struct pair **out);
/* Tells nobody, as a send may be under way: pairs_were_freed does. */
void pair_free(struct lanes_out *o, struct pair *pair);
/* Forgets a pair that means nothing any more: frees it, or not. */
void pair_free_if_idle(struct lanes_out *o, struct pair *pair);
/* Its next lane need not wait for the last one. */
void pair_forget_ordinal(struct lanes_out *o, struct pair *pair);

/* RUSM_BUSY, and `writable` is owed: to the pair's sender, or to all when there is no pair. */
int pair_busy(struct lanes_out *o, struct pair *pair);
/* Whether its sender, told RUSM_BUSY, should try again. */
bool pair_may_take(const struct lanes_out *o, const struct pair *pair);
/* Tells the senders that were told RUSM_BUSY and could be served now. */
void pairs_tell_writable(struct lanes_out *o);
/* The same of those without a pair, as some may have been freed. They may send at once: to be
 * called last. */
void pairs_were_freed(struct lanes_out *o);

#endif
