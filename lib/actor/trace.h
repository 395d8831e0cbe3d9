/* trace: tells the runtime's owner of each message of a process that is traced. A message of a
 * process that is not traced costs one test of a bit. A traced process may cause LIMIT_TRACE_MS
 * events a millisecond. Those above are counted, which costs next to nothing, so that tracing does
 * not slow the process. On the runtime's thread. */
#ifndef ACTOR_TRACE_H
#define ACTOR_TRACE_H

#include "actor/state.h"

void trace_tell_message(struct rusm_process *p, enum trace_point point,
                        const struct rusm_message *m);
void trace_tell_sent(struct rusm_process *self, const struct post *post);
void trace_tell_ended(struct rusm_process *p);

/* A message came into p's mailbox, or p takes it. */
static inline void trace_message(struct rusm_process *p, enum trace_point point,
                                 const struct rusm_message *m)
{
    if (__builtin_expect(p->traced, 0)) {
        trace_tell_message(p, point, m);
    }
}

/* self sent m to a process of this runtime. */
static inline void trace_sent_here(struct rusm_process *self, rusm_pid to,
                                   const struct rusm_message *m)
{
    if (__builtin_expect(self->traced, 0)) {
        struct post post = {
            .to = to, .kind = m->kind, .ref = m->ref, .data = m->data, .len = m->len
        };
        trace_tell_sent(self, &post);
    }
}

/* self sent a message to another runtime. */
static inline void trace_sent(struct rusm_process *self, const struct post *post)
{
    if (__builtin_expect(self->traced, 0)) {
        trace_tell_sent(self, post);
    }
}

static inline void trace_ended(struct rusm_process *p)
{
    if (__builtin_expect(p->traced, 0)) {
        trace_tell_ended(p);
    }
}

#endif
