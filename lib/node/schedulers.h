/* schedulers: the schedulers of a node, from before they have threads until after. Called by the
 * node as it starts and ends, on the thread of rusm_node_run. */
#ifndef NODE_SCHEDULERS_H
#define NODE_SCHEDULERS_H

#include <stdint.h>

struct rusm_node;
struct runtime_options;

/* Makes all schedulers, without their parts. Call schedulers_free from then on. Returns 0 or
 * RUSM_ENOMEM. */
int schedulers_new(struct rusm_node *node, unsigned count, uint64_t seed);
/* Makes all runtimes as options say, except for what each runtime has of its own. Returns 0 or
 * RUSM_ENOMEM. */
int schedulers_open(struct rusm_node *node, struct runtime_options *options);
/* Makes all loops and what they watch, once there are endpoints. Returns 0, RUSM_EIO or
 * RUSM_ENOMEM. */
int schedulers_watch(struct rusm_node *node, uint64_t spin_ns);
int schedulers_start(struct rusm_node *node); /* 0, or RUSM_EIO: no thread */
/* Ends all threads, connections and processes, and frees everything. */
void schedulers_free(struct rusm_node *node);

#endif
