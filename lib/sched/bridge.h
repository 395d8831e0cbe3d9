/* bridge: joins the schedulers of a node. Each scheduler has a runtime of its own. To a runtime, a
 * process of another scheduler is much like a process of another node: what is for it leaves as a
 * post and arrives as a message, a signal or an answer (sched/channel.h). A pid says whose process
 * it is: the lower bits of its serial are the number of the scheduler. So each runtime gives out
 * serials without asking the others.
 *
 * A message that crosses the bridge comes from the sender's pool. The far scheduler uses it in
 * place and may put it into a mailbox. When it is done with the message, it sends it home, where it
 * is freed. So memory never changes its owner, and the return of a message is the credit for the
 * next one. A runtime gathers what it sends. Between two batches of handlers it pushes that, once
 * for each other scheduler.
 *
 * A struct bridge is shared: the queues, and the names and node names, which are behind locks. A
 * struct side belongs to one runtime and stays on its thread. */
#ifndef SCHED_BRIDGE_H
#define SCHED_BRIDGE_H

#include "sched/sched_queue.h"
#include "actor/names.h"
#include "actor/nodes.h"
#include "sched/sched.h"
#include "actor/state.h"
#include "sched/limits.h"

/* Notes are what crosses besides messages and signals between processes. They sit in no mailbox. */
#define NOTE_TASK ((enum rusm_kind)64)      /* data is a struct task */
#define NOTE_RECEIPT ((enum rusm_kind)65)   /* from, ref, error: for hooks->receipt */
#define NOTE_NAMED ((enum rusm_kind)66)     /* data: struct process_name that a process got */
#define NOTE_UNNAMED ((enum rusm_kind)67)   /* data: struct process_name that a process lost */
#define NOTE_GLOBAL ((enum rusm_kind)68)    /* from is a process there that has a global name now */
#define NOTE_NODE_UP ((enum rusm_kind)69)   /* from.node, from.incarnation: a node is connected */
#define NOTE_NODE_LOST ((enum rusm_kind)70) /* from.node, from.incarnation: a node is lost */
#define NOTE_GAP ((enum rusm_kind)71)       /* for runtime_gap: from.serial, ref */
#define NOTE_GAPS_TELL ((enum rusm_kind)72) /* for runtime_gaps_tell: from, error */
#define NOTE_GIVE_UP ((enum rusm_kind)73)   /* for hooks->give_up: from.node */

struct bridge {
    unsigned count;                            /* schedulers */
    unsigned bits;                             /* of a serial that are the scheduler's number */
    atomic_uint next;                          /* for bridge_next_scheduler, modulo count */
    struct runtime *runtime[LIMIT_SCHEDULERS]; /* does not change while there are threads */
    struct names names;
    struct node_names nodes;
    struct sched_queue sched_queue[LIMIT_SCHEDULERS];
};

/* Messages on their way to one other scheduler, until the next flush. */
struct outgoing {
    struct message *newest, *oldest;
};

struct side {
    struct bridge *bridge;
    struct runtime *rt; /* the owner; rt->gathered has a bit for each entry of out with messages */
    struct outgoing out[LIMIT_SCHEDULERS];
    struct map channels; /* struct channel: those of our senders */
    struct list idle;    /* those of our channels with nothing under way, the oldest first */
    size_t idle_count;
    struct list parked;  /* other schedulers' channels whose messages wait for room here */
    struct map http;     /* the channels in `blocked`, by their sender's serial */
    struct list blocked; /* channels whose messages wait until another node takes more */
};

/* Takes M and sends it to scheduler TO at the next flush. M is a message of ours that goes there,
 * or one of TO's that goes home. */
void bridge_out(struct side *side, unsigned to, struct message *m);
/* Pushes what is gathered for scheduler TO. */
void bridge_push(struct side *side, unsigned to);
/* Sends a note to scheduler TO at the next flush. Returns 0 or RUSM_ENOMEM. */
int bridge_note(struct runtime *rt, unsigned to, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                int error, void *data);

#endif
