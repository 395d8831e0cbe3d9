/* message: one message on its way to a mailbox, or in it. A small payload lives inside the message.
 * A large one is a heap block of its own, into which it was received. Messages come from a pool of
 * the runtime, with free lists by size class, so the usual message costs no malloc. One thread. A
 * message that goes to another scheduler comes back to be freed: message_pool_join. */
#ifndef ACTOR_MESSAGE_H
#define ACTOR_MESSAGE_H

#include "base/blocks.h"
#include "base/credit.h"
#include "rusm.h"

/* Kinds that travel in posts and never sit in a mailbox. Numbered as on the wire. */
#define MESSAGE_LINK ((enum rusm_kind)4)
#define MESSAGE_UNLINK ((enum rusm_kind)5)
#define MESSAGE_MONITOR ((enum rusm_kind)6)
#define MESSAGE_DEMONITOR ((enum rusm_kind)7)
#define MESSAGE_LINK_EXIT ((enum rusm_kind)9) /* a linked process has ended: RUSM_EXIT if trapped */
#define MESSAGE_UNLINKED ((enum rusm_kind)10) /* the answer to an UNLINK */

struct message {
    struct rusm_message pub; /* what receive sees; must be first: &m->pub is m */
    struct message *next;    /* in the mailbox or the pool */
    struct credit *credit;   /* given back when m is handled or discarded; NULL: local */
    struct channel *channel; /* its pair's channel to another scheduler; NULL: it is on none */
    /* With MESSAGE_RECEIPT: the receipt to give once the message is in the mailbox. Of an answer
     * that crosses schedulers on no channel (runtime_answer): its target's serial. */
    uint64_t receipt;
    uint32_t credit_bytes; /* wire bytes it stands for; a 64 MiB record fits */
    uint16_t size_class;
    uint8_t home;  /* number of the scheduler whose pool it comes from */
    uint8_t flags; /* MESSAGE_UNORDERED ... */
    void *block;   /* the payload's own heap block, freed with it; NULL: it is inside */
    uint8_t inside[];
};

#define MESSAGE_UNORDERED 1u /* a full mailbox refuses it, and nobody waits */
#define MESSAGE_RECEIPT 2u
#define MESSAGE_URGENT 4u /* an EXIT whose other copy is in a lane: acts unless trapped */
#define MESSAGE_ANSWER 8u /* post.answer: its sender's runtime counts it until it is back */

struct message_pool;
/* Takes a message of another scheduler's pool, to bring it there. */
typedef void message_home_fn(void *context, unsigned home, struct message *m);
/* Makes a pool. Keeps blocks, which gives and takes back large payloads (NULL: the heap does).
 * Returns NULL if there is no memory. */
struct message_pool *message_pool_new(struct blocks *blocks);
/* Makes p the pool of the scheduler `home`. Messages of other pools that are freed here go to
 * `send`, with `context`. */
void message_pool_join(struct message_pool *p, uint8_t home, message_home_fn *send, void *context);
void message_pool_free(struct message_pool *p); /* all messages must be back */
/* Makes a message with its payload inside: room for len bytes and a 0 behind them, at pub.data
 * (writable through message_room). All other fields are zero. Returns NULL if there is no
 * memory. */
struct message *message_new(struct message_pool *p, size_t len);
static inline uint8_t *message_room(struct message *m)
{
    return m->block ? m->block : m->inside;
}
/* Makes a message with `block` as its payload: malloc'd, len + 1 bytes, the last of them 0. Takes
 * block. Returns NULL, and does not take block, if there is no memory. */
struct message *message_new_block(struct message_pool *p, void *block, size_t len);
/* Frees m after giving its credit back (credit_give). Sends a message of another pool home instead.
 * NULL is fine. */
void message_free(struct message_pool *p, struct message *m);

#endif
