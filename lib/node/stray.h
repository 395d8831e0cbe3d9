/* stray: datagrams that came to another scheduler's socket. Called by the endpoint, on the thread
 * that got them. */
#ifndef NODE_STRAY_H
#define NODE_STRAY_H

struct endpoint_stray;

/* The endpoint's upcall. */
void stray_pass(void *context, unsigned to, const struct endpoint_stray *stray);

#endif
