/* peer_process: watches the OS processes of the other nodes in the run folder. Called on the thread
 * of the member's scheduler. */
#ifndef NODE_PEER_PROCESS_H
#define NODE_PEER_PROCESS_H

struct member;

/* Watches the OS process of a member that just connected, if it is in our run folder. */
void peer_process_watch(struct member *m);
void peer_process_forget(struct member *m);

#endif
