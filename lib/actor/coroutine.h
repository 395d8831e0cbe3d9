/* coroutine: a process whose behaviour has a body instead of a receive. The body runs on a stack of
 * its own and is left where it waits: in rusm_receive for a message, in a send for room. What it
 * did not want stays in the mailbox, in order: the mailbox is the save queue. One thread. */
#ifndef ACTOR_COROUTINE_H
#define ACTOR_COROUTINE_H

#include "actor/state.h"

void coroutine_rt_init(struct runtime *rt);
void coroutine_rt_fini(struct runtime *rt); /* all processes have ended */
/* Makes p one; it is ready to begin. RUSM_EINVAL (no such stack), RUSM_ENOMEM. */
int coroutine_begin(struct rusm_process *p);
/* p has ended: its body is forgotten where it is. Not a coroutine: nothing. */
void coroutine_end(struct rusm_process *p);
/* Goes on with it, if what it waits for is there, until it waits again. Returns how many messages
 * it took, at least 1. */
unsigned coroutine_run(struct rusm_process *p);
/* For a call of its own that was RUSM_BUSY: true after it has waited and may try again; false if
 * self is no coroutine, or in its init or stop. */
bool coroutine_waits(struct rusm_process *self);
/* Is the body of self what runs? */
bool coroutine_inside(const struct rusm_process *self);
/* It has a reason to end: does not return, if it is a coroutine in its body. */
void coroutine_leave(struct rusm_process *self);

#endif
