/* seeds: --join HOST:PORT, without the name of a node, and --join srv:NAME. Each address of the
 * host or service is asked which node answers there, and that node is dialled. The name is looked
 * up again and again, so that one name with all nodes' addresses is enough to make a cluster.
 * Called on the thread of scheduler 0 and when the node is made. */
#ifndef NODE_SEEDS_H
#define NODE_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/close.h"

struct conn_end;
struct connection;
struct hello;
struct rusm_node;
struct rusm_why;
struct scheduler;

/* Takes the value of a --join, with or without a name. Returns 0, RUSM_EINVAL or RUSM_ENOMEM. */
int seeds_join(struct rusm_node *node, const char *text, struct rusm_why *why);
/* After the last connection. */
void seeds_free(struct rusm_node *node);
/* The node at an address that was asked has introduced itself. Under members_lock. */
enum close_code seeds_heard(struct connection *c, const struct hello *hello);
/* The connection that asked is over. Under members_lock. */
void seeds_closed(struct connection *c, const struct conn_end *end);
/* Looks up and asks what is due. Returns when to call it again. */
uint64_t seeds_tick(struct scheduler *s);

#endif
