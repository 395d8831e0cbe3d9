/* spawn_at: the spawns that processes of this node ask of other nodes, with rusm_spawn_at. On the
 * thread of the scheduler that asks. Replies come on the thread of the connection's scheduler. */
#ifndef NODE_SPAWN_AT_H
#define NODE_SPAWN_AT_H

#include <stdint.h>

#include "rusm.h"

struct connection;
struct frame;
struct scheduler;

/* Asks the node with that index for a spawn. `self` gets RUSM_SPAWNED or RUSM_FAILED later. Returns
 * 0, RUSM_ENOCONN, RUSM_ELIMIT (LIMIT_REQUESTS), RUSM_EINVAL if the request is longer than a frame,
 * or RUSM_ENOMEM. */
int spawn_at(struct scheduler *s, rusm_pid self, uint32_t index, const char *spawnable,
             const struct rusm_args *args, uint64_t ref);
/* Takes a REPLY. Returns 0, or RUSM_EMALFORMED, which closes the connection. */
int spawn_at_reply(struct connection *c, const struct frame *frame);
/* Fails all spawns that were asked on a connection, as it is over. */
void spawn_at_fail_all(struct connection *c);

#endif
