/* happen: tells the runtime's owner what happens to processes, while it wants to know. */
#ifndef ACTOR_HAPPEN_H
#define ACTOR_HAPPEN_H

#include "actor/state.h"

/* Does anybody want to know? Asked for first, as it costs next to nothing. */
static inline bool happen_watched(const struct runtime *rt)
{
    return rt->watched && atomic_load_explicit(rt->watched, memory_order_relaxed);
}

/* Of a process; its reason, when it has ended. */
void happen_process(const struct rusm_process *p, enum happening_kind kind);
/* Of a name; serial 0: of nobody. */
void happen_name(struct runtime *rt, enum happening_kind kind, uint64_t serial, const char *name,
                 size_t len);

#endif
