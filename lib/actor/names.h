/* names: the names of this node's processes: one holder a name, any number of names a process.
 * Global names live in the cluster room. One thread. */
#ifndef ACTOR_NAMES_H
#define ACTOR_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include "base/list.h"
#include "base/map.h"

struct rusm_process;

struct process_name {
    struct map_node by_name;
    struct list at_holder; /* in its holder's names, oldest first */
    struct rusm_process *holder;
    uint32_t len;
    char name[]; /* NUL-terminated */
};

struct names {
    struct map by_name;
};

void names_init(struct names *n, uint64_t seed);
void names_fini(struct names *n); /* must be empty */
/* RUSM_EINVAL (not a name), RUSM_EEXIST, RUSM_ELIMIT, RUSM_ENOMEM. */
int names_add(struct names *n, struct rusm_process *holder, const char *name, size_t len);
int names_remove(struct names *n, const char *name, size_t len); /* RUSM_ENOPROC */
void names_forget(struct names *n, struct rusm_process *holder); /* all its names */
struct rusm_process *names_find(const struct names *n, const char *name, size_t len);

#endif
