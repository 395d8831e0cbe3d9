/* registry: the names of this node's processes: one holder a name, any number of names a process.
 * Global names live in the cluster room. One thread. */
#ifndef ACTOR_REGISTRY_H
#define ACTOR_REGISTRY_H

#include <stddef.h>
#include <stdint.h>
#include "base/list.h"
#include "base/map.h"

struct rusm_process;

struct registry_name {
    struct map_node by_name;
    struct list at_holder; /* in its holder's names, oldest first */
    struct rusm_process *holder;
    uint32_t len;
    char name[]; /* NUL-terminated */
};

struct registry {
    struct map by_name;
};

void registry_init(struct registry *r, uint64_t seed);
void registry_fini(struct registry *r); /* must be empty */
/* RUSM_EINVAL (not a name), RUSM_EEXIST, RUSM_ELIMIT, RUSM_ENOMEM. */
int registry_add(struct registry *r, struct rusm_process *holder, const char *name, size_t len);
int registry_remove(struct registry *r, const char *name, size_t len); /* RUSM_ENOPROC */
void registry_forget(struct registry *r, struct rusm_process *holder); /* all its names */
struct rusm_process *registry_find(const struct registry *r, const char *name, size_t len);

#endif
