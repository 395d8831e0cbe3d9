/* follower: clients that follow the node's events, by OP_FOLLOW on their control stream. Events go
 * out as the stream has room (history.h has those that wait). On scheduler 0's thread. */
#ifndef NODE_FOLLOWER_H
#define NODE_FOLLOWER_H

#include <stdint.h>

struct connection;
struct reader;
struct rusm_node;

/* Serves OP_FOLLOW. Returns 0, or RUSM_EMALFORMED if the fields are not its own. */
int follower_serve(struct connection *c, uint64_t id, struct reader *fields);
/* The client cancels that request. */
void follower_cancel(struct connection *c, uint64_t id);
/* The connection is over. */
void follower_free(struct connection *c);
/* Sends all followers what they have not seen and have room for. Called in every tick, after
 * events_deliver. */
void follower_tick(struct rusm_node *node);

#endif
