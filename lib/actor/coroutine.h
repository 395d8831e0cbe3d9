/* coroutine: a process whose behaviour has a body instead of a receive. The body runs on a stack of
 * its own. Where it waits, the scheduler runs on: in rusm_receive for a message, in a send for
 * room. Messages that the body did not want stay in the mailbox, in order: the mailbox is the save
 * queue. One thread. */
#ifndef ACTOR_COROUTINE_H
#define ACTOR_COROUTINE_H

#include "actor/state.h"

void coroutine_rt_init(struct runtime *rt);
void coroutine_rt_fini(struct runtime *rt); /* all processes must have ended */
/* Makes p a coroutine that is ready to begin. Returns 0, RUSM_EINVAL if a stack may not be that
 * large, or RUSM_ENOMEM. */
int coroutine_begin(struct rusm_process *p);
/* Frees the coroutine of p, which has ended. Its body stops where it is. Does nothing if p is no
 * coroutine. */
void coroutine_end(struct rusm_process *p);
/* Runs the body until it waits again, if what it waits for is there. Returns 1 plus the
 * number of rusm_receive calls that the body made. */
unsigned coroutine_run(struct rusm_process *p);
/* Makes self wait after a call of its own was RUSM_BUSY. Returns true when self may try again.
 * Returns false at once if self is no coroutine, or is in its init or stop. */
bool coroutine_waits(struct rusm_process *self);
/* Returns whether the body of self is what runs now. */
bool coroutine_inside(const struct rusm_process *self);
/* Leaves the body of self for good, as self has a reason to end. Does not return if that body runs.
 * Otherwise does nothing. */
void coroutine_leave(struct rusm_process *self);

#endif
