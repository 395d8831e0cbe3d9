/* boot: the supervised processes that a node starts as it starts. Called on scheduler 0's
 * thread. */
#ifndef NODE_BOOT_H
#define NODE_BOOT_H

#include <stdbool.h>
#include "rusm.h"

struct rusm_node;

/* Sets what happens to a process that is restarted too often. */
void boot_init(struct rusm_node *node, enum rusm_restarts restarts);
/* Tells the node's supervisor to stop its children, the last one first. boot_stopped returns
 * whether the supervisor has ended. */
void boot_stop(struct rusm_node *node);
bool boot_stopped(struct rusm_node *node);

#endif
