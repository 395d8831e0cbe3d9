/* call: questions that wait for their answer. Each has exactly one outcome: the reply, or a
 * RUSM_FAILED when the one asked has ended, its node was lost or the time is over. An answer that
 * comes after that finds no call, is dropped and counted. The process that is asked is watched from
 * the moment the question arrives (actor/monitor.h), under the call's ref, until it or anyone on
 * its node replies. One thread. */
#ifndef ACTOR_CALL_H
#define ACTOR_CALL_H

#include "actor/state.h"

void call_init(struct runtime *rt, uint64_t seed);
void call_fini(struct runtime *rt); /* all processes have ended */
/* An answer to p's call has come: true if p waits for it; the call is over then. Else it is
 * counted. */
bool call_answered(struct rusm_process *p, uint64_t ref);
/* The one that was asked is gone; `node` says so (0: it was one of ours). True if p had such a
 * call: it has a RUSM_FAILED now. */
bool call_down(struct rusm_process *p, uint64_t ref, uint32_t node, const char *reason, size_t len);
/* It was not even asked, as another scheduler found out: RUSM_FAILED with that error, if p still
 * waits. */
void call_refused(struct rusm_process *p, uint64_t ref, int error, const char *reason);
/* That incarnation of a node is lost: RUSM_FAILED for all that were asked there. */
void call_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);

#endif
