/* leave: how a node ends, in stages. Each scheduler does a stage for its own connections. */
#ifndef NODE_LEAVE_H
#define NODE_LEAVE_H

struct rusm_node;
struct scheduler;

/* Ends the node. Tells the peers, and lets processes finish what they can do at once. Stops the
 * supervised processes in their order, and then ends the others. Waits until all that they sent has
 * reached its mailbox or LIMIT_LEAVE_NS is over, then closes the connections. */
void node_leave(struct rusm_node *node);
/* Does the scheduler's part of all stages that have begun. */
void leave_tick(struct scheduler *s);

#endif
