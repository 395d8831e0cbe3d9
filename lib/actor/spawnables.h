/* spawnables: the behaviours that a node has been taught, by name. One thread. */
#ifndef ACTOR_SPAWNABLES_H
#define ACTOR_SPAWNABLES_H

#include <stddef.h>
#include "base/list.h"
#include "base/map.h"
#include "rusm.h"

struct spawnable {
    struct map_node by_name;
    struct list all;
    const struct rusm_behaviour *behaviour;
    uint32_t len;
    char name[]; /* NUL-terminated */
};

struct spawnables {
    struct map by_name;
    struct list all; /* in the order they were taught */
};

void spawnables_init(struct spawnables *s, uint64_t seed);
void spawnables_fini(struct spawnables *s);
/* Adds a behaviour. Keeps behaviour. Returns 0, RUSM_EINVAL if it is not a name, RUSM_EEXIST,
 * RUSM_ELIMIT or RUSM_ENOMEM. */
int spawnables_teach(struct spawnables *s, const char *name,
                     const struct rusm_behaviour *behaviour);
const struct rusm_behaviour *spawnables_find(const struct spawnables *s, const char *name,
                                             size_t len); /* or NULL */

#endif
