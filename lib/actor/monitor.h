/* monitor: which processes are told when a process or a node ends, each exactly once. A watcher and
 * a ref identify a monitor. It is in a list of its target (or the target's node) and in a list of
 * its watcher (or the watcher's node), so each of them can go at any time. One thread. */
#ifndef ACTOR_MONITOR_H
#define ACTOR_MONITOR_H

#include "actor/state.h"

void monitor_slab_init(struct runtime *rt);
/* Makes a process of this runtime watch any process: DOWN comes later, or at once if the target is
 * gone. Returns 0, or, without a monitor, RUSM_EINVAL if there is no such node, RUSM_ELIMIT,
 * RUSM_ENOMEM or what process_post returns, such as RUSM_BUSY. */
int monitor_watch(struct rusm_process *watcher, rusm_pid target, uint64_t *ref);
/* Does what monitor_watch does, for the process that has a name on that node now. Returns
 * RUSM_EINVAL if it is not a name or there is no such node. */
int monitor_watch_name(struct rusm_process *watcher, uint32_t node, const char *name, size_t len,
                       uint64_t *ref);
/* Asks for NODE_DOWN when the connection to that node ends. It comes at once if there is no
 * connection. */
int monitor_watch_node(struct rusm_process *watcher, uint32_t node, uint64_t *ref);
int monitor_unwatch(struct rusm_process *watcher, uint64_t ref); /* RUSM_ENOPROC: no such monitor */
/* Call `each` with up to `most` of those that p watches and of those that watch p. name: of a
 * process that is watched by its name, else NULL. */
typedef void monitor_fn(void *context, rusm_pid other, const char *name);
void monitor_each(const struct rusm_process *p, size_t most, monitor_fn *each, void *context);
void monitor_each_watcher(const struct rusm_process *p, size_t most, monitor_fn *each,
                          void *context);
/* Takes note of a DOWN for p that came from that node. Returns true if p still waits for it. The
 * monitor is gone then. */
bool monitor_told(struct rusm_process *p, uint64_t ref, uint32_t node);
/* Ends a monitor that another scheduler could not make: DOWN with that reason, if p still waits. */
void monitor_refused(struct rusm_process *p, uint64_t ref, const char *reason);
/* Removes a monitor, whatever its target is. Does nothing if there is no such monitor. */
void monitor_drop(struct runtime *rt, rusm_pid watcher, uint64_t ref);
/* Tells the watchers of p that it has ended, with p->reason, and ends p's own monitors. */
void monitor_ended(struct rusm_process *p);
/* Forgets the watchers on that node, which is lost. Gives DOWN noconnection to the processes here
 * that watch a process there. */
void monitor_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);
/* Gives NODE_DOWN to those who watch the node itself. Must come last of all. */
void monitor_node_down(struct runtime *rt, struct node_name *node, uint32_t incarnation);

#endif
