/* mailbox: a process's queue of messages, bounded in number and bytes. The bounds are the
 * runtime's, the same for all mailboxes. Only senders ask whether there is room, because signals
 * are always taken. Owns its messages. One thread. Used by the process and its senders. */
#ifndef ACTOR_MAILBOX_H
#define ACTOR_MAILBOX_H

#include <stdbool.h>
#include "actor/message.h"

struct mailbox_limits {
    uint32_t messages;
    uint64_t bytes; /* of payloads; a longer message is taken into an empty mailbox */
};

struct mailbox {
    struct message *head, *tail;
    uint64_t bytes;
    uint32_t count;
    uint32_t reserved; /* slots promised to local senders that were woken (actor/wait.h) */
};

static inline bool mailbox_has_room(const struct mailbox *mb, const struct mailbox_limits *limits,
                                    size_t len)
{
    return (uint64_t)mb->count + mb->reserved < limits->messages &&
           (mb->count == 0 || mb->bytes + len <= limits->bytes);
}

/* Puts m at the end. Takes m. */
static inline void mailbox_push(struct mailbox *mb, struct message *m)
{
    m->next = NULL;
    if (mb->head) {
        mb->tail->next = m;
    } else {
        mb->head = m;
    }
    mb->tail = m;
    mb->count++;
    mb->bytes += m->pub.len;
}

/* Puts m back at the head, to be popped next. Takes m. */
static inline void mailbox_unpop(struct mailbox *mb, struct message *m)
{
    m->next = mb->head;
    if (!mb->head) {
        mb->tail = m;
    }
    mb->head = m;
    mb->count++;
    mb->bytes += m->pub.len;
}

/* Gives the oldest message. The mailbox must not be empty. */
static inline struct message *mailbox_pop(struct mailbox *mb)
{
    struct message *m = mb->head;

    mb->head = m->next;
    mb->count--;
    mb->bytes -= m->pub.len;
    return m;
}

/* Gives m, the message behind `before` (NULL: m is the oldest). */
static inline void mailbox_remove(struct mailbox *mb, struct message *before, struct message *m)
{
    if (before) {
        before->next = m->next;
    } else {
        mb->head = m->next;
    }
    if (mb->tail == m) {
        mb->tail = before;
    }
    mb->count--;
    mb->bytes -= m->pub.len;
}

/* Frees all messages. Returns how many. */
size_t mailbox_discard(struct mailbox *mb, struct message_pool *pool);

#endif
