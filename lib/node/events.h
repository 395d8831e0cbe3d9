/* events: what happens on a node, on its way to those who look on over HTTP. Put in by whoever
 * makes it happen, on any thread; handed to the gateway on the node's. Costs next to nothing while
 * nobody looks. */
#ifndef NODE_EVENTS_H
#define NODE_EVENTS_H

#include <pthread.h>
#include <stdatomic.h>
#include "actor/hooks.h"
#include "base/list.h"
#include "service/counters.h"

struct rusm_node;
struct member;

/* Puts all counters as they are now and returns how many. */
typedef size_t events_counters_fn(struct rusm_node *node, struct counter counters[COUNTERS_MAX]);

struct events {
    events_counters_fn *counters_now;
    atomic_bool watched; /* somebody looks on */
    pthread_mutex_t lock;
    struct list queue; /* under the lock: struct event */
    size_t bytes;      /* ... in it */
    uint64_t missed;   /* ... that found no room since the last tick */
    uint64_t counted_ns;
    struct counter counters[COUNTERS_MAX]; /* as last told */
};

void events_init(struct events *e, events_counters_fn *counters_now);
void events_fini(struct events *e);
/* The runtime's hook. */
void events_process(void *node, const struct process_event *h);
/* A node is connected, or is no longer, for that reason. */
void events_node_up(struct rusm_node *node, const struct member *m);
void events_node_down(struct rusm_node *node, const struct member *m, const char *reason);
/* A process of ours got a global name or gave it up, or another one, `by`, took it. */
void events_global(struct rusm_node *node, uint64_t serial, const char *name, size_t len, bool has);
void events_name_lost(struct rusm_node *node, uint64_t serial, const char *name, const char *by);
/* In every tick, after the processes: hands over what there is. Returns when to be called again. */
uint64_t events_deliver(struct rusm_node *node);

#endif
