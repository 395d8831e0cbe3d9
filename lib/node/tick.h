/* tick: the event loops of the schedulers. Called by the node and as it leaves. */
#ifndef NODE_TICK_H
#define NODE_TICK_H

#include <stdbool.h>
#include <stdint.h>

struct rusm_node;
struct scheduler;

/* Scheduler 0's ticks until `done` says so, or the deadline, or that many stops. */
void tick_until(struct rusm_node *node, bool (*done)(struct rusm_node *node), uint64_t deadline_ns,
                int stops);
/* One without the wait. `look`: the socket may have something. Returns true if there is more to do
 * at once, else *next is when. *blocked: the socket takes no more for now. */
bool tick_once(struct scheduler *s, bool look, bool *blocked, uint64_t *next);
/* Another scheduler's, until it is over: its thread. */
void *tick_main(void *scheduler);

#endif
