/* passage: the way from one process to another that is a sibling scheduler's, or to a process of another
 * node, by the sibling who has the connection with it (the gate). It is to siblings what a lane is to
 * nodes: order, and credit as the process takes.
 *
 * A passage is its sender's scheduler's: it counts what is under way (in the inbox, in the mailbox, or
 * waiting for room in it), says RUSM_BUSY above the window, and RUSM_WRITABLE when half of it has come
 * home. The far scheduler has the other half of the struct as long as something is under way: what
 * waits there for room, in order. One that waits for nothing is remembered for a while, not for ever.
 * That half may be freed as soon as its last message has been pushed home, which is never done while
 * one of the functions here is at work (runtime_flush). */
#ifndef SCHED_PASSAGE_H
#define SCHED_PASSAGE_H

#include "sched/siblings.h"
#include "actor/state.h"

/* Takes what it is given, unless it says RUSM_BUSY, RUSM_ENOMEM, or RUSM_ELIMIT: answers to a node that
 * takes none (LIMIT_FAREWELLS). */
int passage_post(struct runtime *rt, const struct passing *in);
/* A message of ours is back: credit. */
void passage_home(struct runtime *rt, struct message *m);
/* A message of a sibling has arrived. */
void passage_arrive(struct runtime *rt, struct message *m);
/* Another node takes more of that process; serial 0: of all. */
void passage_writable(struct runtime *rt, rusm_pid from);
/* What waits for room and is of that node's processes is dropped. */
void passage_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation);
void passage_fini(struct runtime *rt);

#endif
