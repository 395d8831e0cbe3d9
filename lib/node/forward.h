/* forward: datagrams that came to another scheduler's socket. Called by the endpoint, on the thread
 * that received them. */
#ifndef NODE_FORWARD_H
#define NODE_FORWARD_H

struct endpoint_forward;

/* Passes a datagram on to scheduler `to`, or drops it: the endpoint's upcall. Borrows `forward`. */
void forward_pass(void *context, unsigned to, const struct endpoint_forward *forward);

#endif
