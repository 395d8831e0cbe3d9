/* peers: the peers of a scheduler that have something to do, so that the other peers cost nothing.
 * A tick visits the peers that are due. About once a second it visits those that are ticking too.
 * One thread. Each scheduler of a node has one of these and names it in peer_options. */
#ifndef PEER_PEERS_H
#define PEER_PEERS_H

#include "peer/peer.h"

struct peers {
    struct list due;     /* for peer_run; of lanes_in.owed.due */
    struct list ticking; /* for peer_tick; of peer.ticking */
};

void peers_init(struct peers *all);
/* Calls peer_run for the peers that are due. A peer that becomes due meanwhile waits for the next
 * call. */
void peers_run(struct peers *all, uint64_t now_ns);
/* Calls peer_tick for the ticking peers. To be called about once a second. */
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
