/* monitor: who is to be told of whose end, each exactly once. A monitor is known by its watcher and
 * ref; it hangs at its target (or the target's node) and at its watcher (or the watcher's node), so
 * that each of these can go at any time. One thread. */
#ifndef ACTOR_MONITOR_H
#define ACTOR_MONITOR_H

#include "actor/state.h"

void monitor_slab_init(struct runtime *rt);
/* A process of ours watches any process: DOWN comes later, at once if it is gone. RUSM_EINVAL (no
 * such node), RUSM_ELIMIT, RUSM_ENOMEM, or what `post` says (RUSM_BUSY …): then there is none. */
int monitor_watch(struct rusm_process *watcher, rusm_pid target, uint64_t *ref);
/* The same for whoever has a name on that node now. RUSM_EINVAL: no name, or no such node. */
int monitor_watch_name(struct rusm_process *watcher, uint32_t node, const char *name, size_t len,
                       uint64_t *ref);
/* NODE_DOWN when the connection to that node ends, at once if there is none. */
int monitor_watch_node(struct rusm_process *watcher, uint32_t node, uint64_t *ref);
int monitor_unwatch(struct rusm_process *watcher, uint64_t ref); /* RUSM_ENOPROC: none such */
/* DOWN for p came from that node: true if p still waits for it; the monitor is gone then. */
bool monitor_told(struct rusm_process *p, uint64_t ref, uint32_t node);
/* The request for it came to nothing, by another scheduler: DOWN with that reason, if p still
 * waits. */
void monitor_refused(struct rusm_process *p, uint64_t ref, const char *reason);
/* That monitor is gone, whoever the target is; none: nothing. */
void monitor_drop(struct runtime *rt, rusm_pid watcher, uint64_t ref);
/* p has ended, with p->reason: its watchers are told, and it watches nobody any more. */
void monitor_ended(struct rusm_process *p);
/* A node is gone: its watchers are forgotten, DOWN noconnection for ours on its processes. */
void monitor_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);
/* Last of all: NODE_DOWN for those who watch the node itself. */
void monitor_node_down(struct runtime *rt, struct node_name *node, uint32_t incarnation);

#endif
