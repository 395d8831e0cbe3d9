/* http_tcp: the gateway's HTTP over TCP in the node's loop. On the node's thread. */
#ifndef NODE_HTTP_TCP_H
#define NODE_HTTP_TCP_H

#include "node/node.h"

/* Makes node->http_tcp, after the http. listen: ADDR:PORT, or PORT of the loopback interface.
 * RUSM_EINVAL, RUSM_EIO, RUSM_ENOMEM. */
int http_tcp_open(struct rusm_node *node, const char *listen, struct rusm_why *why);
void http_tcp_close(struct rusm_node *node);                /* before the http; none: nothing */
const char *http_tcp_address(const struct rusm_node *node); /* really bound; NULL: none */
/* In every tick, after the processes. Returns when to be called again. */
uint64_t http_tcp_tick(struct rusm_node *node);
/* The node leaves: no new connections. */
void http_tcp_leave(struct rusm_node *node);

#endif
