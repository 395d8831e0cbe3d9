/* boot: what the node starts as it starts, supervised. Called on scheduler 0's thread. */
#ifndef NODE_BOOT_H
#define NODE_BOOT_H

#include <stdbool.h>

struct rusm_node;

/* What was booted is to stop, the last first; and whether it has. */
void boot_stop(struct rusm_node *node);
bool boot_stopped(struct rusm_node *node);

#endif
