/* sleep: processes that take nothing for a time (rusm_hold_for), by the time when they go on. A
 * process has at most one entry. One thread. */
#ifndef ACTOR_SLEEP_H
#define ACTOR_SLEEP_H

#include "actor/state.h"

void sleep_init(struct runtime *rt);
void sleep_fini(struct runtime *rt);
/* Makes p go on, as if it were writable, in the first runtime_run at or after `until_ns`, unless
 * sleep_end comes first. A later call replaces an earlier one. Returns 0 or RUSM_ENOMEM. */
int sleep_until(struct rusm_process *p, uint64_t until_ns);
/* Ends p's sleep, because p goes on or has ended. Does nothing if p does not sleep. */
void sleep_end(struct rusm_process *p);
/* Wakes the processes that are due at rt->now_ns. */
void sleep_wake(struct runtime *rt);

#endif
