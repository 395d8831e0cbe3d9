/* process_event: tells the runtime's owner what happens to processes, while the owner wants to
 * know. */
#ifndef ACTOR_PROCESS_EVENT_H
#define ACTOR_PROCESS_EVENT_H

#include "actor/state.h"

/* Returns whether there are observers. Callers ask this first, because it costs next to nothing. */
static inline bool process_event_watched(const struct runtime *rt)
{
    return rt->watched && atomic_load_explicit(rt->watched, memory_order_relaxed);
}

/* Tells of an event of a process. Tells its reason if it has ended. */
void process_event_of(const struct rusm_process *p, enum process_event_kind kind);
/* Tells of an event of a name. serial 0: nobody has the name. */
void process_event_name(struct runtime *rt, enum process_event_kind kind, uint64_t serial,
                        const char *name, size_t len);

#endif
