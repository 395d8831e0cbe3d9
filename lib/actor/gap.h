/* gap: which processes are told that messages of theirs may not have arrived. One thread. */
#ifndef ACTOR_GAP_H
#define ACTOR_GAP_H

#include "actor/state.h"

void gap_init(struct runtime *rt, uint64_t seed);
void gap_fini(struct runtime *rt); /* after the last process has ended */
/* Makes p get RUSM_GAP from now on, or no longer. Returns 0 or RUSM_ENOMEM. */
int gap_watch(struct rusm_process *p, bool on);

#endif
