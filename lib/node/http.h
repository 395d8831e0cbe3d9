/* http: the gateway's side in the node: what HTTP requests ask, done by a process of the runtime
 * (one of behaviour "gateway"), which calls and sends as any other; tables and spawns at once. On
 * the node's thread. */
#ifndef NODE_HTTP_H
#define NODE_HTTP_H

#include "gateway/gateway.h"
#include "node/node.h"

/* Makes node->http. token: a file, or NULL. What gateway_new returns. */
int http_open(struct rusm_node *node, const char *token, struct rusm_why *why);
void http_close(struct rusm_node *node); /* none: nothing */
/* In every tick. Returns when to be called again. */
uint64_t http_tick(struct rusm_node *node);
/* What became of a message of the gateway's. */
void http_receipt(struct rusm_node *node, uint64_t receipt, int error);
/* A connection that is ready and speaks HTTP/3. 0, or it is being closed. */
int http_accept(struct rusm_node *node, struct conn *conn);
/* The node leaves: no new requests. */
void http_leave(struct rusm_node *node);
/* All requests have their answers. */
bool http_left(struct rusm_node *node);
/* Ends all connections; whether they have. */
void http_disconnect(struct rusm_node *node);
bool http_disconnected(const struct rusm_node *node);

#endif
