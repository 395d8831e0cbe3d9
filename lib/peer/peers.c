/* peers: see the header. The node's ticks call it. */
#include "peer/peers.h"

#include "peer/peer_state.h"

void peers_init(struct peers *all)
{
    list_init(&all->due);
    list_init(&all->ticking);
}

void peers_run(struct peers *all, uint64_t now_ns)
{
    struct list now, *first;
    list_init(&now);
    list_move_all(&now, &all->due);
    while ((first = list_first(&now))) {
        list_remove(first);
        struct credit_owner *owed = container_of(first, struct credit_owner, due);
        peer_run(container_of(owed, struct peer, in.owed), now_ns);
    }
}

void peers_tick(struct peers *all, uint64_t now_ns)
{
    struct list now, *first;
    list_init(&now);
    list_move_all(&now, &all->ticking);
    while ((first = list_first(&now))) {
        struct peer *p = container_of(first, struct peer, ticking);
        list_remove(first);
        if (peer_tick(p, now_ns)) {
            peer_needs_tick(p);
        }
    }
}
