/* bridge: where the schedulers of a node meet. Each has a runtime of its own; to a runtime, a
 * process of another scheduler is much like one of another node: what is for it leaves as a post
 * and arrives as a message, a signal or an answer (sched/channel.h). A pid says whose process it
 * is: the lower bits of its serial are the scheduler's number, and each runtime hands out its own
 * serials alone.
 *
 * What crosses is a message of the sender's pool. The far side works with it where it is, puts it
 * into a mailbox perhaps, and when it is done with it sends it home, where it is freed: memory
 * never changes its owner, and a message's return is the credit for the next one. What leaves is
 * gathered, and goes out in one push another scheduler between two batches of handlers.
 *
 * A struct bridge is shared: its queues, and what is behind locks (names, names of nodes). A struct
 * side is one runtime's, on its thread. */
#ifndef SCHED_BRIDGE_H
#define SCHED_BRIDGE_H

#include "sched/sched_queue.h"
#include "actor/names.h"
#include "actor/nodes.h"
#include "sched/sched.h"
#include "actor/state.h"
#include "sched/limits.h"

/* What crosses besides messages and signals between processes; they sit in no mailbox. */
#define NOTE_TASK ((enum rusm_kind)64)      /* data is a struct task */
#define NOTE_RECEIPT ((enum rusm_kind)65)   /* from, ref, error: for hooks->receipt */
#define NOTE_NAMED ((enum rusm_kind)66)     /* data is a struct process_name of a process there */
#define NOTE_UNNAMED ((enum rusm_kind)67)   /* ... it is that no longer */
#define NOTE_GLOBAL ((enum rusm_kind)68)    /* from, a process there, has a global name */
#define NOTE_NODE_UP ((enum rusm_kind)69)   /* from.node and .incarnation */
#define NOTE_NODE_LOST ((enum rusm_kind)70) /* so too */
#define NOTE_GAP ((enum rusm_kind)71)       /* for runtime_gap: from.serial, ref */
#define NOTE_GAPS_TELL ((enum rusm_kind)72) /* for runtime_gaps_tell: from, error */
#define NOTE_GIVE_UP ((enum rusm_kind)73)   /* for hooks->give_up: from.node */

struct bridge {
    unsigned count;                            /* schedulers */
    unsigned bits;                             /* of a serial that say whose it is */
    atomic_uint next;                          /* scheduler to get a process from outside */
    struct runtime *runtime[LIMIT_SCHEDULERS]; /* not changed while there are threads */
    struct names names;
    struct node_names nodes;
    struct sched_queue sched_queue[LIMIT_SCHEDULERS];
};

/* What is on its way to one other scheduler, until the next flush. */
struct outgoing {
    struct message *newest, *oldest;
};

struct side {
    struct bridge *bridge;
    struct runtime *rt; /* whose it is; rt->gathered has a bit for each of out that is not empty */
    struct outgoing out[LIMIT_SCHEDULERS];
    struct map channels; /* struct channel of our senders */
    struct list idle;    /* those of them that nothing is under way on, the oldest first */
    size_t idle_count;
    struct list parked;  /* schedulers' channels whose messages wait for room here */
    struct map http;     /* those that wait for another node to take more, by sender's serial */
    struct list blocked; /* the same */
};

/* Takes m, to be with that scheduler after the next flush: one of our own on its way, or one of its
 * own on its way back. */
void bridge_out(struct side *side, unsigned to, struct message *m);
/* A flush to one of them. */
void bridge_push(struct side *side, unsigned to);
/* Tells another scheduler something. 0 or RUSM_ENOMEM. */
int bridge_note(struct runtime *rt, unsigned to, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                int error, void *data);

#endif
