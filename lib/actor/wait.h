/* wait: who waits for room in a full mailbox, and who is woken when. Waiters from outside (lanes)
 * are struct waiter of their owner; a local process that was told RUSM_BUSY gets one a target from
 * here, so that repeated tries cost no memory. A local one that is woken has a slot reserved until
 * it has handled its RUSM_WRITABLE, as it runs later than those that deliver at once. One
 * thread. */
#ifndef ACTOR_WAIT_H
#define ACTOR_WAIT_H

#include "actor/state.h"

void wait_slab_init(struct runtime *rt);
/* May `self` put a message of len bytes into target's mailbox? 0 (an earlier grant is used up),
 * RUSM_BUSY (it waits now), RUSM_ENOMEM. Newcomers queue behind those that wait. */
int wait_admit(struct rusm_process *self, struct rusm_process *target, size_t len);
/* The process may try again: flags its RUSM_WRITABLE. */
void wait_writable(struct rusm_process *p);
/* It has handled RUSM_WRITABLE: reservations that it did not use are given up. */
void wait_release(struct rusm_process *p);
/* It has ended: its own waits are forgotten, those who wait for it are woken. */
void wait_ended(struct rusm_process *p);
/* Wakes whom there is room for. Calls `ready`s. */
void wait_wake(struct runtime *rt);

#endif
