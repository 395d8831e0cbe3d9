/* wheel: what is due at a time, in a hierarchy of 8 wheels of 64 slots: set and cancel cost the
 * same with a million as with one. Its ticks are about a millisecond: what is due is told up to one
 * late, never early, and what is due at the same tick in the order in which it was set. The element
 * embeds a struct wheel_node. One thread. */
#ifndef ACTOR_WHEEL_H
#define ACTOR_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

#define WHEEL_TICK_BITS 20 /* a tick is 2^20 ns, as dividing by that is a shift */
#define WHEEL_LEVELS 8     /* of 6 bits each: the 44 bits of a tick's number */
#define WHEEL_SLOTS 64

struct wheel_node {
    struct list link;
    uint64_t due; /* tick */
    void (*ready)(
        struct wheel_node *node); /* called when due, out of the wheel; may set it again */
};

struct wheel {
    uint64_t now;   /* the tick up to which all was told */
    uint64_t least; /* the earliest tick that one may be set to */
    size_t count;
    uint64_t used[WHEEL_LEVELS]; /* a bit a slot that may have nodes */
    struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w);
static inline void wheel_node_init(struct wheel_node *n, void (*ready)(struct wheel_node *node))
{
    list_init(&n->link);
    n->ready = ready;
}
/* Due so many ms after now_ns; 0: in the next wheel_advance. Moves one that is set already. */
void wheel_set(struct wheel *w, struct wheel_node *n, uint64_t ms, uint64_t now_ns);
void wheel_cancel(struct wheel *w, struct wheel_node *n); /* not set: nothing */
/* Calls ready for all that is due. */
void wheel_advance(struct wheel *w, uint64_t now_ns);
/* No later than when the next is due; UINT64_MAX: nothing is set. */
uint64_t wheel_next_ns(const struct wheel *w);

#endif
