/* roster: see the header. */
#include "actor/roster.h"

#include <stdlib.h>
#include "actor/state.h"
#include "base/must.h"

#define ROSTER_LEAST ((size_t)64)

void roster_init(struct roster *t)
{
    *t = (struct roster){ 0 };
    list_init(&t->all);
}

void roster_fini(struct roster *t)
{
    must(t->count == 0);
    free(t->bucket);
    roster_init(t);
}

static int roster_grow(struct roster *t)
{
    size_t buckets = t->bucket ? (t->mask + 1) * 2 : ROSTER_LEAST;
    struct rusm_process **bucket = calloc(buckets, sizeof(struct rusm_process *));

    if (!bucket) {
        return RUSM_ENOMEM;
    }
    free(t->bucket);
    t->bucket = bucket;
    t->mask = buckets - 1;
    list_each(l, &t->all) {
        struct rusm_process *p = list_entry(l, struct rusm_process, all);
        p->chain = bucket[p->serial & t->mask];
        bucket[p->serial & t->mask] = p;
    }
    return 0;
}

int roster_insert(struct roster *t, struct rusm_process *p)
{
    if (!t->bucket || t->count > t->mask) {
        int err = roster_grow(t);
        if (err) {
            return err;
        }
    }
    struct rusm_process **at = &t->bucket[p->serial & t->mask];
    p->chain = *at;
    *at = p;
    list_append(&t->all, &p->all);
    t->count++;
    return 0;
}

void roster_remove(struct roster *t, struct rusm_process *p)
{
    struct rusm_process **at = &t->bucket[p->serial & t->mask];

    while (*at != p) {
        must(*at);
        at = &(*at)->chain;
    }
    *at = p->chain;
    list_remove(&p->all);
    t->count--;
}

struct rusm_process *roster_find(const struct roster *t, uint64_t serial)
{
    struct rusm_process *p = t->bucket ? t->bucket[serial & t->mask] : NULL;

    while (p && p->serial != serial) {
        p = p->chain;
    }
    return p;
}

struct rusm_process *roster_next(const struct roster *t, uint64_t serial)
{
    const struct list *at = &t->all;

    if (list_empty(&t->all)) {
        return NULL;
    }
    if (serial > 0) {
        struct rusm_process *p = roster_find(t, serial);
        /* It has ended since: try the following numbers, then look through all. */
        for (size_t i = 1; !p && i <= t->count; i++) {
            p = roster_find(t, serial + i);
            if (p) {
                return p;
            }
        }
        if (p) {
            at = &p->all;
        } else {
            while (at->next != &t->all &&
                   list_entry(at->next, struct rusm_process, all)->serial <= serial) {
                at = at->next;
            }
        }
    }
    return at->next == &t->all ? NULL : list_entry(at->next, struct rusm_process, all);
}
