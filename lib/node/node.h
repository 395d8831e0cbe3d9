/* node: the node itself, put together from what the files of this room own. Each file has its own
 * header.
 *
 * A scheduler is a thread that has a loop, an endpoint (its own socket, at the node's one address),
 * its connections and a runtime. In each tick, a scheduler reads the socket, hands records to
 * mailboxes, runs processes, gives credit back, flushes each connection once, and waits. Other
 * nodes are dealt to the schedulers by their names. So one scheduler has all connections with a
 * node and all that is known of it. Scheduler 0, on the thread of rusm_node_run, has the clients,
 * HTTP and what the node shows of itself. Locks guard what the schedulers share: the members
 * (member.c) and the global names (globals.c). From other threads, only rusm_node_stop and
 * rusm_node_post may be called.
 *
 * The first line of each file's header says what the file does. The order of the files, which no
 * include may break, is in test/check/rooms.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "cluster/registry.h"
#include "local/rundir.h"
#include "node/connection.h"
#include "node/events.h"
#include "node/runfiles.h"
#include "node/tracer.h"
#include "node/forget.h"
#include "node/life.h"
#include "node/member.h"
#include "node/post.h"
#include "node/publish.h"
#include "node/pulse.h"
#include "node/scheduler.h"
#include "otp/keeper.h"
#include "port/port.h"

struct rusm_node {
    struct log log;
    char name[RUSM_NODE_NAME_MAX + 1];
    char address[80];             /* the one really bound */
    char advertise[300];          /* "": peers take the address that they see */
    const char *advertise_or_all; /* the same, or `address` if it is 0.0.0.0 or [::] */
    uint32_t incarnation;
    struct sink log_sink, output; /* the log's lines, and what processes print */
    uint64_t idle_timeout_ns;

    struct identity *identity;
    char identity_path[4096];
    bool identity_made;
    struct runfiles *runfiles; /* the run folder */
    struct publish publish;
    struct pulse pulse;

    struct scheduler *schedulers; /* schedulers[0..scheduler_count) */
    struct scheduler *first;      /* scheduler 0: the same pointer */
    unsigned scheduler_count;
    unsigned others_open; /* schedulers but the first whose processes have not ended */
    struct bridge *bridge;

    struct ports ports; /* behaviours from files and from programs */
    struct port_node port_node;
    struct keeper_options keep; /* of the supervisor */
    int failed;                 /* why the node leaves by itself; 0: it does not */
    uint64_t supervisor;        /* serial of the supervisor of boot.c; 0: none yet */
    struct events events;       /* for observers over HTTP, and followers */
    struct tracers tracers;
    struct http_tcp *http_tcp; /* HTTP over TCP; NULL: not asked for */
    struct http *http;         /* the node's side of HTTP; NULL: not asked for */
    struct gateway *gateway;   /* the gateway of http; NULL: no http */

    pthread_mutex_t registry_lock; /* globals.c; used if there are several schedulers */
    struct registry *registry;
    struct scheduler *registry_user;    /* the scheduler that has the lock */
    atomic_uint_fast64_t names_changed; /* counts changes of names that may have to be gossiped */

    pthread_mutex_t members_lock; /* member.c; taken before registry_lock */
    struct list members;
    struct list seeds;      /* of seeds.c */
    unsigned seeds_untried; /* those whose first round is not over */
    struct map by_name;
    unsigned told;          /* how many members have `told` set */
    uint64_t member_number; /* the last number given to a member */
    struct forgetting forget;

    char start_trouble[512]; /* trouble.c: why no node was joined, or the name is refused */
    bool name_refused;       /* a live node of the cluster has the name; both under members_lock */
    bool settled;            /* the node is past its start */

    uint64_t started_ns;
    bool running;     /* the other schedulers' threads were started */
    atomic_int stops; /* calls of rusm_node_stop */
    atomic_bool leaving;
    atomic_uint leave_stages; /* how many stages have begun: leave.c */
    bool name_overflow;       /* of rusm_node_options */
    bool driven;              /* another event loop drives the node: rusm_node_start */
    struct life life;         /* what the program is told: life.c */
    struct posts posts;       /* from the program's own threads: post.c */
};

#endif
