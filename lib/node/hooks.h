/* hooks: what the runtime asks of the node: to send on lanes, to keep names, to spawn. Called on
 * the scheduler's thread. */
#ifndef NODE_HOOKS_H
#define NODE_HOOKS_H

struct runtime_hooks;

extern const struct runtime_hooks scheduler_runtime_hooks;

#endif
