/* liveness: asks peers whether they still live. Called on the scheduler's thread. */
#ifndef NODE_LIVENESS_H
#define NODE_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct member;
struct scheduler;

/* Another incarnation of m wants the place of its current connection, which is asked whether it
 * lives. False: it can't be asked, or one asks already. */
bool liveness_contend(struct connection *c, struct member *m);
void liveness_pong(struct connection *c);
/* The network says that nobody is there: lost unless something is heard within half a second. */
void liveness_doubt(struct connection *c);
/* Decides what is due. Returns when to be called again. */
uint64_t liveness_tick(struct scheduler *s);

#endif
