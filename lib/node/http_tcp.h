/* http_tcp: runs the gateway's HTTP over TCP in the node's loop. On the node's thread. */
#ifndef NODE_HTTP_TCP_H
#define NODE_HTTP_TCP_H

#include "node/node.h"

/* Makes node->http_tcp. Call http_open before. listen: ADDR:PORT, or PORT of the loopback
 * interface. Returns 0, RUSM_EINVAL, RUSM_ENOCONN if there is no such host, RUSM_EIO or
 * RUSM_ENOMEM. */
int http_tcp_open(struct rusm_node *node, const char *listen, struct rusm_why *why);
void http_tcp_close(struct rusm_node *node); /* before http_close; does nothing if there is none */
const char *http_tcp_address(const struct rusm_node *node); /* the one really bound; NULL: none */
/* Does what is due. Called in every tick, after the processes have run. Returns when to call it
 * again. */
uint64_t http_tcp_tick(struct rusm_node *node);
/* Takes no new connections, as the node leaves. */
void http_tcp_leave(struct rusm_node *node);

#endif
