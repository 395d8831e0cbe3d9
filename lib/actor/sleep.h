/* sleep: processes that take nothing for a time (rusm_hold_for), by when they go on. At most one
 * entry a process. One thread. */
#ifndef ACTOR_SLEEP_H
#define ACTOR_SLEEP_H

#include "actor/state.h"

void sleep_init(struct runtime *rt);
void sleep_fini(struct runtime *rt);
/* p goes on, as if it were writable, in the first runtime_run at or after `until_ns`, unless
 * sleep_end comes before. Again: only the later call counts. RUSM_ENOMEM. */
int sleep_until(struct rusm_process *p, uint64_t until_ns);
/* It goes on, or has ended. Fine for one that does not sleep. */
void sleep_end(struct rusm_process *p);
/* Wakes those whose time has come by rt->now_ns. */
void sleep_wake(struct runtime *rt);

#endif
