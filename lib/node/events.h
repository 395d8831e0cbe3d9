/* events: what happens on a node, on its way to observers: those over HTTP, and the clients that
 * follow it. Any thread puts events in. Scheduler 0 gives them to the gateway, and keeps them for
 * the followers, on the node's thread. While nobody watches, events cost next to nothing. */
#ifndef NODE_EVENTS_H
#define NODE_EVENTS_H

#include <pthread.h>
#include <stdatomic.h>
#include "actor/hooks.h"
#include "base/list.h"
#include "node/history.h"
#include "service/counters.h"
#include "service/service.h"

struct rusm_node;
struct member;

/* Fills in all counters as they are now. Returns how many there are. */
typedef size_t events_counters_fn(struct rusm_node *node, struct counter counters[COUNTERS_MAX]);

struct events {
    events_counters_fn *counters_now;
    atomic_bool watched; /* there are observers */
    pthread_mutex_t lock;
    struct list queue;        /* struct event; under the lock, as are the next two */
    size_t bytes;             /* in the queue */
    uint64_t missed;          /* events that found no room since the last tick */
    struct list followers;    /* clients: follower.c; from here on scheduler 0's */
    unsigned counters_wanted; /* those of them who want the counters */
    uint64_t keep_ns;         /* until when a follower that was lost may come back */
    bool kept;                /* events go into the history */
    struct history history;
    bool counted; /* the counters below are those of counted_ns */
    uint64_t counted_ns;
    struct counter counters[COUNTERS_MAX]; /* as observers were last told */
};

void events_init(struct events *e, events_counters_fn *counters_now);
void events_fini(struct events *e);
/* Returns whether there are observers. */
bool events_watched(const struct rusm_node *node);
/* A process was spawned for somebody outside. Call it if there are observers. */
void events_spawned(struct rusm_node *node, const struct service_spawned *s);
/* Takes what happened to a process: the runtime's hook. */
void events_process(void *node, const struct process_event *h);
/* A node is connected, or no longer connected for the given reason. */
void events_node_up(struct rusm_node *node, const struct member *m);
void events_node_down(struct rusm_node *node, const struct member *m, const char *reason);
/* A process of ours got a global name (`has`), gave it up, or lost it to a process of the node
 * `by`. */
void events_global(struct rusm_node *node, uint64_t serial, const char *name, size_t len, bool has);
void events_name_lost(struct rusm_node *node, uint64_t serial, const char *name, const char *by);
/* Hands all queued events over. Called in every tick, after the processes have run. Returns
 * when to call it again. */
uint64_t events_deliver(struct rusm_node *node);

#endif
