/* message: see the header. The pool has a free list for each size class. What a class keeps is
 * bounded, so that memory for a burst of large messages is given back. Called on the runtime's
 * thread. */
#include "actor/message.h"

#include <stdlib.h>
#include "base/must.h"

#define MESSAGE_SMALLEST ((size_t)128)     /* bytes of a whole message of class 0 */
#define MESSAGE_CLASSES 7                  /* each is twice the one before: up to 8 KiB */
#define MESSAGE_OWN UINT16_MAX             /* class of a message that is a block of its own */
#define MESSAGE_KEPT ((size_t)1024 * 1024) /* bytes that a class keeps */

struct message_pool {
    struct message *free[MESSAGE_CLASSES];
    size_t kept[MESSAGE_CLASSES]; /* bytes in that list */
    size_t out;                   /* messages not given back yet */
    struct blocks *blocks;
    message_home_fn *send; /* takes messages of other pools; NULL: no other schedulers */
    void *context;         /* of send */
    uint8_t home;
};

struct message_pool *message_pool_new(struct blocks *blocks)
{
    struct message_pool *p = calloc(1, sizeof(*p));

    if (p) {
        p->blocks = blocks;
    }
    return p;
}

void message_pool_join(struct message_pool *p, uint8_t home, message_home_fn *send, void *context)
{
    p->home = home;
    p->send = send;
    p->context = context;
}

void message_pool_free(struct message_pool *p)
{
    if (!p) {
        return;
    }
    must(p->out == 0);
    for (size_t i = 0; i < MESSAGE_CLASSES; i++) {
        while (p->free[i]) {
            struct message *m = p->free[i];
            p->free[i] = m->next;
            free(m);
        }
    }
    free(p);
}

static uint16_t message_class(size_t size)
{
    if (size <= MESSAGE_SMALLEST) {
        return 0;
    }
    size_t step = (size_t)(64 - __builtin_clzll((size - 1) / MESSAGE_SMALLEST));
    return step < MESSAGE_CLASSES ? (uint16_t)step : MESSAGE_OWN;
}

/* Takes a message with room for `inside` bytes. All its fields are zero, except its class and its
 * home. */
static struct message *message_take(struct message_pool *p, size_t inside)
{
    size_t size = sizeof(struct message) + inside;
    uint16_t step = message_class(size);
    struct message *m;

    if (step != MESSAGE_OWN) {
        size = MESSAGE_SMALLEST << step;
        m = p->free[step];
        if (m) {
            p->free[step] = m->next;
            p->kept[step] -= size;
        } else {
            m = malloc(size);
        }
    } else {
        m = blocks_take(p->blocks, size);
    }
    if (!m) {
        return NULL;
    }
    p->out++;
    /* Fields are cleared one by one: to clear the whole struct first takes longer than all the
     * rest. */
    m->pub = (struct rusm_message){ 0 };
    m->next = NULL;
    m->credit = NULL;
    m->channel = NULL;
    m->receipt = 0;
    m->credit_bytes = 0;
    m->size_class = step;
    m->home = p->home;
    m->flags = 0;
    m->block = NULL;
    return m;
}

struct message *message_new(struct message_pool *p, size_t len)
{
    struct message *m = message_take(p, len + 1);

    if (m) {
        m->inside[len] = 0;
        m->pub.data = m->inside;
        m->pub.len = len;
    }
    return m;
}

struct message *message_new_block(struct message_pool *p, void *block, size_t len)
{
    struct message *m = message_take(p, 0);

    if (m) {
        m->block = block;
        m->pub.data = block;
        m->pub.len = len;
    }
    return m;
}

void message_free(struct message_pool *p, struct message *m)
{
    if (!m) {
        return;
    }
    if (m->home != p->home) {
        p->send(p->context, m->home, m);
        return;
    }
    if (m->credit) {
        credit_give(m->credit, m->credit_bytes);
    }
    if (m->block) {
        blocks_give(p->blocks, m->block);
    }
    must(p->out > 0);
    p->out--;
#ifdef __SANITIZE_ADDRESS__
    free(m); /* so that the sanitizer reports a later use */
#else
    if (m->size_class == MESSAGE_OWN) {
        blocks_give(p->blocks, m);
        return;
    }
    size_t size = MESSAGE_SMALLEST << m->size_class;
    if (p->kept[m->size_class] + size > MESSAGE_KEPT) {
        free(m);
        return;
    }
    m->next = p->free[m->size_class];
    p->free[m->size_class] = m;
    p->kept[m->size_class] += size;
#endif
}
