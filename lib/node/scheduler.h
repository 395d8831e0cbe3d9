/* scheduler: what each scheduler of a node owns, and how scheduler 0 looks into the other
 * schedulers. */
#ifndef NODE_SCHEDULER_H
#define NODE_SCHEDULER_H

#include <pthread.h>
#include <stdatomic.h>

#include "actor/runtime.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/repeat.h"
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
    struct task close; /* ends its processes: leave.c */
    struct rusm_node *node;
    unsigned index;
    struct runtime *runtime; /* lives as long as there are connections */
    bool closed;             /* its processes have ended */
    struct service service;  /* what the requests use */
    struct loop loop;
    struct resolver resolver;
    struct endpoint *endpoint;
    struct programs programs;
    struct lane_budget budget; /* this scheduler's share of the node's budget */
    struct lane_pools pools;
    struct pool routes; /* router.c */
    struct rng rng;
    struct repeat repeat; /* warnings that peers and strangers can cause */
    uint64_t now_ns, tick_ns;
    uint64_t due_ns; /* when the last tick wanted the next one; 0: there was none yet */

    struct list connections, unready, doubted, feeds, contended;
    const struct connection_users *connections_use;
    struct dials dials;            /* under members_lock */
    atomic_uint_fast64_t dials_ns; /* when dials_tick is due again */
    struct peers peers;            /* sessions that have something to do */
    struct connection **by_index; /* ready connections by node index in pids; NULL: not connected */
    uint32_t by_index_cap;
    struct map grant_queues; /* each peer's large records under way to a mailbox: router.c */
    struct causes causes;
    unsigned exit_waits;   /* how many are in all connections' exits */
    unsigned forwards;     /* datagrams under way to other schedulers: forward.c */
    uint64_t names_told;   /* node.names_changed when the peers were last fed */
    unsigned leave_stages; /* how many of node.leave_stages it has done */

    atomic_uint_fast64_t ran_ns; /* when its last tick began; written only for life.c */
    pthread_t thread;            /* not used by scheduler 0 */
    bool started;                /* the thread was started */
    atomic_bool over;
    pthread_mutex_t ticking; /* held in ticks and the loop's calls; not by scheduler 0 */
    atomic_bool wanted;      /* scheduler 0 waits for `ticking` */
    bool stuck;              /* scheduler 0 waited in vain; it only tries until it gets `ticking` */
    struct scheduler_counters counters; /* the copy that scheduler 0 has */
};

/* Returns the runtime of a scheduler. */
struct runtime *scheduler_runtime(const struct rusm_node *node, unsigned index);
/* Lets scheduler 0 look at, and change, what another scheduler has, between two of its ticks, until
 * scheduler_leave. Returns false if a handler there takes too long. */
bool scheduler_enter(struct rusm_node *node, unsigned index);
void scheduler_leave(struct rusm_node *node, unsigned index);
/* Returns a scheduler's counters as they are now. If a handler takes too long, returns them as they
 * were. */
const struct scheduler_counters *scheduler_counters(struct rusm_node *node, unsigned index);

#endif
