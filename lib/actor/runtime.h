/* runtime: the processes of one scheduler: table, run queue, local names, and the node names that
 * pids refer to. It knows no sockets and no clock. What concerns other nodes leaves by the hooks;
 * what comes from them enters by process_deliver. One thread; the node calls it. A node of several
 * schedulers has a runtime for each, joined by a bridge (sched/sched.h). */
#ifndef ACTOR_RUNTIME_H
#define ACTOR_RUNTIME_H

#include <stdatomic.h>

#include "actor/hooks.h"
#include "actor/message.h"
#include "base/list.h"
#include "base/log.h"
#include "rusm.h"

struct runtime;
struct rusm_process;
struct names;
struct node_names;

/* Someone who was told RUSM_BUSY by a mailbox (a lane, a local sender). When there is room, or the
 * process has ended, it is unlinked and `ready` called, once, outside of any behaviour. Owned by
 * who waits; list_init'ed link; may be unlinked at any time with list_remove. */
struct waiter {
    struct list link;
    void (*ready)(struct waiter *w);
    size_t len;              /* of the message that waits */
    struct rusm_process *at; /* where it waits, while linked */
};

struct runtime_options {
    const char *node; /* this node's name */
    uint32_t incarnation;
    uint32_t mailbox_messages;
    uint64_t mailbox_bytes;
    uint64_t seed;
    struct blocks *blocks;      /* kept: spare memory of large messages; NULL: none */
    const struct log *log;      /* borrowed for life */
    const atomic_bool *watched; /* borrowed for life: the event hook is wanted; NULL: never */
    const struct runtime_hooks *hooks;
    void *context;
    /* Of several schedulers only: bridge_runtime_new sets it. Kept. */
    struct names *names;           /* of all schedulers' processes; NULL: a table of its own */
    struct node_names *node_names; /* what all schedulers know of nodes; NULL: it is alone */
    unsigned bits;                 /* of a serial that say whose it is */
};

/* ---- life ---- */
int runtime_new(struct runtime **out, const struct runtime_options *options); /* or RUSM_ENOMEM */
/* Ends all processes, as runtime_free does; no more can be spawned. What is for them still comes to
 * nothing. */
void runtime_close(struct runtime *rt);
/* Ends all processes (reason "shutdown", newest first, hooks called), frees. NULL is fine. */
void runtime_free(struct runtime *rt);

/* Runs ready processes until none is or `budget` messages were handled, then wakes waiters.
 * Returns true if some are still ready. */
bool runtime_run(struct runtime *rt, unsigned budget, uint64_t now_ns);
bool runtime_ready(const struct runtime *rt);
/* When a process that sleeps goes on: runtime_run is due then. UINT64_MAX: none sleeps. */
uint64_t runtime_next_ns(const struct runtime *rt);
struct message_pool *runtime_pool(struct runtime *rt);

/* Whose process has that serial; this one's number: its own, or nobody's. */
unsigned runtime_whose(const struct runtime *rt, uint64_t serial);

/* Which scheduler has the connections with that node; those with clients are scheduler 0's. All
 * share them in the same way: id_node_share of the node's name, of their count. */
unsigned runtime_node_scheduler(const struct runtime *rt, uint32_t index);

/* ---- spawnables and processes ---- */
/* Keeps behaviour. RUSM_EEXIST, RUSM_ELIMIT, RUSM_EINVAL (not a name), RUSM_ENOMEM. */
int runtime_teach(struct runtime *rt, const char *name, const struct rusm_behaviour *behaviour);
const struct rusm_behaviour *runtime_spawnable(struct runtime *rt, const char *name, size_t len);
/* Built-in behaviours by name (echo greeter sink crash relay bounce); NULL: none such. The last of
 * the list has name NULL. */
const struct rusm_behaviour *builtin_find(const char *name);
const struct rusm_behaviour *const *builtin_all(void); /* NULL-terminated */

/* What a spawn may be given: 0 or RUSM_ELIMIT. */
int runtime_check_args(const struct rusm_args *args);
/* why may be NULL; gets the init's text. RUSM_EINIT, RUSM_ELIMIT, RUSM_ENOMEM. */
int runtime_spawn(struct runtime *rt, const struct rusm_behaviour *behaviour,
                  const struct rusm_args *args, rusm_pid *pid, struct rusm_why *why,
                  uint64_t now_ns);
/* Ends it, at once or when the running handler returns, with any reason and whether it traps or
 * not; "kill" becomes "killed". RUSM_ENOPROC. */
int runtime_kill(struct runtime *rt, uint64_t serial, const char *reason);
/* An exit signal from outside, of another node's process or of none (serial 0): as rusm_kill's. Its
 * effect is at once, or when the running handler returns. RUSM_ENOPROC. */
int runtime_exit(struct runtime *rt, uint64_t serial, rusm_pid from, const char *reason);
/* For a process of scheduler 0's: sends to an address in text as rusm_send_to does, or to a global
 * name alone. RUSM_SEND, whose receipt hooks->receipt tells: when it is in the mailbox, or that it
 * never will be; perhaps before this returns, but not if this is an error. Or RUSM_EXIT, to
 * another node's, without a receipt (0). */
int runtime_send(struct rusm_process *self, enum rusm_kind kind, const char *address, bool global,
                 const void *data, size_t len, uint64_t receipt);
/* Tells a process that a post that was RUSM_BUSY may be tried again; serial 0: tells all. Nothing
 * for one that none was RUSM_BUSY for since the last time. */
void runtime_writable(struct runtime *rt, rusm_pid pid);

/* ---- names; of another scheduler's process too ---- */
int runtime_register_global(struct runtime *rt, rusm_pid pid, const char *name);
int runtime_register(struct runtime *rt, uint64_t serial, const char *name, size_t len);
int runtime_unregister(struct runtime *rt, const char *name, size_t len);

/* ---- delivery from the network ----
 * A lane resolves its target once and again when runtime_epoch has changed (raised by every
 * process's end and every change of a name). The pointer is valid while the epoch stays. */
uint64_t runtime_epoch(const struct runtime *rt);
struct rusm_process *runtime_find(struct runtime *rt, uint64_t serial);
/* *serial: of its holder, which may be another scheduler's: then NULL. 0: nobody has it. */
struct rusm_process *runtime_find_name(struct runtime *rt, const char *name, size_t len,
                                       uint64_t *serial);
uint64_t process_serial(const struct rusm_process *p);
/* Is there room for a message of len bytes now? Signals (DOWN, REPLY …) always find room. */
bool process_has_room(const struct rusm_process *p, size_t len);
/* What is known of a message that came from elsewhere, before it meets the mailbox. All
 * borrowed. */
struct arrival {
    enum rusm_kind kind;
    const void *data; /* of an EXIT: its reason */
    size_t len;
    bool unordered; /* RUSM_UNORDERED: its sender does not wait */
    bool urgent;    /* an EXIT whose other copy is in a lane */
};
enum admission {
    ADMIT_TAKE,   /* make a message of it, process_deliver it, give a receipt if one is wanted */
    ADMIT_HOLD,   /* there is no room: keep it, and all that is behind it. The waiter is told */
    ADMIT_REFUSE, /* there is no room, and it does not wait: count it as overflow, say RUSM_BUSY */
    ADMIT_DROP,   /* it has no effect here: free it */
};
/* Decides how a message meets a mailbox; the only place that does. SEND, CALL and an EXIT that p
 * traps need room (process_has_room). A REPLY finds room in a full mailbox, as it was asked for,
 * up to LIMIT_MAILBOX_REPLIES, as a peer may send some that were not. All other signals find room
 * always: there are as many as links, monitors and calls. An urgent EXIT that p traps is dropped:
 * its copy in the lane becomes the message. w: who waits if there is no room; NULL: nobody does. */
enum admission process_admit(struct rusm_process *p, const struct arrival *a, struct waiter *w);
/* Takes m. Must have room unless m is a signal or a reply. A CALL is a monitor on p too, under its
 * ref, until the reply. A REPLY whose ref is not (or no longer) one of p's calls is dropped and
 * counted, a DOWN dropped when it is none of its calls and monitors on that node, a LINK_EXIT of
 * one that p is not linked with too. EXIT and LINK_EXIT that p does not trap end it in the next
 * runtime_run. */
void process_deliver(struct rusm_process *p, struct message *m);
/* Waiters are woken first come, first served, after p took messages: as many as there are free
 * slots. One that names its message's length is woken only when that fits, and until it was
 * process_has_room refuses everyone else, so that a large message is never starved by small ones
 * (process_wait is process_wait_for with 0). `ready` may deliver at once, or later that tick. One
 * that waits here already keeps its place. */
void process_wait(struct rusm_process *p, struct waiter *w);
void process_wait_for(struct rusm_process *p, struct waiter *w, size_t len);
/* Does an exit signal with this reason become a message for p, which takes room in its mailbox? */
bool process_traps(const struct rusm_process *p, const char *reason, size_t len);
/* For behaviours that have work from elsewhere too, such as a descriptor: p is received
 * RUSM_WRITABLE, or what it holds, in the next runtime_run. Outside of behaviours, or of itself. */
void process_wake(struct rusm_process *p);
/* As rusm_hold, until process_wake or a RUSM_WRITABLE, or, with `unasked`, until a caller that has
 * no answer of it yet waits no longer. */
void process_hold(struct rusm_process *self, bool unasked);
/* Does the caller of that RUSM_CALL still wait for self's answer? */
bool process_asked(const struct rusm_process *self, rusm_pid caller, uint64_t ref);
/* The context of the runtime's hooks, and which of its schedulers the runtime is. */
void *process_context(const struct rusm_process *self);
unsigned process_scheduler(const struct rusm_process *self);
/* Another node's monitor on p, or its withdrawal; DOWN goes to `watcher` through post. 0 (also for
 * the same one again), RUSM_EEXIST (the ref is taken by one on another process), RUSM_ELIMIT,
 * RUSM_ENOMEM. */
int process_monitor(struct rusm_process *p, rusm_pid watcher, uint64_t ref);
void runtime_demonitor(struct runtime *rt, rusm_pid watcher, uint64_t ref);
/* LINK, UNLINK, UNLINKED, MONITOR or DEMONITOR of another node's process. p NULL: nobody is there,
 * and `to` is who was meant (serial 0: a name). What is to be answered is posted. 0, RUSM_ENOPROC,
 * RUSM_ELIMIT, RUSM_ENOMEM, RUSM_EEXIST. */
int runtime_signal(struct runtime *rt, struct rusm_process *p, rusm_pid to, enum rusm_kind kind,
                   rusm_pid from, uint64_t ref);
/* A node (not a client) is connected: before anything of it is delivered. RUSM_ENOMEM: not all
 * schedulers could be told. */
int runtime_node_up(struct runtime *rt, uint32_t node, uint32_t incarnation);
/* All of a lost node or client: its watchers are forgotten; processes here that monitor something
 * there get DOWN noconnection, linked ones that exit signal, and last who watches nodes is told. */
void runtime_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation);
/* That process has something under way that may be lost now, with so many messages for sure not
 * acknowledged; then, when all was said: who asked for it is told. */
void runtime_gap(struct runtime *rt, uint64_t serial, uint64_t records);
bool runtime_gaps_wanted(const struct runtime *rt); /* false: nobody asked */
void runtime_gaps_tell(struct runtime *rt, uint32_t node, uint32_t incarnation, int error);

/* ---- node names ---- */
/* Index of a name, made if new; 0 is our own. RUSM_EINVAL, RUSM_ELIMIT, RUSM_ENOMEM. */
int runtime_node_index(struct runtime *rt, const char *name, size_t len, uint32_t *index);
/* The same for a name that a peer said: LIMIT_NODE_NAMES_OWN. */
int runtime_node_heard(struct runtime *rt, const char *name, size_t len, uint32_t *index);
const char *runtime_node_name(const struct runtime *rt, uint32_t index); /* NULL: none such */
/* An index for a client while it is connected; runtime_node_lost before its end. RUSM_ELIMIT,
 * RUSM_ENOMEM. */
int runtime_client_up(struct runtime *rt, uint32_t *index);
void runtime_client_down(struct runtime *rt, uint32_t index);

/* The fault at that address is that of a body whose stack is full: whose it is. Safe in a signal
 * handler on the runtime's thread; rt may be NULL. */
struct overflow {
    uint64_t serial;
    const char *behaviour; /* its name */
    size_t stack_bytes;
};
bool runtime_overflow(const struct runtime *rt, const void *address, struct overflow *out);

/* ---- for attach ---- */
struct process_info {
    uint64_t serial;
    const char *name; /* first registered name; "" if none; borrowed */
    const char *behaviour;
    const char *state; /* "waiting", "ready", "running" */
    uint64_t mailbox, received, memory, links, age_ns;
};
void process_info(const struct rusm_process *p, struct process_info *out, uint64_t now_ns);
/* In order of serial; start with serial 0: the next process after it, or NULL. O(1) amortized. */
struct rusm_process *runtime_next(struct runtime *rt, uint64_t serial);
size_t runtime_count(const struct runtime *rt);
/* Names, spawnables, each until the callback returns non-zero; names go on behind that one if
 * called again. */
struct name_cursor { /* starts as { 0 } */
    uint64_t serial; /* of the process whose names are next */
    size_t skip;     /* of these, so many were shown */
};
void runtime_each_name(struct runtime *rt, struct name_cursor *at,
                       int (*each)(void *context, const char *name, uint64_t serial),
                       void *context);
void runtime_each_spawnable(struct runtime *rt,
                            int (*each)(void *context, const char *name,
                                        const struct rusm_behaviour *behaviour),
                            void *context);

struct runtime_counters {
    uint64_t processes_started, processes_ended, messages_handled, messages_local;
    uint64_t mailbox_discarded; /* in a mailbox when its process ended */
    uint64_t noproc_local, busy_local;
    uint64_t replies_late; /* to calls that were over */
    uint64_t handlers_long;
    uint64_t overflow,
        noconnection; /* of what came from another scheduler, or was meant for another node */
};
const struct runtime_counters *runtime_counters(const struct runtime *rt);

#endif
