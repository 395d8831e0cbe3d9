/* coroutine_state: what a process with a stack of its own has, and whether it has something to do.
 * process.c asks that for each message, so it is data and an inline function below both. */
#ifndef ACTOR_COROUTINE_STATE_H
#define ACTOR_COROUTINE_STATE_H

#include "actor/state.h"

struct coroutine {
    struct context own;
    struct rusm_process *process;
    void *stack;
    int stack_class;
    bool inside;   /* its body runs */
    bool go;       /* runs in any case: it has not begun, or it let other processes run */
    bool busy;     /* waits for room in another mailbox */
    bool waiting;  /* waits in rusm_receive */
    bool late;     /* ... and its time is over */
    unsigned took; /* calls of rusm_receive since it was switched to */
    rusm_match_fn *match;
    void *context;
    /* The last one in the mailbox that is known not to match. NULL: none is. */
    struct message *seen;
    /* Out of the mailbox. The body borrows it until its next rusm_receive. */
    struct message *found;
    struct wheel_node deadline;
};

/* Is a message in the mailbox that its body has not looked at? */
static inline bool coroutine_unseen(const struct coroutine *co)
{
    return co->seen ? co->seen->next != NULL : co->process->mailbox.head != NULL;
}

/* Has p, which is a coroutine, something to do? */
static inline bool coroutine_ready(const struct rusm_process *p)
{
    const struct coroutine *co = p->co;

    return co->go || (co->busy && p->writable) ||
           (co->waiting && (co->late || coroutine_unseen(co)));
}

#endif
