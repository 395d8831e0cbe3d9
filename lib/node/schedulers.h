/* schedulers: the schedulers of a node, from before they have threads until after. Called by the
 * node as it starts and ends, on the thread of rusm_node_run. */
#ifndef NODE_SCHEDULERS_H
#define NODE_SCHEDULERS_H

#include <stdint.h>

struct rusm_node;
struct runtime_options;

/* All of them, empty: schedulers_free from then on. RUSM_ENOMEM. */
int schedulers_new(struct rusm_node *node, unsigned count, uint64_t seed);
/* All runtimes, as options say but for what is each one's own. RUSM_ENOMEM. */
int schedulers_open(struct rusm_node *node, struct runtime_options *options);
/* All loops, with what is watched by them, once there are endpoints. RUSM_EIO, RUSM_ENOMEM. */
int schedulers_watch(struct rusm_node *node, uint64_t spin_ns);
int schedulers_start(struct rusm_node *node); /* RUSM_EIO: no thread */
/* All threads end, all connections and processes end, all is freed. */
void schedulers_free(struct rusm_node *node);

#endif
