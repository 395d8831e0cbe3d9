/* publish: what the node tells the other processes of this machine, in the run folder, and that it
 * stays there. On scheduler 0's thread. */
#ifndef NODE_PUBLISH_H
#define NODE_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>
#include "rusm.h"

struct rusm_node;

struct publish {
    uint64_t at_ns;       /* when to look at the files again */
    uint64_t begun_ns;    /* when the look under way began; 0: none is */
    bool slow;            /* it takes long, which the log has said */
    struct rusm_why said; /* what the log said last; "": all was well */
};

/* Writes NAME.json. Returns as rundir_publish. */
int publish_first(struct rusm_node *node, struct rusm_why *why);
/* Looks from time to time whether the node's files are still there, writes them again if they are
 * not, and says so. Returns when to call it again. */
uint64_t publish_tick(struct rusm_node *node);

#endif
