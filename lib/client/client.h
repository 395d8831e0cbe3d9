/* client: the life of a client: open, close, and waking up after a pause. The room's files,
 * low to high:
 *
 *   client_node      which node, and where      client_link     the connection: dial, step
 *   client_request   requests and replies       client_pending  messages without an answer
 *   client_state     the struct                 client_events   what the node sends
 *   client           life                       client_table    a node's tables
 *   client_follow    a node's events
 *   client_aim       which process              client_send     one record, or why it failed
 *   client_post      post, flush                client_call     call, ask
 *   client_control   spawn, kill, whereis, stop nodes_list      the nodes of this machine
 *
 * On the caller's thread, one thread at a time. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/client_state.h"

/* Makes a client that is not connected yet. Copies the options. Gives *out. Returns 0 or an
 * error. */
int client_new(struct rusm_client **out, const struct rusm_client_options *options,
               struct rusm_why *why);
/* Call it before an operation. Connects again if the connection has ended and no posted message
 * depends on it. Returns 0 if the client is connected, or an error. */
int client_wake(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why);

#endif
