/* roster: a runtime's processes by serial: a hash table whose hash is the serial itself (they count
 * up, so buckets fill evenly), and a list in order of serial. One thread. */
#ifndef ACTOR_ROSTER_H
#define ACTOR_ROSTER_H

#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct rusm_process;

struct roster {
    struct rusm_process **bucket; /* NULL before the first insert */
    size_t mask;                  /* buckets - 1 */
    unsigned bits;                /* of a serial, the lower ones, that are the same in all */
    size_t count;
    struct list all; /* in order of serial */
};

void roster_init(struct roster *r, unsigned bits);
void roster_fini(struct roster *r); /* must be empty */
/* Serials must come in rising order. 0 or RUSM_ENOMEM. */
int roster_insert(struct roster *r, struct rusm_process *p);
void roster_remove(struct roster *r, struct rusm_process *p);
struct rusm_process *roster_find(const struct roster *r, uint64_t serial); /* or NULL */
struct rusm_process *roster_next(const struct roster *r,
                                 uint64_t serial); /* the one after, or NULL */

#endif
