/* forward: datagrams that came to another scheduler's socket. Called by the endpoint, on the thread
 * that got them. */
#ifndef NODE_FORWARD_H
#define NODE_FORWARD_H

struct endpoint_forward;

/* The endpoint's upcall. */
void forward_pass(void *context, unsigned to, const struct endpoint_forward *forward);

#endif
