/* post: how a message leaves a process: into a mailbox of this runtime, to another scheduler, or by
 * the post hook to another node. Called by the files that send, on the runtime's thread. */
#ifndef ACTOR_POST_H
#define ACTOR_POST_H

#include <string.h>

#include "actor/state.h"

/* Checks the data of a message. Returns 0, RUSM_ETOOLARGE, or RUSM_EINVAL if there is a length but
 * no data. */
static inline int post_check(const void *data, size_t len)
{
    if (len > RUSM_MESSAGE_MAX) {
        return RUSM_ETOOLARGE;
    }
    return len > 0 && !data ? RUSM_EINVAL : 0;
}

/* Makes a message from self with a copy of the data. Returns NULL if there is no memory. */
static inline struct message *post_message(const struct rusm_process *self, enum rusm_kind kind,
                                           uint64_t ref, const void *data, size_t len)
{
    struct message *m = message_new(self->rt->pool, len);

    if (m) {
        if (len > 0) {
            memcpy(m->inside, data, len);
        }
        m->pub.kind = kind;
        m->pub.from = process_pid(self);
        m->pub.ref = ref;
    }
    return m;
}

/* Puts a message with a copy of the data into target's mailbox. Returns 0, RUSM_ENOPROC if target
 * is NULL, RUSM_BUSY or RUSM_ENOMEM. */
int post_here(struct rusm_process *self, struct rusm_process *target, enum rusm_kind kind,
              uint64_t ref, const void *data, size_t len);
/* Posts for the process that post->from names: to another scheduler, to another node or to a global
 * name. Returns what the post hook does, or RUSM_BUSY or RUSM_ENOMEM. */
int runtime_post(struct runtime *rt, const struct post *post);

#endif
