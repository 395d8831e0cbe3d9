/* timer: what a process has set for later: a RUSM_TIMER for itself, once or over and over, or a
 * message for any process. A timer ends with its process. Its ref holds its place and a count of
 * the place's uses, so a cancel finds the timer without a search, and an old ref finds nothing. One
 * thread. */
#ifndef ACTOR_TIMER_H
#define ACTOR_TIMER_H

#include "actor/state.h"

void timer_init(struct runtime *rt);
void timer_fini(struct runtime *rt); /* all processes must have ended */
/* Notes that a RUSM_TIMER was taken from its process's mailbox: an interval may put the next one
 * there. */
void timer_taken(struct runtime *rt, uint64_t ref);

#endif
