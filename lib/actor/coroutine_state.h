/* coroutine_state: the state of a process with a stack of its own, and whether it has something to
 * do. process.c asks that for each message. So this is data and an inline function, below both
 * process.c and coroutine.c. */
#ifndef ACTOR_COROUTINE_STATE_H
#define ACTOR_COROUTINE_STATE_H

#include "actor/state.h"

struct coroutine {
    struct context own;
    struct rusm_process *process;
    void *stack;
    int stack_class;
    bool inside;   /* its body runs */
    bool go;       /* must run: it has not begun, or it let other processes run */
    bool busy;     /* waits for room in another mailbox */
    bool waiting;  /* waits for a message in rusm_receive */
    bool late;     /* ... and its timeout is over */
    unsigned took; /* calls of rusm_receive since the last switch to it */
    rusm_match_fn *match;
    void *context;
    /* The last message in the mailbox that is known not to match. NULL: there is none. */
    struct message *seen;
    /* Taken out of the mailbox. The body borrows it until its next rusm_receive. */
    struct message *found;
    struct wheel_node deadline;
};

/* Returns whether the mailbox has a message that the body has not looked at. */
static inline bool coroutine_unseen(const struct coroutine *co)
{
    return co->seen ? co->seen->next != NULL : co->process->mailbox.head != NULL;
}

/* Returns whether p, which is a coroutine, has something to do. */
static inline bool coroutine_ready(const struct rusm_process *p)
{
    const struct coroutine *co = p->co;

    return co->go || (co->busy && p->writable) ||
           (co->waiting && (co->late || coroutine_unseen(co)));
}

#endif
