/* service: what the requests know of the node that they are made of, and which process a target
 * means. Each scheduler has one; called on its thread, by the requests and by the router of
 * lanes. */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/target.h"

struct registry_holder;
struct runtime;
struct rusm_process;

struct service_node {
    /* Finds the holder of a global name, but for its node's name. Returns 0 or RUSM_ENOPROC. */
    int (*whereis)(void *context, const char *name, size_t len, struct registry_holder *holder);
    /* Stops the node. Returns at once. */
    void (*stop)(void *context);
};

struct service {
    struct runtime *runtime;
    const char *name; /* the node's; borrowed */
    uint32_t incarnation;
    const bool *closed; /* the scheduler's processes have ended: only STOP is answered */
    const struct service_node *node;
    void *context; /* of the functions of `node` */
};

/* Returns the process that the target means, or NULL if this scheduler has none. *far is set to its
 * serial if it may be another scheduler's, else to 0. */
struct rusm_process *service_find(const struct service *s, const struct target *target,
                                  uint64_t *far);

#endif
