/* watch: the descriptors that processes watch. On the runtime's thread. */
#ifndef ACTOR_WATCH_H
#define ACTOR_WATCH_H

#include "actor/state.h"

void watch_init(struct runtime *rt, uint64_t seed);
void watch_fini(struct runtime *rt); /* all processes have ended */

#endif
