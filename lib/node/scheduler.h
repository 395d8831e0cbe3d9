/* scheduler: what each scheduler of a node owns, and how scheduler 0 looks at what another one
 * has. */
#ifndef NODE_SCHEDULER_H
#define NODE_SCHEDULER_H

#include <pthread.h>
#include <stdatomic.h>

#include "actor/runtime.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/rng.h"
#include "node/dial.h"
#include "node/loop.h"
#include "node/programs.h"
#include "node/resolver.h"
#include "peer/peers.h"
#include "quic/endpoint.h"
#include "sched/sched.h"
#include "service/counters.h"
#include "service/service.h"

struct connection;
struct connection_users;
struct rusm_node;

struct scheduler_counters {
    struct counters_source source;
    uint64_t processes;
};

struct scheduler {
    struct task close; /* first */
    struct rusm_node *node;
    unsigned index;
    struct runtime *runtime; /* as long as there are connections */
    bool closed;             /* its processes have ended */
    struct service service;  /* what may be asked of it */
    struct loop loop;
    struct resolver resolver;
    struct endpoint *endpoint;
    struct programs programs;
    struct lane_budget budget; /* its share of the node's */
    struct lane_pools pools;
    struct pool routes; /* router.c */
    struct rng rng;
    uint64_t now_ns, tick_ns;

    struct list connections, unready, doubted, feeds, contended;
    const struct connection_users *connections_use;
    struct dials dials;            /* under members_lock */
    atomic_uint_fast64_t dials_ns; /* when one of them is due: to be called again */
    struct peers peers;            /* those that have something to do */
    struct connection **by_index;  /* ready ones by the node index in pids; NULL: not connected */
    uint32_t by_index_cap;
    struct map grant_queues; /* mailboxes with a large record under way, each peer's: router.c */
    struct causes causes;
    unsigned exit_waits;   /* in all connections' exits */
    unsigned forwards;     /* under way to others: forward.c */
    uint64_t names_told;   /* node.names_changed, as its peers are fed */
    unsigned leave_stages; /* done of node.leave_stages */

    pthread_t thread; /* but scheduler 0's */
    bool started;     /* ... it */
    atomic_bool over;
    pthread_mutex_t ticking; /* held in its turns and its loop's calls; not by scheduler 0 */
    atomic_bool wanted;      /* scheduler 0 waits for that */
    bool stuck;              /* it waited in vain: not again until it has had it */
    struct scheduler_counters counters; /* scheduler 0's copy */
};

/* That scheduler's. */
struct runtime *scheduler_runtime(const struct rusm_node *node, unsigned index);
/* Scheduler 0 may look at, and work on, what another has until it leaves, between two of its ticks.
 * False: one of its handlers takes too long. */
bool scheduler_enter(struct rusm_node *node, unsigned index);
void scheduler_leave(struct rusm_node *node, unsigned index);
/* Its counters as they are; if a handler takes too long, as they were. */
const struct scheduler_counters *scheduler_counters(struct rusm_node *node, unsigned index);

#endif
