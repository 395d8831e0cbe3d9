/* runtime: the processes of one scheduler: their table, run queue and local names, and the node
 * names that pids refer to. A runtime knows no sockets and no clock. What concerns other nodes
 * leaves by the hooks. What comes from them enters by process_deliver. One thread. The node calls
 * it. A node of several schedulers has a runtime for each, joined by a bridge (sched/sched.h). */
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

/* Somebody whom a mailbox told RUSM_BUSY: a lane or a local sender. When there is room, or the
 * process has ended, the runtime unlinks the waiter and calls `ready`, once, outside of any
 * behaviour. The one who waits owns the waiter, calls list_init on its link first, and may unlink
 * it with list_remove at any time. */
struct waiter {
    struct list link;
    void (*ready)(struct waiter *w);
    size_t len;              /* length of the message that waits */
    rusm_pid from;           /* its sender, for attach */
    struct rusm_process *at; /* the process that it waits for, while linked */
};

struct runtime_options {
    const char *node; /* this node's name */
    uint32_t incarnation;
    uint32_t mailbox_messages;
    uint64_t mailbox_bytes;
    uint64_t seed;
    struct blocks *blocks;      /* kept; spare memory of large messages; NULL: none */
    const struct log *log;      /* borrowed for life */
    const atomic_bool *watched; /* borrowed for life; there are observers; NULL: never */
    const struct runtime_hooks *hooks;
    void *context;
    /* Only with several schedulers: bridge_runtime_new sets these. Kept. */
    struct names *names; /* shared local names; NULL: the runtime makes a table of its own */
    struct node_names *node_names; /* what all schedulers know of nodes; NULL: one scheduler only */
    unsigned bits; /* low bits of a serial that say which scheduler has the process */
};

/* ---- life ---- */
/* Makes a runtime. Returns 0, RUSM_EINVAL if options->node is not a node's name, or RUSM_ENOMEM. */
int runtime_new(struct runtime **out, const struct runtime_options *options);
/* Ends all processes, as runtime_free does. Nothing can be spawned after it. What still arrives for
 * the processes has no effect. */
void runtime_close(struct runtime *rt);
/* Ends all processes (reason "shutdown", newest first, hooks called) and frees the runtime. NULL is
 * fine. */
void runtime_free(struct runtime *rt);

/* Runs ready processes until none is ready or `budget` messages were handled, then wakes waiters.
 * Returns whether some are still ready. */
bool runtime_run(struct runtime *rt, unsigned budget, uint64_t now_ns);
bool runtime_ready(const struct runtime *rt);
/* Returns when runtime_run is due because a process wakes from its sleep or a timer or timeout is
 * due. UINT64_MAX: nothing is set. */
uint64_t runtime_next_ns(const struct runtime *rt);
struct message_pool *runtime_pool(struct runtime *rt);

/* Returns the number of the scheduler whose process has that serial. Returns this scheduler's
 * number too if no scheduler can have it. */
unsigned runtime_whose(const struct runtime *rt, uint64_t serial);

/* Returns which scheduler has the connections with that node. Scheduler 0 has those with clients.
 * All nodes share connections out in the same way: id_node_share of the node's name, modulo the
 * number of schedulers. */
unsigned runtime_node_scheduler(const struct runtime *rt, uint32_t index);

/* ---- spawnables and processes ---- */
/* Teaches the runtime a behaviour under a name. Keeps behaviour. Returns 0, RUSM_EEXIST,
 * RUSM_ELIMIT, RUSM_EINVAL if it is not a name, or RUSM_ENOMEM. */
int runtime_teach(struct runtime *rt, const char *name, const struct rusm_behaviour *behaviour);
const struct rusm_behaviour *runtime_spawnable(struct runtime *rt, const char *name, size_t len);
/* builtin_find returns a built-in behaviour by name (echo greeter sink crash relay bounce), or NULL
 * if there is none. */
const struct rusm_behaviour *builtin_find(const char *name);
const struct rusm_behaviour *const *builtin_all(void); /* NULL-terminated */

/* Checks the number and length of a spawn's arguments. Returns 0 or RUSM_ELIMIT. */
int runtime_check_args(const struct rusm_args *args);
/* Starts a process. *why gets the text of a failed init; why may be NULL. Returns 0, RUSM_EINIT,
 * RUSM_ELIMIT, RUSM_ECLOSED after runtime_close, RUSM_EINVAL if a stack may not be that large, or
 * RUSM_ENOMEM. */
int runtime_spawn(struct runtime *rt, const struct rusm_behaviour *behaviour,
                  const struct rusm_args *args, rusm_pid *pid, struct rusm_why *why,
                  uint64_t now_ns);
/* Ends a process, at once or when the running handler returns, whatever the reason and whether it
 * traps or not. The reason "kill" becomes "killed". Returns 0 or RUSM_ENOPROC. */
int runtime_kill(struct runtime *rt, uint64_t serial, const char *reason);
/* Gives a process an exit signal from outside, as rusm_kill does: from another node's process or
 * from none (serial 0). It takes effect at once or when the running handler returns. Returns 0 or
 * RUSM_ENOPROC. */
int runtime_exit(struct runtime *rt, uint64_t serial, rusm_pid from, const char *reason);
/* Sends for self, a process of scheduler 0, to an address in text as rusm_send_to does, or, with
 * global, to a global name only. With RUSM_SEND, hooks->receipt tells when the message is in the
 * mailbox, or that it never will be. It may do so before this returns, but does not if this returns
 * an error. With RUSM_EXIT the target must not be a process of this scheduler (RUSM_EINVAL), and
 * receipt must be 0. */
int runtime_send(struct rusm_process *self, enum rusm_kind kind, const char *address, bool global,
                 const void *data, size_t len, uint64_t receipt);
/* Tells hooks->trace of each message of a process from now on, until that returns false. Returns
 * whether there is such a process. */
bool runtime_trace(struct runtime *rt, uint64_t serial);
/* Tells a process that it may try again what was RUSM_BUSY for it; serial 0: tells all processes.
 * Does nothing for a process that no post was RUSM_BUSY for since the last time. */
void runtime_writable(struct runtime *rt, rusm_pid pid);

/* ---- names, also of another scheduler's processes ---- */
int runtime_register_global(struct runtime *rt, rusm_pid pid, const char *name);
int runtime_register(struct runtime *rt, uint64_t serial, const char *name, size_t len);
int runtime_unregister(struct runtime *rt, const char *name, size_t len);

/* ---- delivery from the network ----
 * A lane looks its target up once, and again when runtime_epoch has changed. Every end of a process
 * and every change of a name raises the epoch. The pointer is valid while the epoch stays the
 * same. */
uint64_t runtime_epoch(const struct runtime *rt);
struct rusm_process *runtime_find(struct runtime *rt, uint64_t serial);
/* Returns the process that has a name, or NULL. Sets *serial to the holder's serial, also if it is
 * another scheduler's process (then it returns NULL), or to 0 if nobody has the name. */
struct rusm_process *runtime_find_name(struct runtime *rt, const char *name, size_t len,
                                       uint64_t *serial);
uint64_t process_serial(const struct rusm_process *p);
/* Returns whether there is room for a message of len bytes now. Signals (DOWN, REPLY ...) always
 * find room. */
bool process_has_room(const struct rusm_process *p, size_t len);
/* What is known of a message from elsewhere before it gets to the mailbox. All pointers are
 * borrowed. */
struct arrival {
    enum rusm_kind kind;
    const void *data; /* of an EXIT: its reason */
    size_t len;
    rusm_pid from;  /* for attach: who waits if there is no room */
    bool unordered; /* RUSM_UNORDERED: its sender does not wait */
    bool urgent;    /* an EXIT whose other copy is in a lane */
};
enum admission {
    ADMIT_TAKE,   /* make a message of it, process_deliver it, give a receipt if wanted */
    ADMIT_HOLD,   /* no room: keep it and all that is behind it; the waiter is told */
    ADMIT_REFUSE, /* no room, and it does not wait: count as overflow, say RUSM_BUSY */
    ADMIT_DROP,   /* it has no effect here: free it */
};
/* Decides what becomes of a message for p. No other function does. SEND, CALL and an EXIT that p
 * traps need room (process_has_room). A REPLY finds room in a full mailbox, because p asked for it,
 * but only up to LIMIT_MAILBOX_REPLIES, because a peer may send replies that nobody asked for. All
 * other signals always find room: there are only as many as links, monitors and calls. An urgent
 * EXIT that p traps is dropped: its copy in the lane becomes the message. w waits if there is no
 * room; NULL: nobody waits. */
enum admission process_admit(struct rusm_process *p, const struct arrival *a, struct waiter *w);
/* Delivers m to p. Takes m. p must have room for it, unless m is a signal or a reply. A CALL also
 * makes a monitor on p, under the call's ref, until the reply. A REPLY is dropped and counted if
 * its ref is not, or no longer, one of p's calls. A DOWN is dropped if it belongs to no call and no
 * monitor of p on that node, a LINK_EXIT if p is not linked with its sender. An EXIT or LINK_EXIT
 * that p does not trap takes effect in the next runtime_run. */
void process_deliver(struct rusm_process *p, struct message *m);
/* Makes w wait for room at p. After p took messages, waiters are woken first come, first served, as
 * many as there are free slots. A waiter that gives its message's length (process_wait_for) is
 * woken only when that fits. Until then process_has_room refuses everyone else, so small messages
 * never starve a large one. process_wait is process_wait_for with length 0. `ready` may deliver at
 * once, or later in that tick. A waiter that waits here already keeps its place. */
void process_wait(struct rusm_process *p, struct waiter *w);
void process_wait_for(struct rusm_process *p, struct waiter *w, size_t len);
/* Returns whether an exit signal with this reason becomes a message for p, which takes room in its
 * mailbox. */
bool process_traps(const struct rusm_process *p, const char *reason, size_t len);
/* Makes p receive RUSM_WRITABLE, or the message that it holds, in the next runtime_run. For
 * behaviours that also have work from elsewhere, such as a descriptor. Called outside of
 * behaviours, or by p's own. */
void process_wake(struct rusm_process *p);
/* Holds as rusm_hold does, until process_wake or a RUSM_WRITABLE. With `unasked`, also until a
 * watcher of self unsubscribes, such as a caller that has no answer yet and waits no longer. */
void process_hold(struct rusm_process *self, bool unasked);
/* Returns whether the caller of that RUSM_CALL still waits for self's answer. */
bool process_asked(const struct rusm_process *self, rusm_pid caller, uint64_t ref);
/* Return the context of the runtime's hooks, and the number of the runtime's scheduler. */
void *process_context(const struct rusm_process *self);
unsigned process_scheduler(const struct rusm_process *self);
/* process_monitor makes a monitor on p, of another node's process too: its DOWN goes to `watcher`
 * by a post. Returns 0 (also if that monitor is there already), RUSM_EEXIST if the ref is taken by
 * a monitor on another process, RUSM_ELIMIT or RUSM_ENOMEM. runtime_demonitor withdraws a
 * monitor. */
int process_monitor(struct rusm_process *p, rusm_pid watcher, uint64_t ref);
void runtime_demonitor(struct runtime *rt, rusm_pid watcher, uint64_t ref);
/* Takes a LINK, UNLINK, UNLINKED, MONITOR or DEMONITOR of another node's process. p is NULL if
 * nobody is there; then `to` says who was meant (serial 0: a name). Posts the answer, if there is
 * one. Returns 0, RUSM_ENOPROC, RUSM_ELIMIT, RUSM_ENOMEM or RUSM_EEXIST. */
int runtime_signal(struct runtime *rt, struct rusm_process *p, rusm_pid to, enum rusm_kind kind,
                   rusm_pid from, uint64_t ref);
/* Tells that a node (not a client) is connected. Called before anything from it is delivered.
 * Returns 0, or RUSM_ENOMEM if not all schedulers could be told. */
int runtime_node_up(struct runtime *rt, uint32_t node, uint32_t incarnation);
/* Ends everything of a lost node or client. Its watchers are forgotten. Processes here that monitor
 * something there get DOWN noconnection, linked ones that exit signal. Those that watch nodes are
 * told last. */
void runtime_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation);
/* runtime_gap notes that something that a process sent may be lost now; `records` of its messages
 * are certainly not acknowledged. runtime_gaps_tell follows when all was noted: it tells the
 * processes that asked for it. */
void runtime_gap(struct runtime *rt, uint64_t serial, uint64_t records);
bool runtime_gaps_wanted(const struct runtime *rt); /* false: no process asked for it */
void runtime_gaps_tell(struct runtime *rt, uint32_t node, uint32_t incarnation, int error);

/* ---- node names ---- */
/* Gives the index of a name; 0 is this node. Makes one if the name is new. Returns 0, RUSM_EINVAL,
 * RUSM_ELIMIT or RUSM_ENOMEM. */
int runtime_node_index(struct runtime *rt, const char *name, size_t len, uint32_t *index);
/* Does what runtime_node_index does, for a name that a peer said: LIMIT_NODE_NAMES_OWN. */
int runtime_node_heard(struct runtime *rt, const char *name, size_t len, uint32_t *index);
const char *runtime_node_name(const struct runtime *rt, uint32_t index); /* NULL: no such index */
/* runtime_client_up gives an index for a client while it is connected. Returns 0, RUSM_ELIMIT or
 * RUSM_ENOMEM. runtime_client_down gives it back. runtime_node_lost must come before that. */
int runtime_client_up(struct runtime *rt, uint32_t *index);
void runtime_client_down(struct runtime *rt, uint32_t index);

/* runtime_overflow returns whether a fault at that address means that the body that runs has used
 * up its stack, and says whose body it is. Safe in a signal handler on the runtime's thread. rt may
 * be NULL. */
struct overflow {
    uint64_t serial;
    const char *behaviour; /* the behaviour's name */
    size_t stack_bytes;
};
bool runtime_overflow(const struct runtime *rt, const void *address, struct overflow *out);

/* ---- for attach ---- */
struct process_info {
    uint64_t serial;
    const char *name; /* first registered name; "" if none; borrowed */
    const char *behaviour;
    const char *state; /* "waiting", "ready", "running", "holding", "exiting" */
    uint64_t mailbox, received, memory, links, age_ns;
};
void process_info(const struct rusm_process *p, struct process_info *out, uint64_t now_ns);
uint64_t runtime_now_ns(const struct runtime *rt); /* the time of this tick */
/* What a process has to do with another one, with a name of its own, or with a message. */
struct process_relation {
    const char *relation; /* "name", "link", "monitors", "monitored_by", "waits_for" (for room in
                             the mailbox of pid), "waiting" (pid, for room here), "message" */
    rusm_pid pid;         /* the other one, or the sender; serial 0: none, or not known */
    const char *name;     /* "name": a name; else one of the other's, as far as known; or "" */
    uint64_t bytes;       /* "waiting" and "message": its length */
};
typedef void process_relation_fn(void *context, const struct process_relation *relation);
/* Calls `each` for the relations of a process, for up to `most` of each kind, in the order above.
 * Of messages it shows the next ones. */
void process_relations(const struct rusm_process *p, size_t most, process_relation_fn *each,
                       void *context);
/* Returns the next process after that serial, in order of serial, or NULL. serial 0 gives the first
 * one. O(1) amortized. */
struct rusm_process *runtime_next(struct runtime *rt, uint64_t serial);
size_t runtime_count(const struct runtime *rt);
/* Walk the names and the spawnables until the callback returns non-zero. Called again with the same
 * cursor, runtime_each_name goes on behind the last name. */
struct name_cursor { /* starts as { 0 } */
    uint64_t serial; /* of the process whose names come next */
    size_t skip;     /* how many of its names were shown */
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
    uint64_t processes_restarted; /* in place of one that ended, by a supervisor */
    uint64_t messages_held;       /* from elsewhere: they found the mailbox full, and wait */
    uint64_t mailbox_discarded;   /* in a mailbox when its process ended */
    uint64_t noproc_local, busy_local;
    uint64_t replies_late; /* replies to calls that were over */
    uint64_t handlers_long;
    uint64_t children_down; /* booted processes that must run and do not, now */
    /* Messages from another scheduler that a full mailbox refused, and messages to a node without a
     * connection. */
    uint64_t overflow, noconnection;
};
const struct runtime_counters *runtime_counters(const struct runtime *rt);

#endif
