/* names: the names of this node's processes: one holder a name, any number of names a process.
 * Global names live in the cluster room.
 *
 * One thread, or shared by the schedulers of a node, behind a lock: then a name may be given and
 * taken away by any of them, at once, while the list of a process's names is its scheduler's. So
 * that one is told (names_tell_fn, names_told), under the lock, before anybody can see the change;
 * it links the name, unlinks and frees it. */
#ifndef ACTOR_NAMES_H
#define ACTOR_NAMES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"
#include "base/map.h"

struct rusm_process;
struct runtime;

struct process_name {
    struct map_node by_name;
    struct list at_holder;       /* in its holder's names, oldest first */
    struct rusm_process *holder; /* its scheduler's; NULL: not linked there yet */
    uint64_t serial;             /* the holder's */
    bool held;                   /* it is in the table */
    bool ours;                   /* it was taken away by its holder's scheduler */
    uint32_t len;
    char name[]; /* NUL-terminated */
};

/* Tells the scheduler of it->serial's process that it has the name now, or no longer. Called under
 * the lock, and what it says is on its way when it returns. Returns 0 or RUSM_ENOMEM. */
typedef int names_tell_fn(struct runtime *rt, struct process_name *it, bool named);

struct names {
    struct map by_name;
    pthread_rwlock_t lock;
    names_tell_fn *tell; /* NULL: of one scheduler, without a lock */
};

/* tell: NULL if one scheduler has the table alone. */
void names_init(struct names *n, uint64_t seed, names_tell_fn *tell);
void names_fini(struct names *n); /* must be empty */
/* serial: a process of rt's, or of another scheduler's that may be gone: then the name is free
 * again when its scheduler finds that. RUSM_EINVAL (not a name), RUSM_EEXIST, RUSM_ELIMIT,
 * RUSM_ENOMEM. */
int names_add(struct runtime *rt, uint64_t serial, const char *name, size_t len);
int names_remove(struct runtime *rt, const char *name, size_t len); /* RUSM_ENOPROC, RUSM_ENOMEM */
void names_forget(struct rusm_process *holder);                     /* all its names */
/* Who has it, if it is of rt's; else NULL, and *serial that of another scheduler's, or 0. */
struct rusm_process *names_find(struct runtime *rt, const char *name, size_t len, uint64_t *serial);
/* What another scheduler told of a name of a process of rt's. */
void names_told(struct runtime *rt, struct process_name *it, bool named);

#endif
