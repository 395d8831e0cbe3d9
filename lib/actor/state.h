/* state: the two structs that the files of this room share, a runtime and a process. No file
 * outside the room includes this, except those of sched and otp. One thread. */
#ifndef ACTOR_STATE_H
#define ACTOR_STATE_H

#include <stdalign.h>

#include "actor/context.h"
#include "actor/mailbox.h"
#include "actor/nodes.h"
#include "actor/names.h"
#include "actor/runtime.h"
#include "actor/slab.h"
#include "actor/spawnables.h"
#include "actor/process_table.h"
#include "actor/stack.h"
#include "actor/wheel.h"
#include "base/heap.h"

/* Something that ends with its process: a timer or a call. */
struct owned {
    struct list link;                                             /* in the process's `owned` */
    void (*end)(struct rusm_process *owner, struct owned *owned); /* must unlink and free it */
};

/* Timers by place: actor/timer.c. */
struct timers {
    struct timer **chunk; /* chunk[0..chunks) */
    size_t chunks, count;
    struct list free;
};

/* What a process may have that must be undone when it ends, in the order in which it is undone. A
 * process has few of these parts, and its end costs only those. */
enum process_part {
    PART_NAMES,    /* names.c */
    PART_WAITS,    /* wait.c: it waits for room, or others wait for its room */
    PART_SLEEP,    /* sleep.c */
    PART_OWNED,    /* struct owned */
    PART_BODY,     /* coroutine.c */
    PART_NODES,    /* signal.c: it is told of nodes */
    PART_GAPS,     /* gap.c */
    PART_MAILBOX,  /* always undone; no later part may put a message into it */
    PART_MONITORS, /* monitor.c: it watches, or others watch it */
    PART_LINKS,    /* link.c */
    PARTS,
};

/* Functions of later files that process.c, coroutine.c and monitor.c call. */
struct process_parts {
    void (*end[PARTS])(struct rusm_process *p);           /* by enum process_part */
    void (*took_timer)(struct runtime *rt, uint64_t ref); /* a RUSM_TIMER left the mailbox */
    void (*writable_begins)(struct rusm_process *p);      /* it is about to handle RUSM_WRITABLE */
    void (*writable_done)(struct rusm_process *p);        /* it has handled RUSM_WRITABLE */
    /* Takes a DOWN if it is the outcome of a call. Returns whether it was. */
    bool (*takes_down)(struct rusm_process *p, uint64_t ref, uint32_t node, const char *reason,
                       size_t len);
};

/* A process. There may be a million idle ones: keep it below 300 bytes. */
struct rusm_process {
    struct runtime *rt;
    uint64_t serial;
    struct rusm_process *chain; /* next in the table's bucket */
    struct list run;            /* in the run queue, or in the dying list */
    struct mailbox mailbox;
    const struct rusm_behaviour *behaviour;
    void *state;           /* the behaviour's */
    struct coroutine *co;  /* not NULL: it has a stack of its own (actor/coroutine.h) */
    const char *reason;    /* not NULL: it must end, and why */
    bool running;          /* in a batch, in init or in stop: must not be queued or ended */
    bool receiving;        /* in receive: it may hold */
    bool holding;          /* takes nothing until writable */
    bool writable;         /* must be told RUSM_WRITABLE */
    bool holding_head : 1; /* holds the message at the mailbox's head */
    bool busy : 1;         /* a mailbox here was full for it since it last was writable */
    bool busy_far : 1;     /* a post was RUSM_BUSY: runtime_writable must follow */
    bool reason_owned : 1; /* reason is a heap block */
    bool trapping : 1;     /* exit signals become messages */
    bool nodes_told : 1;   /* in the runtime's node_watches */
    bool gaps_told : 1;    /* in the runtime's gaps */
    bool unasked : 1;      /* holds until a watcher unsubscribes */
    bool global : 1;       /* may have global names */
    bool traced : 1;       /* the trace hook is told of its messages */
    uint16_t parts;        /* a bit for each enum process_part that it has or had */
    struct list all;       /* in the table's list */
    struct list waiters;   /* struct waiter: those who wait for room in its mailbox */
    struct list waits;     /* struct wait: room that it waits for or was granted */
    struct list wake;      /* in the runtime's `wake`: its waiters must be looked at */
    struct sleep *sleep;   /* not NULL: it is woken at a time (actor/sleep.h) */
    struct list names;     /* struct process_name */
    struct list owned;     /* struct owned */
    struct list watchers;  /* struct monitor by at_target: those that watch it */
    struct list watching;  /* struct monitor by at_watcher: those that it watches */
    struct list *links;    /* ring of struct link_end (actor/link.c); NULL: none */
    uint32_t watcher_count, watching_count;
    uint64_t received; /* messages handled */
    uint64_t started_ns;
};

/* How many events of traced processes may be told: actor/trace.h. */
struct trace_budget {
    uint64_t ms;      /* when `room` was last raised */
    uint64_t room;    /* events that may be told now */
    uint64_t missing; /* events that were not told since the last one that was */
};

/* The state of one scheduler's processes. Its scheduler writes it all the time. */
struct runtime {
    /* Cache lines of its own: other schedulers write theirs all the time. */
    alignas(64) struct process_table processes_by_serial;
    struct list run;     /* ready processes */
    struct list dying;   /* processes that must end and are not running */
    struct list wake;    /* processes that took messages and have waiters */
    struct list waking;  /* those of `wake` that wait_wake works on */
    struct list orphans; /* struct waiter: waited for a process that has ended */
    struct list unsent;  /* struct node_name: nodes with signals that wait (actor/exit_notice.h) */
    struct map exit_notices;                   /* struct exit_notice, the first of its pair */
    struct exit_notice *exit_notice_now;       /* the one that is being posted again */
    struct exit_notice_text *exit_notice_text; /* the last one kept */
    struct list node_watches; /* struct node_watch: processes that are told of all nodes */
    struct map gaps;          /* struct gap: processes told of messages that may not have arrived */
    struct list gaps_open;    /* those of `gaps` that have something to tell */
    struct message_pool *pool;
    struct mailbox_limits limits;
    struct names *names; /* the node's local names */
    struct spawnables spawnables;
    struct nodes nodes;
    struct map monitors;  /* struct monitor by watcher and ref */
    struct map links;     /* struct link by its two ends */
    struct map waits;     /* struct wait by the serials of who waits and of its target */
    struct heap sleeping; /* struct sleep */
    struct map calls;     /* struct call by ref */
    struct map watches;   /* struct watch by ref */
    struct wheel wheel;   /* timers, deadlines of calls and of rusm_receive */
    struct timers timers;
    struct stacks stacks; /* stacks of coroutines */
    struct context main;  /* the scheduler, while a coroutine runs */
    /* The coroutine that runs; else NULL. */
    struct coroutine *inside;
    struct slab processes, monitor_slab, link_slab, wait_slab, sleep_slab, call_slab,
        coroutine_slab, exit_notice_slab;
    const struct log *log;
    const struct runtime_hooks *hooks;
    const struct process_parts *parts;
    const struct far_hooks *far; /* NULL: there are no other schedulers */
    const atomic_bool *watched;  /* as in runtime_options */
    void *context;
    struct side *side;   /* lib/sched's part of the runtime; NULL: no other schedulers */
    uint64_t gathered;   /* a bit for each scheduler that far->flush has messages for */
    unsigned schedulers; /* schedulers of the node, including this one */
    unsigned index;      /* number of this scheduler */
    unsigned bits;       /* low bits of a serial that say whose process it is */
    uint64_t mask;       /* mask of those bits */
    uint64_t serial;     /* the last serial given */
    uint64_t ref;        /* the last ref given */
    uint64_t epoch;
    uint64_t now_ns;   /* time of this tick */
    uint64_t clock_ns; /* when the process that runs now began to run */
    uint32_t incarnation;
    unsigned depth;            /* behaviour functions on the stack */
    unsigned init_depth;       /* inits among them */
    bool reaping;              /* in runtime_reap */
    bool closing;              /* runtime_close was called */
    struct rusm_process *init; /* whose init runs now (innermost) */
    int init_error; /* what the last init that failed returned; 0: it ended its process */
    struct rusm_why *init_why; /* where its rusm_init_error goes */
    struct trace_budget trace;
    struct runtime_counters counters;
};

/* Notes that p has a part, which must be undone when p ends. */
static inline void process_has(struct rusm_process *p, enum process_part part)
{
    p->parts |= (uint16_t)(1u << part);
}

static inline rusm_pid process_pid(const struct rusm_process *p)
{
    return (rusm_pid){ .serial = p->serial, .node = 0, .incarnation = p->rt->incarnation };
}

/* Returns the process of a pid of this runtime, or NULL if it is of another node, scheduler or
 * incarnation, or is gone. */
static inline struct rusm_process *runtime_local(const struct runtime *rt, rusm_pid pid)
{
    return pid.node == 0 && pid.incarnation == rt->incarnation
               ? process_table_find(&rt->processes_by_serial, pid.serial)
               : NULL;
}

/* Returns whether the pid is, or was, of another node or another scheduler. A message to it must be
 * posted. */
static inline bool runtime_far(const struct runtime *rt, rusm_pid pid)
{
    return pid.node != 0 ||
           ((pid.serial & rt->mask) != rt->index && (pid.serial & rt->mask) < rt->schedulers &&
            pid.incarnation == rt->incarnation);
}

/* Returns which scheduler has the connections with that node. For a client it is scheduler 0. */
static inline unsigned runtime_node_share(const struct runtime *rt, const struct node_name *node)
{
    return node->share % rt->schedulers;
}

#endif
