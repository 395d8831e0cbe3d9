/* channel: the way from one process to a process of another scheduler, or to a process of another
 * node whose connection belongs to another scheduler. A channel is to schedulers what a lane is to
 * nodes: it keeps messages in order, and gives credit as the process takes them.
 *
 * A channel belongs to the scheduler of its sender. That scheduler counts what is under way: in the
 * inter-scheduler queue, in the mailbox, or waiting for room in the mailbox. It returns RUSM_BUSY
 * above the window, and sends RUSM_WRITABLE when half of the window has come home. The far
 * scheduler has the other half of the struct as long as something is under way. It keeps there, in
 * order, what waits for room. A channel with nothing under way is kept for a while, not for ever.
 * The far half may be freed as soon as its last message has been pushed home. That never happens
 * while one of the functions here runs (see runtime_flush). */
#ifndef SCHED_CHANNEL_H
#define SCHED_CHANNEL_H

#include "sched/sched.h"
#include "actor/state.h"

/* Sends IN over its channel. Takes in->block if it returns 0. Returns 0, RUSM_BUSY, RUSM_ENOMEM, or
 * RUSM_ELIMIT if IN answers a node that does not take its answers (LIMIT_EXIT_NOTICES). */
int channel_post(struct runtime *rt, const struct passing *in);
/* Frees a message of ours that has come home. That is credit for its channel. */
void channel_home(struct runtime *rt, struct message *m);
/* Delivers a message of another scheduler, or keeps it until there is room. */
void channel_arrive(struct runtime *rt, struct message *m);
/* Tries again what waits for another node, because that node takes more from this process. Serial
 * 0: from all processes. */
void channel_writable(struct runtime *rt, rusm_pid from);
/* Drops what processes of that node have sent and what waits for room in a mailbox. */
void channel_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation);
void channel_fini(struct runtime *rt);

#endif
