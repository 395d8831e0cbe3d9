/* wait: who waits for room in a full mailbox, and who is woken when. A waiter from outside, such as
 * a lane, is a struct waiter of its owner. A local process that was told RUSM_BUSY gets one for
 * each target from here, so that repeated tries cost no memory. When a local process is woken, a
 * slot stays reserved for it until it has handled its RUSM_WRITABLE, because it runs later than
 * those that deliver at once. One thread. */
#ifndef ACTOR_WAIT_H
#define ACTOR_WAIT_H

#include "actor/state.h"

void wait_slab_init(struct runtime *rt);
/* Decides whether `self` may put a message of len bytes into target's mailbox. Returns 0 (an
 * earlier grant is used up), RUSM_BUSY (self waits now) or RUSM_ENOMEM. Newcomers queue behind
 * those that wait. */
int wait_admit(struct rusm_process *self, struct rusm_process *target, size_t len);
/* Lets p try again: p must be told RUSM_WRITABLE. */
void wait_writable(struct rusm_process *p);
/* Gives up the reservations that p did not use, when it has handled RUSM_WRITABLE. */
void wait_release(struct rusm_process *p);
/* Forgets what p, which has ended, waits for, and wakes those who wait for p. */
void wait_ended(struct rusm_process *p);
/* Call `each` with up to `most` of those that p waits for, of those that wait for room in p's
 * mailbox. pid: serial 0 if it is not known. */
typedef void wait_fn(void *context, rusm_pid pid, size_t len);
void wait_each(const struct rusm_process *p, size_t most, wait_fn *each, void *context);
void wait_each_waiter(const struct rusm_process *p, size_t most, wait_fn *each, void *context);
/* Wakes the waiters that there is room for, by calling `ready`. */
void wait_wake(struct runtime *rt);

#endif
