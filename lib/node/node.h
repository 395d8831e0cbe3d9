/* node: the node itself, composed of what the files of this room own, each in its own header.
 *
 * A scheduler is a thread that has a loop, an endpoint (its own socket, at the node's one address),
 * its connections and a runtime. Each loop tick: read the socket, hand records to mailboxes, run
 * processes, give credit back, flush each connection once, wait. Other nodes are dealt to the
 * schedulers by their names, so that all connections with one, and all that is known of it, are one
 * scheduler's; clients, HTTP and what the node shows of itself are scheduler 0's, on the thread of
 * rusm_node_run. What they share is behind locks: the members (member.c), the global names
 * (globals.c); only rusm_node_stop may be called from elsewhere.
 *
 * The first line of each file's header says what the file does; their order, which no include may
 * break, stands in test/check/rooms.
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
#include "node/member.h"
#include "node/post.h"
#include "node/scheduler.h"
#include "port/port.h"

struct rusm_node {
    struct log log;
    char name[RUSM_NODE_NAME_MAX + 1];
    char address[80];    /* really bound */
    char advertise[300]; /* "": what peers see */
    uint32_t incarnation;
    int output_fd;
    uint64_t idle_timeout_ns;

    struct identity *identity;
    char identity_path[4096];
    bool identity_made;
    struct rundir rundir;

    struct scheduler *schedulers; /* schedulers[0..scheduler_count) */
    struct scheduler *first;      /* the same: scheduler 0 */
    unsigned scheduler_count;
    unsigned others_open; /* of them but the first, whose processes have not ended */
    struct bridge *bridge;

    struct ports ports; /* behaviours from files and programs */
    struct port_node port_node;
    uint64_t supervisor;       /* serial of what starts its boots; 0: none yet */
    struct events events;      /* for those who look on over HTTP */
    struct http_tcp *http_tcp; /* ... over TCP; NULL: not asked for */
    struct http *http;         /* HTTP's; NULL: not asked for */
    struct gateway *gateway;   /* its; NULL: the same */

    pthread_mutex_t registry_lock; /* globals.c: if there are several schedulers */
    struct registry *registry;
    struct scheduler *registry_user;    /* who has the lock */
    atomic_uint_fast64_t names_changed; /* counts what there may be to gossip */

    pthread_mutex_t members_lock; /* member.c; before registry_lock */
    struct list members;
    struct map by_name;
    unsigned told;          /* members so marked */
    uint64_t member_number; /* the last one given */

    uint64_t started_ns;
    atomic_int stops; /* calls of rusm_node_stop */
    atomic_bool leaving;
    atomic_uint leave_stages; /* begun: leave.c */
    bool name_overflow;       /* of rusm_node_options */
    bool driven;              /* by another event loop: rusm_node_start */
    struct posts posts;       /* of the program's own threads: post.c */
};

#endif
