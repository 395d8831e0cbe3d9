/* process_table: see the header. */
#include "actor/process_table.h"

#include <stdlib.h>
#include "actor/state.h"
#include "base/must.h"

#define PROCESS_TABLE_LEAST ((size_t)64)

void process_table_init(struct process_table *r, unsigned bits)
{
    *r = (struct process_table){ .bits = bits };
    list_init(&r->all);
}

static struct rusm_process **process_table_bucket(const struct process_table *r, uint64_t serial)
{
    return &r->bucket[(serial >> r->bits) & r->mask];
}

void process_table_fini(struct process_table *r)
{
    must(r->count == 0);
    free(r->bucket);
    process_table_init(r, r->bits);
}

static int process_table_grow(struct process_table *r)
{
    size_t buckets = r->bucket ? (r->mask + 1) * 2 : PROCESS_TABLE_LEAST;
    struct rusm_process **bucket = calloc(buckets, sizeof(struct rusm_process *));

    if (!bucket) {
        return RUSM_ENOMEM;
    }
    free(r->bucket);
    r->bucket = bucket;
    r->mask = buckets - 1;
    list_each(l, &r->all) {
        struct rusm_process *p = container_of(l, struct rusm_process, all);
        struct rusm_process **at = process_table_bucket(r, p->serial);
        p->chain = *at;
        *at = p;
    }
    return 0;
}

int process_table_insert(struct process_table *r, struct rusm_process *p)
{
    if (!r->bucket || r->count > r->mask) {
        int err = process_table_grow(r);
        if (err) {
            return err;
        }
    }
    struct rusm_process **at = process_table_bucket(r, p->serial);
    p->chain = *at;
    *at = p;
    list_append(&r->all, &p->all);
    r->count++;
    return 0;
}

void process_table_remove(struct process_table *r, struct rusm_process *p)
{
    struct rusm_process **at = process_table_bucket(r, p->serial);

    while (*at != p) {
        must(*at);
        at = &(*at)->chain;
    }
    *at = p->chain;
    list_remove(&p->all);
    r->count--;
}

struct rusm_process *process_table_find(const struct process_table *r, uint64_t serial)
{
    struct rusm_process *p = r->bucket ? *process_table_bucket(r, serial) : NULL;

    while (p && p->serial != serial) {
        p = p->chain;
    }
    return p;
}

struct rusm_process *process_table_next(const struct process_table *r, uint64_t serial)
{
    const struct list *at = &r->all;

    if (list_empty(at) || serial >= container_of(at->prev, struct rusm_process, all)->serial) {
        return NULL;
    }
    struct rusm_process *p = serial ? process_table_find(r, serial) : NULL;
    if (p || serial == 0) {
        return container_of(p ? p->all.next : at->next, struct rusm_process, all);
    }
    /* That process has ended since. Tries the serials that follow, then looks through all. */
    for (size_t i = 1; i <= r->count; i++) {
        p = process_table_find(r, serial + (i << r->bits));
        if (p) {
            return p;
        }
    }
    list_each(l, at) {
        p = container_of(l, struct rusm_process, all);
        if (p->serial > serial) {
            break;
        }
    }
    return p;
}
