/* sched: what the owner of a node's schedulers calls to join their runtimes. The bridge
 * itself is sched/bridge.h, and what crosses, sched/channel.h. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "actor/hooks.h"
#include "actor/runtime.h"

/* For 2 to LIMIT_SCHEDULERS. Frees after all runtimes. NULL: no memory. */
struct bridge *bridge_new(unsigned count, uint64_t seed);
void bridge_free(struct bridge *x); /* NULL is fine */
/* Makes the runtime of scheduler `index`, as options say but for what all schedulers share. 0 or
 * RUSM_ENOMEM. */
int bridge_runtime_new(struct bridge *x, struct runtime **out, unsigned index,
                       const struct runtime_options *options);
/* Which scheduler is to get the next process from outside: in turn. Any thread. */
unsigned bridge_next_scheduler(struct bridge *x);

/* Takes in what schedulers have sent; true: there was something. To be called each tick. */
bool runtime_receive(struct runtime *rt, uint64_t now_ns);
/* Is there something? */
bool runtime_called(const struct runtime *rt);
/* Sends what is for schedulers; runtime_run does so too. Not from within a behaviour or a hook. */
void runtime_flush(struct runtime *rt);
/* It is about to sleep: from now on hooks->wake is called for what comes. False: there is
 * something. */
bool runtime_sleep(struct runtime *rt);

unsigned runtime_index(const struct runtime *rt);
/* Something to do on another scheduler's thread, between its handlers, and then on the asking
 * one's. Owned by who asks, until `done`. */
struct task {
    void (*run)(struct task *task, struct runtime *there);
    void (*done)(struct task *task, struct runtime *here);
};
int runtime_task(struct runtime *rt, unsigned to, struct task *task); /* or RUSM_ENOMEM */

/* A message on its way to another scheduler's process, with what hangs on it. All borrowed, but for
 * block. */
struct passing {
    struct post post;
    void *block; /* taken, unless there is an error; NULL: post.data */
    struct credit *credit;
    uint32_t credit_bytes;
    bool has_receipt;
    bool urgent;           /* an exit signal's second copy: it acts unless it is trapped */
    uint64_t receipt;      /* hooks->receipt says what came of it */
    struct waiter *waiter; /* told when there is room after RUSM_BUSY; NULL: post.from is */
};
/* From another node to a process of another scheduler. 0, RUSM_BUSY, RUSM_ENOMEM. */
int runtime_pass(struct runtime *rt, const struct passing *in);
/* Another node gives the receipt of a post of scheduler 0's. */
void runtime_receipt(struct runtime *rt, uint64_t receipt, int error);
/* Does a waiter wait for room on that way? */
bool runtime_pass_waits(const struct runtime *rt, rusm_pid from, rusm_pid to);
/* Is something of ours on its way to schedulers, or of theirs to other nodes, which would not take
 * it yet? */
bool runtime_passing(const struct runtime *rt);
/* That is given up: they are told RUSM_ENOCONN. */
void runtime_give_up_channels(struct runtime *rt);
/* An answer to a request of a process of this node, whosever it is; gone: nothing. Without memory
 * for it, the process waits in vain. */
void runtime_answer(struct runtime *rt, uint64_t serial, enum rusm_kind kind, int error,
                    rusm_pid from, uint64_t ref, const char *text);

#endif
