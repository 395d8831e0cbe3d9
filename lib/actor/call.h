/* call: requests that wait for their outcome. Each has exactly one outcome: the reply, or a
 * RUSM_FAILED if the target has ended, its node was lost or the time is over. A reply that comes
 * later finds no call: it is dropped and counted. The target is monitored from the moment the
 * request arrives (actor/monitor.h), under the call's ref, until it or any process on its node
 * replies. One thread. */
#ifndef ACTOR_CALL_H
#define ACTOR_CALL_H

#include "actor/state.h"

void call_init(struct runtime *rt, uint64_t seed);
void call_fini(struct runtime *rt); /* all processes must have ended */
/* Takes note of an answer to p's call. Returns true if p waits for it: the call is over then.
 * Otherwise counts the answer as late and returns false. */
bool call_answered(struct rusm_process *p, uint64_t ref);
/* Takes note that the target of p's call is gone. `node` is the node that says so (0: this one).
 * Returns true if p had such a call on that node: p has a RUSM_FAILED now. */
bool call_down(struct rusm_process *p, uint64_t ref, uint32_t node, const char *reason, size_t len);
/* Ends p's call because another scheduler could not deliver the request. p gets RUSM_FAILED with
 * that error, if it still waits. */
void call_refused(struct rusm_process *p, uint64_t ref, int error, const char *reason);
/* Ends all calls to that incarnation of a node, which is lost: the callers get RUSM_FAILED. */
void call_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);

#endif
