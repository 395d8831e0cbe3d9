/* gate_tcp: the gateway's HTTP over TCP in the node's loop. On the node's thread. */
#ifndef NODE_GATE_TCP_H
#define NODE_GATE_TCP_H

#include "node/node.h"

/* Makes node->gate_tcp, after the gate. listen: ADDR:PORT, or PORT of the loopback interface.
 * RUSM_EINVAL, RUSM_EIO, RUSM_ENOMEM. */
int gate_tcp_open(struct rusm_node *node, const char *listen, struct rusm_why *why);
void gate_tcp_close(struct rusm_node *node);                /* before the gate; none: nothing */
const char *gate_tcp_address(const struct rusm_node *node); /* really bound; NULL: none */
/* In every turn, after the processes. Returns when to be called again. */
uint64_t gate_tcp_turn(struct rusm_node *node);
/* The node leaves: no new connections. */
void gate_tcp_leave(struct rusm_node *node);

#endif
