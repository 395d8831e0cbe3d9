/* programs: the descriptors of the programs of `exec:`. Each scheduler has a set. Called on the
 * scheduler's thread. */
#ifndef NODE_PROGRAMS_H
#define NODE_PROGRAMS_H

#include "port/host.h"

struct loop;
struct port_host;
struct rusm_node;
struct rusm_process;

/* The programs of one scheduler's processes. */
struct programs {
    struct port_host host;
    struct loop *loop;
    struct rusm_node *node;
};

int programs_init(struct programs *p, struct rusm_node *node,
                  struct loop *loop);                                 /* 0 or RUSM_ENOMEM */
struct programs *programs_of(struct rusm_node *node, unsigned index); /* of that scheduler */
struct port_host *programs_host(const struct rusm_process *self);
/* Returns whether all programs of all schedulers have ended. */
bool programs_ended(struct rusm_node *node);

#endif
