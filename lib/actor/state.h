/* state: the two structs that the files of this room share, a runtime and a process. Nobody outside
 * the room includes this. One thread. */
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

/* Something that ends with its process: a timer, a call. */
struct owned {
    struct list link;                                             /* in the process's `owned` */
    void (*end)(struct rusm_process *owner, struct owned *owned); /* unlinks and frees it */
};

/* Timers by their place: actor/timer.c. */
struct timers {
    struct timer **chunk; /* chunk[0..chunks) */
    size_t chunks, count;
    struct list free;
};

/* What a process may have that is undone when it ends, in the order in which that is done. A
 * process has few of them, and its end costs only these. */
enum process_part {
    PART_NAMES,    /* names.c */
    PART_WAITS,    /* wait.c: it waits for room, or is waited for */
    PART_SLEEP,    /* sleep.c */
    PART_OWNED,    /* struct owned */
    PART_BODY,     /* coroutine.c */
    PART_NODES,    /* signal.c: it is told of nodes */
    PART_GAPS,     /* gap.c */
    PART_MAILBOX,  /* always; nothing of a later part puts a message into it */
    PART_MONITORS, /* monitor.c: it watches, or is watched */
    PART_LINKS,    /* link.c */
    PARTS,
};

/* What process.c and monitor.c call of the files above them. */
struct process_parts {
    void (*end[PARTS])(struct rusm_process *p);           /* by enum process_part */
    void (*took_timer)(struct runtime *rt, uint64_t ref); /* a RUSM_TIMER left the mailbox */
    void (*writable_begins)(struct rusm_process *p);      /* it is about to handle RUSM_WRITABLE */
    void (*writable_done)(struct rusm_process *p);        /* it has */
    bool (*takes_down)(struct rusm_process *p, uint64_t ref, uint32_t node, const char *reason,
                       size_t len); /* is a DOWN the outcome of a call? */
};

/* A process. There may be a million idle ones: keep it below 300 bytes. */
struct rusm_process {
    struct runtime *rt;
    uint64_t serial;
    struct rusm_process *chain; /* in the table's bucket */
    struct list run;            /* in the run queue, or among the dying */
    struct mailbox mailbox;
    const struct rusm_behaviour *behaviour;
    void *state;           /* the behaviour's */
    struct coroutine *co;  /* not NULL: it has a stack of its own (actor/coroutine.h) */
    const char *reason;    /* not NULL: it ends, and why */
    bool running;          /* in a batch, in init or in stop: not to be queued or ended now */
    bool receiving;        /* in receive: may hold */
    bool holding;          /* takes nothing until writable */
    bool busy;             /* a mailbox here was full for it since it last was writable */
    bool writable;         /* is to be told RUSM_WRITABLE */
    bool holding_head : 1; /* holding: for the message at the mailbox's head */
    bool busy_far : 1;     /* a post was RUSM_BUSY, so that runtime_writable must follow */
    bool reason_owned : 1; /* reason is a heap block */
    bool trapping : 1;     /* exit signals become messages */
    bool nodes_told : 1;   /* in the runtime's node_watches */
    bool gaps_told : 1;    /* in its gaps */
    bool unasked : 1;      /* holds until one of those who watch it watches no more */
    bool global : 1;       /* may have global names */
    uint16_t parts;        /* a bit for each enum process_part that it has, or had */
    struct list all;       /* in the table's list */
    struct list waiters;   /* struct waiter: who waits for room in our mailbox */
    struct list waits;     /* struct wait: whose room we wait for or were granted */
    struct list wake;      /* in the runtime's list of those whose waiters are to be looked at */
    struct sleep *sleep;   /* not NULL: is woken when its time has come (actor/sleep.h) */
    struct list names;     /* struct process_name */
    struct list owned;     /* struct owned */
    struct list watchers;  /* struct monitor by at_target: who monitors us */
    struct list watching;  /* struct monitor by at_watcher: whom we monitor */
    struct list *links;    /* ring of struct link ends (actor/link.h); NULL: none */
    uint32_t watcher_count, watching_count;
    uint64_t received; /* messages handled */
    uint64_t started_ns;
};

/* Of cache lines of its own: the schedulers of a node write theirs all the time. */
struct runtime {
    struct process_table processes_by_serial;
    struct list run;     /* ready processes */
    struct list dying;   /* processes with a reason that are not running */
    struct list wake;    /* processes that took messages and have waiters */
    struct list waking;  /* those of `wake` that wait_wake is at */
    struct list orphans; /* struct waiter: waited for a process that has ended */
    struct list unsent;  /* struct node_name: nodes that signals wait for (actor/exit_notice.h) */
    struct map exit_notices;                   /* struct exit_notice, the first of its pair */
    struct exit_notice *exit_notice_now;       /* is being posted again */
    struct exit_notice_text *exit_notice_text; /* the last one kept */
    struct list node_watches;                  /* struct node_watch: who is told of all nodes */
    struct map gaps;       /* struct gap: who is told of messages that may not have arrived */
    struct list gaps_open; /* those of it that have something to be told */
    struct message_pool *pool;
    struct mailbox_limits limits;
    struct names *names; /* the node's */
    struct spawnables spawnables;
    struct nodes nodes;
    struct map monitors;  /* struct monitor by watcher and ref */
    struct map links;     /* struct link by its two ends */
    struct map waits;     /* struct wait by waiting and target serial */
    struct heap sleeping; /* struct sleep */
    struct map calls;     /* struct call by ref */
    struct map watches;   /* struct watch by ref */
    struct wheel wheel;   /* timers, deadlines of calls and of rusm_receive */
    struct timers timers;
    struct stacks stacks; /* of coroutines */
    struct context main;  /* the scheduler, while a coroutine runs */
    /* That one; else NULL. */
    struct coroutine *inside;
    struct slab processes, monitor_slab, link_slab, wait_slab, sleep_slab, call_slab,
        coroutine_slab, exit_notice_slab;
    const struct log *log;
    const struct runtime_hooks *hooks;
    const struct process_parts *parts;
    const struct far_hooks *far; /* NULL: there are no other schedulers */
    const atomic_bool *watched;  /* as in runtime_options */
    void *context;
    struct side *side;   /* lib/sched's part of it; NULL: it is alone */
    uint64_t gathered;   /* a bit for each scheduler that far->flush has something for */
    unsigned schedulers; /* schedulers of the node, this one too */
    unsigned index;      /* which of them it is */
    unsigned bits;       /* of a serial, the lower ones, that say whose it is */
    uint64_t mask;       /* those bits */
    uint64_t serial;     /* the last one given */
    uint64_t ref;        /* the last one given */
    uint64_t epoch;
    uint64_t now_ns;   /* of this tick */
    uint64_t clock_ns; /* when the process that runs began to */
    uint32_t incarnation;
    unsigned depth;            /* behaviour functions on the stack */
    unsigned init_depth;       /* inits among them */
    bool reaping;              /* in runtime_reap */
    bool closing;              /* in runtime_free */
    struct rusm_process *init; /* whose init runs now (innermost) */
    struct rusm_why *init_why; /* where its rusm_init_error goes */
    struct runtime_counters counters;
};

/* Notes that something of p is to be undone when it ends. */
static inline void process_has(struct rusm_process *p, enum process_part part)
{
    p->parts |= (uint16_t)(1u << part);
}

static inline rusm_pid process_pid(const struct rusm_process *p)
{
    return (rusm_pid){ .serial = p->serial, .node = 0, .incarnation = p->rt->incarnation };
}

/* The process of a pid of this node; NULL: another node's, another incarnation's, or gone. */
static inline struct rusm_process *runtime_local(const struct runtime *rt, rusm_pid pid)
{
    return pid.node == 0 && pid.incarnation == rt->incarnation
               ? process_table_find(&rt->processes_by_serial, pid.serial)
               : NULL;
}

/* Is it, or was it, another node's or another scheduler's process? What it is sent is posted. */
static inline bool runtime_far(const struct runtime *rt, rusm_pid pid)
{
    return pid.node != 0 ||
           ((pid.serial & rt->mask) != rt->index && (pid.serial & rt->mask) < rt->schedulers &&
            pid.incarnation == rt->incarnation);
}

/* Which scheduler has the connections with that node. A client's is scheduler 0. */
static inline unsigned runtime_node_share(const struct runtime *rt, const struct node_name *node)
{
    return node->share % rt->schedulers;
}

#endif
