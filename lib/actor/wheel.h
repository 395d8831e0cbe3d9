/* wheel: calls what is due at a time, from a hierarchy of 8 wheels of 64 slots. An element embeds a
 * struct wheel_node, here called a node. To set and to cancel cost the same with a million nodes as
 * with one. A tick of the wheel is about a millisecond. A node is called up to one tick late, never
 * early. Nodes that are due at the same tick are called in the order in which they were set. One
 * thread. */
#ifndef ACTOR_WHEEL_H
#define ACTOR_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

#define WHEEL_TICK_BITS 20 /* a tick is 2^20 ns, because dividing by that is a shift */
#define WHEEL_LEVELS 8     /* of 6 bits each, for the 44 bits of a tick's number */
#define WHEEL_SLOTS 64

struct wheel_node {
    struct list link;
    uint64_t due; /* tick when it is due */
    void (*ready)(
        struct wheel_node *node); /* called when due, after it left the wheel; may set it again */
};

struct wheel {
    uint64_t now;   /* the tick up to which all nodes were called */
    uint64_t least; /* the earliest tick that a node may be set to */
    size_t count;
    uint64_t used[WHEEL_LEVELS]; /* a bit for each slot that may have nodes */
    struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w);
static inline void wheel_node_init(struct wheel_node *n, void (*ready)(struct wheel_node *node))
{
    list_init(&n->link);
    n->ready = ready;
}
/* Sets n to be due ms milliseconds after now_ns; 0: in the next wheel_advance. Moves n if it is set
 * already. */
void wheel_set(struct wheel *w, struct wheel_node *n, uint64_t ms, uint64_t now_ns);
void wheel_cancel(struct wheel *w, struct wheel_node *n); /* does nothing if n is not set */
/* Calls `ready` of all nodes that are due. */
void wheel_advance(struct wheel *w, uint64_t now_ns);
/* Returns a time no later than when the next node is due; UINT64_MAX: nothing is set. */
uint64_t wheel_next_ns(const struct wheel *w);

#endif
