/* neighbour: watches the OS processes of the other nodes of the run folder. Called on the thread
 * of the member's scheduler. */
#ifndef NODE_NEIGHBOUR_H
#define NODE_NEIGHBOUR_H

struct member;

/* Watches the OS process of a member that just connected, if it is in our run folder. */
void neighbour_watch(struct member *m);
void neighbour_forget(struct member *m);

#endif
