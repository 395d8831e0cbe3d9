/* channel: the way from one process to another that is another scheduler's, or to a process of
 * another node, by the other scheduler who has the connection with it (the http). It is to
 * schedulers what a lane is to nodes: order, and credit as the process takes.
 *
 * A channel is its sender's scheduler's: it counts what is under way (in the sched_queue, in the
 * mailbox, or waiting for room in it), says RUSM_BUSY above the window, and RUSM_WRITABLE when half
 * of it has come home. The far scheduler has the other half of the struct as long as something is
 * under way: what waits there for room, in order. One that waits for nothing is remembered for a
 * while, not for ever. That half may be freed as soon as its last message has been pushed home,
 * which is never done while one of the functions here is at work (runtime_flush). */
#ifndef SCHED_CHANNEL_H
#define SCHED_CHANNEL_H

#include "sched/sched.h"
#include "actor/state.h"

/* Takes what it is given, unless it says RUSM_BUSY, RUSM_ENOMEM, or RUSM_ELIMIT: answers to a node
 * that takes none (LIMIT_EXIT_NOTICES). */
int channel_post(struct runtime *rt, const struct passing *in);
/* A message of ours is back: credit. */
void channel_home(struct runtime *rt, struct message *m);
/* A message of another scheduler has arrived. */
void channel_arrive(struct runtime *rt, struct message *m);
/* Another node takes more of that process; serial 0: of all. */
void channel_writable(struct runtime *rt, rusm_pid from);
/* What waits for room and is of that node's processes is dropped. */
void channel_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation);
void channel_fini(struct runtime *rt);

#endif
