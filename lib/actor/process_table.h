/* process_table: a runtime's processes by serial: a hash table whose hash is the serial itself
 * (they count up, so buckets fill evenly), and a list in order of serial. One thread. */
#ifndef ACTOR_PROCESS_TABLE_H
#define ACTOR_PROCESS_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct rusm_process;

struct process_table {
    struct rusm_process **bucket; /* NULL before the first insert */
    size_t mask;                  /* buckets - 1 */
    unsigned bits;                /* of a serial, the lower ones, that are the same in all */
    size_t count;
    struct list all; /* in order of serial */
};

void process_table_init(struct process_table *r, unsigned bits);
void process_table_fini(struct process_table *r); /* must be empty */
/* Serials must come in rising order. 0 or RUSM_ENOMEM. */
int process_table_insert(struct process_table *r, struct rusm_process *p);
void process_table_remove(struct process_table *r, struct rusm_process *p);
struct rusm_process *process_table_find(const struct process_table *r,
                                        uint64_t serial); /* or NULL */
struct rusm_process *process_table_next(const struct process_table *r,
                                        uint64_t serial); /* the one after, or NULL */

#endif
