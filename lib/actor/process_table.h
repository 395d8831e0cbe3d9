/* process_table: a runtime's processes by serial: a hash table, and a list in order of serial. The
 * hash is the serial itself: serials count up, so the buckets fill evenly. One thread. */
#ifndef ACTOR_PROCESS_TABLE_H
#define ACTOR_PROCESS_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct rusm_process;

struct process_table {
    struct rusm_process **bucket; /* NULL before the first insert */
    size_t mask;                  /* buckets - 1 */
    unsigned bits;                /* low bits of a serial, the same in all serials here */
    size_t count;
    struct list all; /* in order of serial */
};

void process_table_init(struct process_table *r, unsigned bits);
void process_table_fini(struct process_table *r); /* must be empty */
/* Inserts p. Serials must come in rising order. Returns 0 or RUSM_ENOMEM. */
int process_table_insert(struct process_table *r, struct rusm_process *p);
void process_table_remove(struct process_table *r, struct rusm_process *p);
struct rusm_process *process_table_find(const struct process_table *r,
                                        uint64_t serial); /* or NULL */
struct rusm_process *process_table_next(const struct process_table *r,
                                        uint64_t serial); /* the one after serial, or NULL */

#endif
