/* service: what requests need to know of their node, and which process a target means. Each
 * scheduler has one service. The requests and the router of lanes call it on the scheduler's
 * thread. */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rusm.h"
#include "wire/target.h"

struct registry_holder;
struct runtime;
struct rusm_process;

/* A process that somebody outside of the node's processes has spawned. */
struct service_spawned {
    uint64_t serial;
    const char *spawnable;
    const char *name;      /* ""; it has none */
    const char *by, *from; /* who asked: struct asker's `who` */
};

struct service_node {
    /* Finds the holder of a global name, but does not set holder->node_name. Returns 0 or
     * RUSM_ENOPROC. */
    int (*whereis)(void *context, const char *name, size_t len, struct registry_holder *holder);
    /* Writes the global name of a process of this node, or "". */
    void (*global_name)(void *context, uint64_t serial, char name[RUSM_NAME_MAX + 1]);
    /* Stops the node. Returns at once. */
    void (*stop)(void *context);
    /* Returns whether somebody wants to know of spawns, and tells of one. */
    bool (*watched)(void *context);
    void (*spawned)(void *context, const struct service_spawned *spawned);
};

struct service {
    struct runtime *runtime;
    const char *name; /* the node's name; borrowed */
    uint32_t incarnation;
    const bool *closed; /* the scheduler's processes have ended, so that only STOP is answered */
    const struct service_node *node;
    void *context; /* for the functions of `node` */
};

/* Returns the process that the target means, or NULL if this scheduler does not have it. Sets *far
 * to the serial of the process if it may belong to another scheduler, else to 0. */
struct rusm_process *service_find(const struct service *s, const struct target *target,
                                  uint64_t *far);

#endif
