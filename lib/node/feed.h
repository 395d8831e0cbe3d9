/* feed: what goes on a control stream when there is room on it: changes of our names, and tables.
 * Called on the scheduler's thread. */
#ifndef NODE_FEED_H
#define NODE_FEED_H

#include <stdbool.h>

struct connection;
struct peer;
struct scheduler;

/* There is something to send on this connection's control stream when there is room. */
void feed_add(struct connection *c);
void feed_room(void *context, struct peer *p);
/* Puts as much on the control streams as there is room for. */
void feed_tick(struct scheduler *s);
/* Returns whether our names have changed since the peers were last fed. */
bool feed_due(const struct scheduler *s);

#endif
