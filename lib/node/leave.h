/* leave: how a node ends, in stages that each scheduler does for its own connections. */
#ifndef NODE_LEAVE_H
#define NODE_LEAVE_H

struct rusm_node;
struct scheduler;

/* Tells everyone, lets processes finish what they have, stops those that it supervises in their
 * order, ends the others, waits until all that they sent has reached its mailbox, closes. */
void node_leave(struct rusm_node *node);
/* Does its part of that. */
void leave_tick(struct scheduler *s);

#endif
