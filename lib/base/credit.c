/* credit: see the header. The peer room makes and orphans accounts. Messages hold them and give
 * credit. One thread. */
#include "base/credit.h"

#include <stdlib.h>
#include "base/must.h"

struct credit *credit_new(struct credit_owner *owner)
{
    struct credit *c = owner->pool ? pool_take(owner->pool) : malloc(sizeof(*c));

    if (!c) {
        return NULL;
    }
    *c = (struct credit){ .owner = owner, .pool = owner->pool, .refs = 1 };
    list_init(&c->dirty);
    return c;
}

void credit_hold(struct credit *c)
{
    must(c->refs > 0 && c->refs < UINT32_MAX);
    c->refs++;
}

static void credit_drop(struct credit *c)
{
    must(c->refs > 0);
    if (--c->refs == 0) {
        must(!list_linked(&c->dirty));
        if (c->pool) {
            pool_give(c->pool, c);
        } else {
            free(c);
        }
    }
}

void credit_give(struct credit *c, uint64_t bytes)
{
    if (!c) {
        return;
    }
    if (c->owner) {
        c->given += bytes;
        c->messages++;
        if (!list_linked(&c->dirty)) {
            list_append(&c->owner->dirty, &c->dirty);
            credit_owner_due(c->owner);
        }
    }
    credit_drop(c);
}

void credit_orphan(struct credit *c)
{
    if (!c) {
        return;
    }
    must(c->owner);
    c->owner = NULL;
    list_remove(&c->dirty);
    credit_drop(c);
}
