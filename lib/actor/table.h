/* table: a runtime's processes by serial: a hash table whose hash is the serial itself (they count
 * up, so buckets fill evenly), and a list in order of serial. One thread. */
#ifndef ACTOR_TABLE_H
#define ACTOR_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct rusm_process;

struct table {
    struct rusm_process **bucket; /* NULL before the first insert */
    size_t mask;                  /* buckets - 1 */
    size_t count;
    struct list all; /* in order of serial */
};

void table_init(struct table *t);
void table_fini(struct table *t); /* must be empty */
/* Serials must come in rising order. 0 or RUSM_ENOMEM. */
int table_insert(struct table *t, struct rusm_process *p);
void table_remove(struct table *t, struct rusm_process *p);
struct rusm_process *table_find(const struct table *t, uint64_t serial); /* or NULL */
struct rusm_process *table_next(const struct table *t,
                                uint64_t serial); /* the one after, or NULL */

#endif
