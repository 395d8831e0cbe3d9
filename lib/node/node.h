/* node: what the files of this room share: the node and its connections, members and requests.
 *
 * A scheduler is a thread that has a loop, an endpoint (its own socket, at the node's one address), its
 * connections and a runtime. Each loop turn: read the socket, hand records to mailboxes, run processes,
 * give credit back, flush each connection once, wait. Other nodes are dealt to the schedulers by their
 * names, so that all connections with one, and all that is known of it, are one scheduler's; clients,
 * HTTP and what the node shows of itself are scheduler 0's, on the thread of rusm_node_run. What they
 * share is behind locks: the members (member.c), the global names (globals.c); only rusm_node_stop may
 * be called from elsewhere.
 *
 *   node.c        life: options, parts                   loop.c      the only user of libev
 *   turn.c        the loops' turns                       leave.c     how a node ends
 *   feed.c        what goes out as it drains             stray.c     datagrams for another scheduler
 *   connection.c  a connection's life, its frames        hello.c     who it is, adopt
 *   member.c      nodes we know                          hooks.c     runtime -> lanes, names
 *   liveness.c    asking peers whether they live         dial.c      dialling members
 *   router.c      lanes -> runtime                       rpc.c       requests, both ways
 *   tables.c      what attach shows                      listing.c   a table on its way
 *   neighbour.c   nodes' OS processes                    resolver.c  names to addresses
 *   exits.c       exit signals past their lanes          boot.c      what the node starts, supervised
 *   events.c      what happens, for those who look on    gate_tcp.c  HTTP over TCP
 *   programs.c    descriptors of the programs of exec:   fault.c     who has overflown its stack
 *   scheduler.c   the threads and their parts            globals.c   global names, for all of them
 *   serve.c       requests that other threads work on    output.c    what processes print
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdatomic.h>

#include "actor/runtime.h"
#include "sched/siblings.h"
#include "sched/spawning.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/rng.h"
#include "cluster/registry.h"
#include "node/events.h"
#include "node/loop.h"
#include "node/post.h"
#include "node/resolver.h"
#include "local/rundir.h"
#include "peer/peers.h"
#include "port/host.h"
#include "port/port.h"

struct scheduler;

/* Another node that we know of, connected or not. Made once, kept: pids refer to its index. Changed by
 * its scheduler, and by who hears of it (member.c), under members_lock; of what only its scheduler asks
 * for (its connections' state, death, backoff) without. */
struct member {
    struct list link; /* in node.members */
    struct map_node by_name;
    struct scheduler *scheduler;
    char name[RUSM_NODE_NAME_MAX + 1];
    uint32_t index;               /* in pids */
    uint64_t number;              /* in the order in which they became known, from 1 */
    uint32_t incarnation;         /* of its last connection */
    char address[300];            /* where to dial it; "": not known */
    struct connection *current;   /* ready; NULL: not connected */
    struct connection *dialling;  /* ours, on its way; NULL */
    struct connection *contender; /* another incarnation that wants the place of current */
    struct list contended;        /* in scheduler.contended while there is one */
    uint64_t contender_until_ns;  /* current must answer a PING before */
    bool wanted;                  /* dial it until connected */
    bool told;                    /* known from others' word alone: one of node.told */
    bool joined;                  /* named by --join: its address is what the user wrote */
    bool near;                    /* of our run folder */
    bool left;                    /* it said so, as it ended its last connection */
    uint64_t since_ns;            /* of its present state */
    struct heap_node dial;        /* next try; UINT64_MAX: none; in one heap of scheduler.dials */
    struct list trying;           /* of its queue there, while it is dialled */
    uint64_t trying_ns;           /* since when */
    struct attempt *attempt;      /* dial.c's, while there is one */
    int pidfd;                    /* its OS process, if it is of our run folder; -1 */
    struct loop_watch death;
    uint64_t backoff_ns;
    uint64_t lost; /* records without acknowledgement when a connection ended */
};

/* One QUIC connection and who is behind it. */
struct connection {
    struct list link;    /* in scheduler.connections */
    struct list unready; /* in scheduler.unready until the handshake is complete */
    struct scheduler *scheduler;
    struct conn *conn;
    struct peer *peer;                  /* NULL until the handshake is complete */
    struct member *member;              /* NULL: a client, or not known yet */
    char meant[RUSM_NODE_NAME_MAX + 1]; /* dialled: the node we mean; "": any */
    char address[80];                   /* the other end */
    char advertised[300];               /* where it wants to be dialled; "": where it is */
    uint32_t index, incarnation;        /* how pids name it */
    bool client, left;                  /* left: it said LEAVE */
    uint64_t since_ns;
    uint64_t ready_ns;                   /* 0: not ready */
    struct list doubted;                 /* in scheduler.doubted while it is */
    uint64_t doubted_ns, doubt_until_ns; /* since when, and until when it may speak */
    struct list feed;  /* in scheduler.feeds while there is something to feed it */
    struct list exits; /* exits.c: signals of which one of two copies came */
    uint32_t exit_count;
    uint64_t exit_floor, exit_ref; /* older ones of theirs are forgotten; ours, last given */
    struct list served;            /* theirs that others work on: struct served */
    struct list requests;          /* ours without an answer: struct asked */
    uint64_t request_count, request_id;
    struct list listings; /* tables that it asked for */
    unsigned listing_count;
};

/* Why messages were not delivered. */
struct causes {
    uint64_t noproc, noconnection, overflow, too_large, malformed;
};

/* When which member is to be dialled. */
struct dial_queue {
    struct heap due;
    struct list trying; /* whose dial is under way */
    uint64_t full_ns;   /* no more until then, or until one of these ends; 0: not full */
};
struct dials {
    struct dial_queue vouched, others; /* by the user; the others share LIMIT_DIALS */
};

/* The programs of one scheduler's processes. */
struct programs {
    struct port_host host;
    struct loop *loop;
    struct rusm_node *node;
    struct port_counters seen; /* by scheduler 0, when it last could look */
};

struct scheduler_counters {
    struct runtime_counters runtime;
    struct endpoint_counters endpoint;
    struct causes causes;
    uint64_t processes;
};

struct scheduler {
    struct errand close; /* first */
    struct rusm_node *node;
    unsigned index;
    struct runtime *runtime; /* as long as there are connections */
    bool closed;             /* its processes have ended */
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
    struct dials dials;            /* under members_lock */
    atomic_uint_fast64_t dials_ns; /* when one of them is due: to be called again */
    struct peers peers;            /* those that have something to do */
    struct connection **by_index;  /* ready ones by the node index in pids; NULL: not connected */
    uint32_t by_index_cap;
    struct map turns; /* mailboxes with a large record under way, each peer's: router.c */
    struct causes causes;
    unsigned exit_waits;   /* in all connections' exits */
    unsigned strays;       /* under way to others: stray.c */
    uint64_t names_told;   /* node.names_changed, as its peers are fed */
    unsigned leave_stages; /* done of node.leave_stages */

    pthread_t thread; /* but scheduler 0's */
    bool started;     /* ... it */
    atomic_bool over;
    pthread_mutex_t turning; /* held in its turns and its loop's calls; not by scheduler 0 */
    atomic_bool wanted;      /* scheduler 0 waits for that */
    bool stuck;              /* it waited in vain: not again until it has had it */
    struct scheduler_counters counters; /* scheduler 0's copy */
};

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
    struct crossing *crossing;

    struct ports ports; /* behaviours from files and programs */
    struct port_node port_node;
    uint64_t supervisor;       /* serial of what starts its boots; 0: none yet */
    struct events events;      /* for those who look on over HTTP */
    struct gate_tcp *gate_tcp; /* ... over TCP; NULL: not asked for */
    struct gate *gate;         /* HTTP's; NULL: not asked for */

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

/* ---- scheduler.c ---- */
/* All of them, empty: schedulers_free from then on. RUSM_ENOMEM. */
int schedulers_new(struct rusm_node *node, unsigned count, uint64_t seed);
/* All runtimes, as options say but for what is each one's own. RUSM_ENOMEM. */
int schedulers_open(struct rusm_node *node, struct runtime_options *options);
/* All loops, with what is watched by them, once there are endpoints. RUSM_EIO, RUSM_ENOMEM. */
int schedulers_watch(struct rusm_node *node, uint64_t spin_ns);
int schedulers_start(struct rusm_node *node); /* RUSM_EIO: no thread */
/* The processes of the others are to end, when they have done what they can do at once. */
void schedulers_close(struct rusm_node *node);
/* All threads end, all connections and processes end, all is freed. */
void schedulers_free(struct rusm_node *node);
/* That scheduler's. */
struct runtime *scheduler_runtime(const struct rusm_node *node, unsigned index);
/* Scheduler 0 may look at, and work on, what another has until it leaves, between two of its turns.
 * False: one of its handlers takes too long. */
bool scheduler_enter(struct rusm_node *node, unsigned index);
void scheduler_leave(struct rusm_node *node, unsigned index);
/* Its counters as they are; if a handler takes too long, as they were. */
const struct scheduler_counters *scheduler_counters(struct rusm_node *node, unsigned index);

/* ---- turn.c ---- */
/* Scheduler 0's turns until `done` says so, or the deadline, or that many stops. */
void turns_until(struct rusm_node *node, bool (*done)(struct rusm_node *node), uint64_t deadline_ns,
                 int stops);
void turn_once(struct rusm_node *node);
/* Another scheduler's, until it is over: its thread. */
void *turns_main(void *scheduler);

/* ---- leave.c ---- */
/* Tells everyone, lets processes finish what they have, stops those that it supervises in their order,
 * ends the others, waits until all that they sent has reached its mailbox, closes. */
void node_leave(struct rusm_node *node);
/* Does its part of that. */
void leave_turn(struct scheduler *s);

/* ---- stray.c ---- */
/* The endpoint's upcall. */
void stray_pass(void *context, unsigned to, const struct endpoint_stray *stray);

/* ---- globals.c: the registry, for any scheduler's thread ---- */
int globals_claim(struct scheduler *s, const char *name, size_t len, uint64_t serial);
int globals_withdraw(struct scheduler *s, const char *name, size_t len, uint64_t serial);
void globals_withdraw_all(struct scheduler *s, uint64_t serial);
/* holder->node_name is not set: runtime_node_name. */
int globals_whereis(struct scheduler *s, const char *name, size_t len,
                    struct registry_holder *holder);
/* The first global name that it holds, or "". */
void globals_name(struct scheduler *s, uint64_t serial, char name[RUSM_NAME_MAX + 1]);
void globals_init(struct rusm_node *node);
void globals_fini(struct rusm_node *node);
void globals_lock(struct scheduler *s);
void globals_unlock(struct scheduler *s);

/* ---- output.c ---- */
void output_line(struct rusm_node *node, const char *line);

/* ---- serve.c ---- */
/* A request of a peer that another thread works on; it may be gone by then. */
struct served {
    struct list link;     /* in c->served */
    struct connection *c; /* NULL: it is gone */
    uint64_t id;
};
void served_begin(struct served *s, struct connection *c, uint64_t id);
void served_end(struct served *s);            /* before it is freed */
void served_forget_all(struct connection *c); /* it is gone */
/* An exit signal for a process of a sibling's. */
struct killing {
    struct errand errand;
    void (*over)(struct killing *k); /* on the thread that asked; frees it */
    uint64_t serial;
    int error;
    char reason[RUSM_REASON_MAX + 1];
};
/* Fills *k; `over` is called later, unless it fails. RUSM_ENOMEM. */
int serve_killing(struct scheduler *at, struct killing *k, uint64_t serial, const char *reason,
                  void (*over)(struct killing *k));
/* Ends a process of a sibling's for a peer. */
int serve_kill_far(struct connection *c, uint64_t id, uint64_t serial, const char *reason);
/* Starts a process for a peer, on the scheduler whose turn it is. */
int serve_spawn_for(struct connection *c, uint64_t id, const struct spawn *s,
                    const struct rusm_args *args, struct rusm_why *why);
/* The same for whoever asks: fills *s, and `over`, which is to free it, is called at once or later; not
 * if it fails. */
int serve_spawning(struct scheduler *at, struct spawning *s, const struct spawn *spawn,
                   const struct rusm_args *args,
                   void (*over)(struct spawning *s, struct runtime *here), struct rusm_why *why);
/* Of one whose outcome is an error: what to say of it. */
void serve_spawn_failed(const struct rusm_node *node, const struct spawning *s,
                        const char *spawnable, struct rusm_why *why);
/* For a process of ours: asks another node, whose connection is a sibling's, for a spawn. */
int serve_spawn_at(struct scheduler *s, rusm_pid self, uint32_t index, const char *spawnable,
                   const struct rusm_args *args, uint64_t ref);

/* ---- node.c ---- */
uint64_t node_wall_ms(void); /* the wall clock, for hybrid logical time */

/* ---- boot.c ---- */
/* What was booted is to stop, the last first; and whether it has. */
void boot_stop(struct rusm_node *node);
bool boot_stopped(struct rusm_node *node);

/* ---- feed.c ---- */
/* There is something to tell it that waits for room on its control stream. */
void feed_add(struct connection *c);
void feed_room(void *context, struct peer *p);
/* Puts as much on the control streams as there is room for. */
void feed_turn(struct scheduler *s);
/* Our names have changed since. */
bool feed_due(const struct scheduler *s);

/* ---- connection.c ---- */
void connection_events(struct endpoint_events *events);
extern const struct peer_events node_peer_events;
/* Dials the node called `meant`; the connection is in s->connections. */
int connection_dial(struct scheduler *s, const struct resolved *to, const char *meant,
                    struct connection **out);
struct connection *connection_of(const struct peer *p);
/* Requests fail, lanes are freed. Not from within its peer's upcalls. */
void connection_free(struct connection *c);
/* Gives way to another connection of the same node. */
void connection_replace(struct connection *old);
/* By the node index in a pid: a member's current one, or a client's. NULL: not connected. */
struct connection *connection_find(const struct scheduler *s, uint32_t index);

/* ---- hello.c: of peer_events ---- */
enum close_code hello_heard(void *context, struct peer *p, const struct hello *hello);
int hello_adopted(void *context, struct peer *p);
void hello_ready(void *context, struct peer *p);

/* ---- liveness.c ---- */
/* Another incarnation of m wants the place of its current connection, which is asked whether it
 * lives. False: it can't be asked, or one asks already. */
bool liveness_contend(struct connection *c, struct member *m);
void liveness_pong(struct connection *c);
/* There is no contender any more. */
void liveness_settled(struct member *m);
/* The network says that nobody is there: lost unless something is heard within half a second. */
void liveness_doubt(struct connection *c);
/* Decides what is due. Returns when to be called again. */
uint64_t liveness_tick(struct scheduler *s);

/* ---- member.c ---- */
/* Held for what is done with members; if there are several schedulers. Recursive, as a connection's end
 * or readiness comes from within what is done about another. */
void members_init(struct rusm_node *node);
void members_free(struct rusm_node *node); /* after the last connection */
void members_fini(struct rusm_node *node);
void members_lock(struct rusm_node *node);
void members_unlock(struct rusm_node *node);
/* The one after m, the first of all after NULL; NULL: none. Any scheduler, with or without the lock. */
struct member *member_next(struct rusm_node *node, struct member *m);
struct member *member_find(struct rusm_node *node, const char *name, size_t len);
/* Makes it if new, whosever it is; `heard` of a peer, not vouched for. NULL: no memory, or LIMIT_NODE_NAMES. */
struct member *member_get(struct scheduler *s, const char *name, size_t len, bool heard);
/* The run folder's other nodes of our cluster become wanted. */
void members_scan(struct rusm_node *node);
int members_join(struct rusm_node *node, const char *node_at_host_port, struct rusm_why *why);
void member_connected(struct member *m, struct connection *c);
void member_lost(struct member *m, struct connection *c);
/* Tells a newly connected node of the others. */
void members_tell(struct connection *c);
int members_told(struct scheduler *s, const struct frame *frame);

/* ---- dial.c ---- */
void dials_init(struct dials *d);
void dials_fini(struct dials *d);
int dial_add(struct member *m); /* 0 or RUSM_ENOMEM */
void dial_remove(struct member *m);
/* It is connected: what was found out for dialling it is forgotten. */
void dial_done(struct member *m);
/* Are there addresses left to be tried in this attempt? */
bool dial_has_more(const struct member *m);
/* The user vouches for it: it no longer shares LIMIT_DIALS. */
void dial_vouch(struct member *m);
void dial_at(struct member *m, uint64_t at_ns);
/* With backoff. */
void dial_later(struct member *m);
/* One that was under way has ended, either way. */
void dial_ended(struct scheduler *s);
/* Dials who is due. */
void dials_tick(struct scheduler *s);
/* When to be called again. */
uint64_t dials_next_ns(const struct scheduler *s);

/* ---- neighbour.c ---- */
/* Watches the OS process of a member that just connected, if it is in our run folder. */
void neighbour_watch(struct member *m);
void neighbour_forget(struct member *m);

/* ---- hooks.c ---- */
extern const struct runtime_hooks scheduler_runtime_hooks;

/* ---- router.c ---- */
void router_init(struct scheduler *s, uint64_t seed); /* no allocation */
void router_fini(struct scheduler *s);                /* after the last connection */
enum delivery router_deliver(void *context, struct peer *p, struct lane_in *lane,
                             const struct record *record, const uint8_t *payload, void *block,
                             uint32_t wire_bytes);
int router_grant(void *context, struct peer *p, struct lane_in *lane, const struct record *record);
void router_grant_done(void *context, struct peer *p, struct lane_in *lane);
void router_lane_opened(void *context, struct peer *p, struct lane_in *lane);
void router_lane_closed(void *context, struct peer *p, struct lane_in *lane);
void router_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause);
void router_writable(void *context, struct peer *p, uint64_t from);
void router_refused(void *context, struct peer *p, uint64_t from, uint64_t records, int cause);
/* Finds our process of a target. NULL: none, or (*far is its serial, else 0) a sibling's, who knows
 * whether it is there. */
struct rusm_process *router_target(struct scheduler *s, const struct target *target, uint64_t *far);
/* Nothing of `from` in its lanes reaches it now: its mailbox is full, or a large message has its
 * turn. */
bool router_stuck(struct connection *c, rusm_pid from, uint64_t serial);

/* ---- programs.c ---- */
int programs_init(struct programs *p, struct rusm_node *node,
                  struct loop *loop);                                 /* 0, RUSM_ENOMEM */
struct programs *programs_of(struct rusm_node *node, unsigned index); /* scheduler's */
struct port_host *programs_host(const struct rusm_process *self);
/* All of them, of all schedulers. */
bool programs_ended(struct rusm_node *node);
struct port_counters programs_counters(struct rusm_node *node);

/* ---- exits.c ---- */
/* An EXIT frame. */
int exits_frame(struct connection *c, const struct frame *frame);
/* A lane from that process to that one of ours has to wait: what came past it acts. */
void exits_stuck(struct connection *c, uint64_t from, uint64_t to);
/* About once a second: those whose lane has not brought its copy for too long act. */
void exits_tick(struct scheduler *s);
/* The lane's copy with that ref has come to its turn. */
void exits_record(struct connection *c, uint64_t ref);
/* For a post of kind EXIT: the ref that its two copies are to have; 0: there is to be one only. */
uint64_t exits_ref(struct connection *c, const struct post *post);
/* Sends the second one, to a process of that incarnation. */
void exits_send(struct connection *c, const struct post *post, uint64_t ref, uint32_t incarnation);
void exits_free(struct connection *c);

/* ---- rpc.c ---- */
int rpc_request(struct connection *c, const struct frame *frame);
int rpc_reply(struct connection *c, const struct frame *frame);
int rpc_cancel(struct connection *c, const struct frame *frame);
/* Asks for a spawn; RUSM_SPAWNED or RUSM_FAILED goes to `self` later. */
int rpc_spawn(struct connection *c, uint64_t self, const char *spawnable,
              const struct rusm_args *args, uint64_t ref);
/* The behaviour of that name, or `why` there is none. */
int rpc_spawnable(struct scheduler *at, const struct spawn *s, const struct rusm_behaviour **b,
                  struct rusm_why *why);
/* The connection is over: all that was asked fails. */
void rpc_fail_all(struct connection *c);
void rpc_done(struct connection *c, uint64_t id);
void rpc_spawned(struct connection *c, uint64_t id, rusm_pid pid);
/* Answers with a status and a text for a person. */
void rpc_fail(struct connection *c, uint64_t id, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- fault.c ---- */
/* On the calling thread, which runs that runtime, until fault_end, if the program has no SIGSEGV handler: a body that overflows its
 * stack is named. NULL: it has one, or there is no memory. */
struct fault *fault_begin(const struct rusm_node *node, struct runtime *const *runtime);
void fault_end(struct fault *fault); /* NULL: nothing */

/* ---- tables.c, listing.c ---- */
/* All counters now; how many. */
size_t tables_counters(struct rusm_node *node, struct counter counters[COUNTERS_MAX]);
/* Begins a listing; tables_feed sends it. */
void tables_serve(struct connection *c, uint64_t id, uint64_t table);
/* Sends the next of what was asked for. False: nothing was. */
bool tables_feed(struct connection *c);
void tables_cancel(struct connection *c, uint64_t id);
void tables_free(struct connection *c);
/* A listing for whoever is here. NULL: *error is RUSM_EINVAL (no such table) or RUSM_ENOMEM. */
struct listing *tables_open(uint64_t table, int *error);
/* Gives the columns or the next rows to `part`, as in wire/table.h. False: there are no more. While
 * there is a runtime. */
typedef void table_part_fn(void *context, const uint8_t *body, size_t len);
bool tables_next(struct rusm_node *node, struct listing *l, table_part_fn *part, void *context);
void tables_close(struct listing *l); /* NULL is fine */

#endif
