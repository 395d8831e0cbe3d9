/* tick: the event loops of the schedulers. Called by the node, also as it leaves. */
#ifndef NODE_TICK_H
#define NODE_TICK_H

#include <stdbool.h>
#include <stdint.h>

struct rusm_node;
struct scheduler;

/* Runs scheduler 0's ticks until `done` returns true, the deadline has come, or rusm_node_stop was
 * called `stops` times. */
void tick_until(struct rusm_node *node, bool (*done)(struct rusm_node *node), uint64_t deadline_ns,
                int stops);
/* Runs one tick without a wait. `look`: the socket may have something. Returns true if there is
 * more to do at once. Otherwise *next is when there will be. *blocked: the socket takes no more for
 * now. */
bool tick_once(struct scheduler *s, bool look, bool *blocked, uint64_t *next);
/* Runs another scheduler's ticks until it is over: the main function of its thread. */
void *tick_main(void *scheduler);

#endif
