/* liveness: asks peers whether they still live. Called on the scheduler's thread. */
#ifndef NODE_LIVENESS_H
#define NODE_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct member;
struct scheduler;

/* Another incarnation of m, at the connection c, wants the place of m's current connection. Asks
 * the current peer whether it lives. Returns false if it can't be asked, or if another contender
 * waits already. */
bool liveness_contend(struct connection *c, struct member *m);
void liveness_pong(struct connection *c);
/* The network says that nobody is there. Closes the connection unless the peer sends something
 * within half a second. */
void liveness_doubt(struct connection *c);
/* Decides the cases whose time is over. Returns when to call it again. */
uint64_t liveness_tick(struct scheduler *s);

#endif
