/* sched: what the owner of a node's schedulers calls to join their runtimes. The bridge itself is
 * in sched/bridge.h, and the channels for what crosses it are in sched/channel.h. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "actor/hooks.h"
#include "actor/runtime.h"

/* Returns a bridge for 2 to LIMIT_SCHEDULERS schedulers, or NULL if there is no memory. Free it
 * after all runtimes. */
struct bridge *bridge_new(unsigned count, uint64_t seed);
void bridge_free(struct bridge *x); /* x may be NULL */
/* Makes the runtime of scheduler INDEX as the options say, except for what all schedulers share.
 * Returns 0 or RUSM_ENOMEM. */
int bridge_runtime_new(struct bridge *x, struct runtime **out, unsigned index,
                       const struct runtime_options *options);
/* Returns the scheduler that gets the next process from outside. They take turns. Any thread. */
unsigned bridge_next_scheduler(struct bridge *x);

/* Handles what other schedulers have sent. Returns true if there was something. Call it in each
 * tick. */
bool runtime_receive(struct runtime *rt, uint64_t now_ns);
/* Have other schedulers sent something? */
bool runtime_called(const struct runtime *rt);
/* Sends what is gathered for other schedulers. runtime_run does so too. Do not call it from within
 * a behaviour or a hook. */
void runtime_flush(struct runtime *rt);
/* Prepares the scheduler to sleep: from now on hooks->wake is called for what comes. Returns false
 * if there is something already. Then the scheduler must not sleep. */
bool runtime_sleep(struct runtime *rt);

unsigned runtime_index(const struct runtime *rt);
/* A task does something on another scheduler's thread, between its handlers (`run`), and then on
 * the asking scheduler's thread (`done`). The asking scheduler keeps it until `done`. */
struct task {
    void (*run)(struct task *task, struct runtime *there);
    void (*done)(struct task *task, struct runtime *here);
};
int runtime_task(struct runtime *rt, unsigned to, struct task *task); /* 0 or RUSM_ENOMEM */

/* A message on its way to another scheduler's process, with what belongs to it. All of it is
 * borrowed, except for block. */
struct passing {
    struct post post;
    void *block; /* taken, unless there is an error; NULL: post.data */
    struct credit *credit;
    uint32_t credit_bytes;
    bool has_receipt;
    bool urgent;           /* second copy of an exit signal: acts unless it is trapped */
    uint64_t receipt;      /* for hooks->receipt, which tells the outcome */
    struct waiter *waiter; /* told when there is room after RUSM_BUSY; NULL: post.from is told */
};
/* Sends a message from another node to a process of another scheduler. Returns 0, RUSM_BUSY or
 * RUSM_ENOMEM. */
int runtime_pass(struct runtime *rt, const struct passing *in);
/* Tells scheduler 0 the receipt that another node gave for one of its posts. */
void runtime_receipt(struct runtime *rt, uint64_t receipt, int error);
/* Does a waiter wait for room on the channel between these processes? */
bool runtime_pass_waits(const struct runtime *rt, rusm_pid from, rusm_pid to);
/* Is something of ours on its way to other schedulers, or does something of theirs wait here
 * because another node does not take it yet? */
bool runtime_passing(const struct runtime *rt);
/* Drops what waits here for other nodes. Its senders are told RUSM_ENOCONN. */
void runtime_give_up_channels(struct runtime *rt);
/* Delivers an answer to the request of a process of this node, of any scheduler. Does nothing if
 * the process is gone. Without memory for the answer, the process waits in vain. */
void runtime_answer(struct runtime *rt, uint64_t serial, enum rusm_kind kind, int error,
                    rusm_pid from, uint64_t ref, const char *text);

#endif
