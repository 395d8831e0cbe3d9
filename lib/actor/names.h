/* names: the local names of this node's processes. A name has one holder, a process has any number
 * of names. Global names live in the cluster room.
 *
 * The table belongs to one thread, or the schedulers of a node share it behind a lock. If they
 * share it, any of them may give a name and take it away, at once. But the list of a process's
 * names belongs to the process's scheduler. So that scheduler is told (names_tell_fn, names_told),
 * under the lock, before anybody can see the change. It links the name, unlinks it and frees it. */
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
    struct list at_holder;       /* in the holder's names, oldest first */
    struct rusm_process *holder; /* only its scheduler uses it; NULL: not linked there yet */
    uint64_t serial;             /* of the holder */
    bool held;                   /* it is in the table */
    bool ours;                   /* its holder's scheduler took it away */
    uint32_t len;
    char name[]; /* NUL-terminated */
};

/* Tells the scheduler of it->serial's process that the process has the name now, or no longer.
 * Called under the lock. The message is on its way when this returns. Returns 0 or RUSM_ENOMEM. */
typedef int names_tell_fn(struct runtime *rt, struct process_name *it, bool named);

struct names {
    struct map by_name;
    pthread_rwlock_t lock;
    names_tell_fn *tell; /* NULL: one scheduler has the table, without a lock */
};

/* Makes a table. tell is NULL if one scheduler has the table alone. */
void names_init(struct names *n, uint64_t seed, names_tell_fn *tell);
void names_fini(struct names *n); /* must be empty */
/* Gives a name to a process of rt, or of another scheduler. If the other scheduler's process is
 * gone, its scheduler finds that and frees the name again. Returns 0, RUSM_ENOPROC if rt has no
 * such process, RUSM_EINVAL if it is not a name, RUSM_EEXIST, RUSM_ELIMIT or RUSM_ENOMEM. */
int names_add(struct runtime *rt, uint64_t serial, const char *name, size_t len);
int names_remove(struct runtime *rt, const char *name, size_t len); /* RUSM_ENOPROC, RUSM_ENOMEM */
void names_forget(struct rusm_process *holder);                     /* takes all its names away */
/* Returns the process that has a name if it is one of rt, or NULL. Sets *serial to the holder's
 * serial, also if it is another scheduler's process, or to 0 if nobody has the name. */
struct rusm_process *names_find(struct runtime *rt, const char *name, size_t len, uint64_t *serial);
/* Takes what another scheduler told about a name of a process of rt. */
void names_told(struct runtime *rt, struct process_name *it, bool named);

#endif
