/* peers: those of a node's peers that have something to do, so that the others cost nothing: a loop
 * tick visits who is due, a tick who is ticking. One thread; the node has one of these, and names
 * it in peer_options. */
#ifndef PEER_PEERS_H
#define PEER_PEERS_H

#include "peer/peer.h"

struct peers {
    struct list due;     /* struct credit_owner of their lanes: for peer_run */
    struct list ticking; /* for peer_tick */
};

void peers_init(struct peers *all);
/* Calls peer_run for those that are due; who becomes due on the way is so for the next call. */
void peers_run(struct peers *all, uint64_t now_ns);
/* Calls peer_tick, about once a second. */
void peers_tick(struct peers *all, uint64_t now_ns);

static inline bool peers_due(const struct peers *all)
{
    return !list_empty(&all->due);
}

static inline bool peers_ticking(const struct peers *all)
{
    return !list_empty(&all->ticking);
}

#endif
