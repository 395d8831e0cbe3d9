/* credit: how a message that was taken gives its bytes back to its lane, while the actor room knows
 * nothing of the network. A lane owns one account. Each message that arrived on the lane holds a
 * reference and the number of wire bytes that it stands for. When the process takes the message,
 * credit_give adds these bytes and puts the account on the owner's dirty list. The owner drains
 * that list in the next tick. credit_give also puts the owner on the list of owners that are due,
 * so that a tick costs nothing for idle owners. One thread. */
#ifndef BASE_CREDIT_H
#define BASE_CREDIT_H

#include <stdint.h>
#include "base/list.h"
#include "base/pool.h"

/* The owner of a set of accounts. */
struct credit_owner {
    struct list dirty; /* struct credit: the accounts with something `given` */
    struct list due;   /* in *dues while the owner has something to do in the next tick */
    struct list *dues; /* NULL: somebody else calls the owner in each tick */
    struct pool *pool; /* of struct credit; outlives all accounts; NULL: the heap */
};

struct credit {
    struct list dirty;          /* in owner->dirty while the owner has not seen `given` */
    struct credit_owner *owner; /* NULL once the lane is gone */
    struct pool *pool;          /* the owner's pool, to which the account goes back */
    void *user;                 /* for the owner: which lane it is */
    uint64_t given;             /* bytes given back since the owner last looked */
    uint32_t messages;          /* messages given back since the owner last looked */
    uint32_t refs;              /* messages outstanding, plus one for the lane */
};

static inline void credit_owner_init(struct credit_owner *o, struct list *dues)
{
    list_init(&o->dirty);
    list_init(&o->due);
    o->dues = dues;
    o->pool = NULL;
}

/* Notes that the owner has something to do in the next tick: credit, or anything else. */
static inline void credit_owner_due(struct credit_owner *o)
{
    if (o->dues && !list_linked(&o->due)) {
        list_append(o->dues, &o->due);
    }
}

/* Returns a new account whose only reference is the lane's, or NULL if there is no memory. */
struct credit *credit_new(struct credit_owner *owner);
/* Adds a reference, for one message. */
void credit_hold(struct credit *c);
/* Gives BYTES back for a message that was taken or discarded, and drops its reference. C may be
 * NULL. */
void credit_give(struct credit *c, uint64_t bytes);
/* Drops the lane's reference, because the lane is gone. Nobody gets its credit from then on. C may
 * be NULL. */
void credit_orphan(struct credit *c);

#endif
