/* http: the node's side of the gateway. A process of behaviour "gateway" does the calls and sends
 * that HTTP requests ask for, as any other process would. Tables and spawns need no process. On the
 * node's thread. */
#ifndef NODE_HTTP_H
#define NODE_HTTP_H

#include "gateway/gateway.h"
#include "node/node.h"

/* Makes node->http, with the token and the proxies of the options. Returns 0, RUSM_ENOMEM or the
 * errors of gateway_new. */
int http_open(struct rusm_node *node, const struct rusm_node_options *o, struct rusm_why *why);
void http_close(struct rusm_node *node); /* does nothing if there is none */
/* Does what is due. Called in every tick. Returns when to call it again. */
uint64_t http_tick(struct rusm_node *node);
/* Takes the receipt of a message that the gateway's process sent. */
void http_receipt(struct rusm_node *node, uint64_t receipt, int error);
/* Takes a connection that is ready and speaks HTTP/3. Returns 0, or an error if the connection is
 * being closed. */
int http_accept(struct rusm_node *node, struct conn *conn);
/* Refuses new requests, as the node leaves. */
void http_leave(struct rusm_node *node);
/* Returns whether all requests have their answers. */
bool http_left(struct rusm_node *node);
/* Ends all connections. http_disconnected returns whether they have ended. */
void http_disconnect(struct rusm_node *node);
bool http_disconnected(const struct rusm_node *node);

#endif
