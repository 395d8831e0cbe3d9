/* process: scheduling, receiving, signals and the end of a process; the parts of it that the other
 * files of this room call. What the node calls is in runtime.h. One thread. */
#ifndef ACTOR_PROCESS_H
#define ACTOR_PROCESS_H

#include "actor/state.h"

extern const struct rusm_args process_no_args;

/* Puts p into the run queue if it has something to do and is not there. */
void process_schedule(struct rusm_process *p);

/* p took a message, or lost a reservation: those who wait for its room are looked at
 * (wait_wake). */
static inline void process_took(struct rusm_process *p)
{
    if (!list_empty(&p->waiters) && !list_linked(&p->wake)) {
        list_append(&p->rt->wake, &p->wake);
    }
}

/* Takes m, without looking at room. */
static inline void process_push(struct rusm_process *p, struct message *m)
{
    mailbox_push(&p->mailbox, m);
    process_schedule(p);
}

/* Puts a signal into p's mailbox. Without memory for it p ends, as it would wait for it in vain. */
void process_signal(struct rusm_process *p, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                    int error, const void *data, size_t len);

/* Takes p's DOWN or NODE_DOWN with that ref out of its mailbox, if it waits there. */
void process_flush(struct rusm_process *p, uint64_t ref);

/* Sets why p ends, cut to RUSM_REASON_MAX; the first reason stays. When p is not running it is put
 * among the dying, which runtime_reap ends. */
void process_kill(struct rusm_process *p, const char *reason, size_t len);

/* An exit signal reaches p: of a linked process that ended, or of someone's rusm_kill. Erlang
 * reference manual, Processes: Receiving Exit Signals. */
void process_exit_signal(struct rusm_process *p, rusm_pid from, const char *reason, size_t len,
                         bool linked);
/* Bytes of a reason that are kept: at most RUSM_REASON_MAX, and no character cut in two. */
size_t process_reason_cut(const char *reason, size_t len);

/* Calls p's behaviour for up to `limit` messages and returns for how many. p is no coroutine and
 * `running`, so that it does not end meanwhile. */
unsigned process_run(struct rusm_process *p, unsigned limit);
/* p ran: it ends if it has a reason to, or is queued again if it has more to do. */
void process_ran(struct rusm_process *p);

/* Removes p, which has a reason and whose behaviour has no state any more: names, mailbox,
 * monitors, hook; frees it. */
void process_remove(struct rusm_process *p);

/* Of PART_OWNED and PART_MAILBOX. */
void process_end_owned(struct rusm_process *p);
void process_end_mailbox(struct rusm_process *p);

/* Ends the dying, unless a behaviour is on the stack: then it happens when that returns. */
void runtime_reap(struct runtime *rt);

#endif
