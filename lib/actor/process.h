/* process: scheduling, receiving, signals and the end of a process, as far as the other files of
 * this room call it. What the node calls is in runtime.h. One thread. */
#ifndef ACTOR_PROCESS_H
#define ACTOR_PROCESS_H

#include "actor/state.h"
#include "actor/trace.h"

extern const struct rusm_args process_no_args;

/* Puts p into the run queue if it has something to do and is not there. */
void process_schedule(struct rusm_process *p);

/* Notes that p took a message or lost a reservation. wait_wake then looks at those who wait for
 * room in p's mailbox. */
static inline void process_took(struct rusm_process *p)
{
    if (!list_empty(&p->waiters) && !list_linked(&p->wake)) {
        list_append(&p->rt->wake, &p->wake);
    }
}

/* Puts m into p's mailbox, whether there is room or not. Takes m. */
static inline void process_push(struct rusm_process *p, struct message *m)
{
    trace_message(p, TRACE_QUEUED, &m->pub);
    mailbox_push(&p->mailbox, m);
    process_schedule(p);
}

/* Puts a signal into p's mailbox. If there is no memory for it, p ends, because p would wait for it
 * in vain. */
void process_signal(struct rusm_process *p, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                    int error, const void *data, size_t len);

/* Takes p's DOWN or NODE_DOWN with that ref out of its mailbox, if it is there. */
void process_flush(struct rusm_process *p, uint64_t ref);

/* Sets why p ends, cut to RUSM_REASON_MAX. The first reason stays. If p is not running, puts it
 * into the dying list, whose processes runtime_reap ends. */
void process_kill(struct rusm_process *p, const char *reason, size_t len);

/* Gives p an exit signal, of a linked process that ended (linked) or of a rusm_kill. Follows the
 * Erlang reference manual, Processes: Receiving Exit Signals. */
void process_exit_signal(struct rusm_process *p, rusm_pid from, const char *reason, size_t len,
                         bool linked);
/* Returns how many bytes of a reason are kept: at most RUSM_REASON_MAX, and no character is cut in
 * two. */
size_t process_reason_cut(const char *reason, size_t len);

/* Calls p's behaviour for up to `limit` messages. Returns for how many. p must be no coroutine, and
 * `running`, so that it does not end meanwhile. */
unsigned process_run(struct rusm_process *p, unsigned limit);
/* Ends p, which ran, if it has a reason to end. Otherwise queues p again if it has more to do. */
void process_ran(struct rusm_process *p);

/* Undoes what p has (names, mailbox, monitors and so on), calls the exited hook and frees p. p must
 * have a reason to end, and its behaviour must have no state any more. */
void process_remove(struct rusm_process *p);

/* End the parts PART_OWNED and PART_MAILBOX. */
void process_end_owned(struct rusm_process *p);
void process_end_mailbox(struct rusm_process *p);

/* Ends the processes in the dying list. Does nothing while a behaviour is on the stack: the next
 * call after it has returned ends them. */
void runtime_reap(struct runtime *rt);

#endif
