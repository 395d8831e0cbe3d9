/* feed: what a control stream gets when there is room on it: changes of our names, and tables.
 * Called on the scheduler's thread. */
#ifndef NODE_FEED_H
#define NODE_FEED_H

#include <stdbool.h>

struct connection;
struct peer;
struct scheduler;

/* There is something to tell it that waits for room on its control stream. */
void feed_add(struct connection *c);
void feed_room(void *context, struct peer *p);
/* Puts as much on the control streams as there is room for. */
void feed_tick(struct scheduler *s);
/* Our names have changed since. */
bool feed_due(const struct scheduler *s);

#endif
