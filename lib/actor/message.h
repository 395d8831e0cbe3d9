/* message: one message on its way to, or in, a mailbox. Small payloads live inside it; large ones
 * are a heap block of their own that arrived in place. Messages come from a pool of the runtime
 * (free lists by size class), so that the usual message costs no malloc. One thread. A message
 * that goes to another scheduler comes back to be freed: message_pool_join. */
#ifndef ACTOR_MESSAGE_H
#define ACTOR_MESSAGE_H

#include "base/blocks.h"
#include "base/credit.h"
#include "rusm.h"

/* Kinds that travel in posts and never sit in a mailbox; numbered as on the wire. */
#define MESSAGE_LINK ((enum rusm_kind)4)
#define MESSAGE_UNLINK ((enum rusm_kind)5)
#define MESSAGE_MONITOR ((enum rusm_kind)6)
#define MESSAGE_DEMONITOR ((enum rusm_kind)7)
#define MESSAGE_LINK_EXIT ((enum rusm_kind)9) /* a linked process has ended: RUSM_EXIT if trapped */
#define MESSAGE_UNLINKED ((enum rusm_kind)10) /* the answer to an UNLINK */

struct message {
    struct rusm_message pub; /* what receive sees; first, so that &m->pub is m */
    struct message *next;    /* in the mailbox or the pool */
    struct credit *credit;   /* to give back when handled or discarded; NULL: local */
    struct channel *channel; /* between two schedulers: its pair's; NULL: it is on none */
    uint64_t receipt;        /* to be answered when it is in the mailbox, if MESSAGE_RECEIPT */
    uint32_t credit_bytes;   /* wire bytes it stands for (a 64 MiB record fits) */
    uint16_t size_class;
    uint8_t home;  /* the scheduler whose pool it is of */
    uint8_t flags; /* MESSAGE_UNORDERED ... */
    void *block;   /* payload's own heap block, freed with it; NULL: inside */
    uint8_t inside[];
};

#define MESSAGE_UNORDERED 1u /* a full mailbox refuses it */
#define MESSAGE_RECEIPT 2u
#define MESSAGE_URGENT 4u /* an EXIT whose other copy is in a lane: acts unless it is trapped */
#define MESSAGE_ANSWER 8u /* post.answer: counted by its sender's runtime until it is back */

struct message_pool;
/* Takes a message of another scheduler's pool, to bring it there. */
typedef void message_home_fn(void *context, unsigned home, struct message *m);
/* Keeps blocks, where large payloads come from and go to; NULL: the heap. NULL: no memory. */
struct message_pool *message_pool_new(struct blocks *blocks);
/* Makes it the pool of the scheduler `home`. Messages of other pools that are freed here go to
 * `send`, with `context`. */
void message_pool_join(struct message_pool *p, uint8_t home, message_home_fn *send, void *context);
void message_pool_free(struct message_pool *p); /* all messages must be back */
/* Payload inside: room for len bytes and a 0 behind them, at pub.data (writable through
 * message_room). All other fields zero. NULL: no memory. */
struct message *message_new(struct message_pool *p, size_t len);
static inline uint8_t *message_room(struct message *m)
{
    return m->block ? m->block : m->inside;
}
/* Takes block (malloc'd, len + 1 bytes, the last of them 0). NULL: no memory, block not taken. */
struct message *message_new_block(struct message_pool *p, void *block, size_t len);
/* Gives credit back (credit_give), frees. NULL is fine. */
void message_free(struct message_pool *p, struct message *m);

#endif
