/* credit: how a taken message gives its bytes back to the lane it came on, without the actor
 * rooms knowing the network. A lane owns one account; each message that arrived on it holds a
 * reference and the number of wire bytes it stands for. When the process takes the message,
 * credit_give adds them and puts the account on its owner's dirty list, which the owner drains
 * in the next loop tick; the owner itself is then among those that are due for one, so that a tick
 * costs nothing for owners at rest. One thread. */
#ifndef BASE_CREDIT_H
#define BASE_CREDIT_H

#include <stdint.h>
#include "base/list.h"
#include "base/pool.h"

/* Whose accounts they are. */
struct credit_owner {
    struct list dirty; /* struct credit: those with something `given` */
    struct list due;   /* in *dues while it has something to do in the next tick */
    struct list *dues; /* NULL: its ticks come by themselves */
    struct pool *pool; /* of struct credit, which must outlive them; NULL: the heap */
};

struct credit {
    struct list dirty;          /* linked in owner->dirty while `given` is not yet seen */
    struct credit_owner *owner; /* NULL once the lane is gone */
    struct pool *pool;          /* the owner's, where it goes back to */
    void *user;                 /* the owner's own: whose account it is */
    uint64_t given;             /* bytes given back since the owner last looked */
    uint32_t messages;          /* messages given back since then */
    uint32_t refs;              /* messages outstanding, plus one for the lane */
};

static inline void credit_owner_init(struct credit_owner *o, struct list *dues)
{
    list_init(&o->dirty);
    list_init(&o->due);
    o->dues = dues;
    o->pool = NULL;
}

/* It has something to do in the next tick: credit, or anything else. */
static inline void credit_owner_due(struct credit_owner *o)
{
    if (o->dues && !list_linked(&o->due)) {
        list_append(o->dues, &o->due);
    }
}

/* refs is 1, the lane's. NULL: no memory. */
struct credit *credit_new(struct credit_owner *owner);
/* A message takes part: one more reference. */
void credit_hold(struct credit *c);
/* The message was taken or discarded: gives `bytes` back, drops its reference. NULL is fine. */
void credit_give(struct credit *c, uint64_t bytes);
/* The lane is gone: no more reports; drops the lane's reference. NULL is fine. */
void credit_orphan(struct credit *c);

#endif
