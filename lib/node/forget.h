/* forget: members that are gone for good. Where each node has another name at each start, as pods
 * have, those that ended would be dialled and shown for ever. So a member that no --join names and
 * that was away for too long is forgotten. A node tells others only of members that it is connected
 * with. So a member that is dead does not come back from a peer that has not forgotten it. */
#ifndef NODE_FORGET_H
#define NODE_FORGET_H

#include <stdint.h>

struct rusm_node;

struct forgetting {
    uint64_t after_ns; /* how long a member may be away */
    uint64_t at_ns;    /* when to look again */
};

void forget_init(struct rusm_node *node, uint64_t after_ns);
/* Forgets the members whose time has come. Called on scheduler 0's thread. Returns when to call it
 * again. */
uint64_t forget_tick(struct rusm_node *node);

#endif
