/* outq: the bytes of one outgoing stream that are not acknowledged yet. They are in chunks that do
 * not move, because QUIC retransmits from them. The owner appends bytes at the end, offers them to
 * the transport from a cursor, and frees them at the front when they are acknowledged. An empty
 * queue begins with a tiny chunk, because many lanes have one small record under way. Small appends
 * share chunks. A large one gets a chunk of its own size. One thread. Lanes and the control stream
 * use it. */
#ifndef PEER_OUTQ_H
#define PEER_OUTQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/blocks.h"
#include "base/pool.h"

/* Spare chunks. All queues of a scheduler share them. */
struct outq_pool {
    struct pool tiny, small;
    struct blocks *blocks;
};

/* Keeps `blocks`, from which large chunks come. With NULL they come from the heap. */
void outq_pool_init(struct outq_pool *pool, struct blocks *blocks);
void outq_pool_fini(struct outq_pool *pool);

struct outq_chunk;

struct outq {
    struct outq_chunk *first, *last; /* first holds the oldest unacknowledged byte */
    struct outq_chunk *cursor;       /* has the next byte to send; NULL: the queue is empty */
    size_t cursor_at;                /* offset of that byte */
    size_t acked_at;                 /* acknowledged bytes of `first` */
    size_t len;                      /* bytes held, none acknowledged */
    size_t unsent;                   /* bytes of these that the transport has not taken */
    uint64_t records;                /* records that end in the bytes held */
};

void outq_init(struct outq *q);
void outq_fini(struct outq *q, struct outq_pool *pool);

/* Appends head and then body. Borrows both. Counts is_record (0 or 1) records. Returns 0, or
 * RUSM_ENOMEM: then nothing was appended. */
int outq_append(struct outq *q, struct outq_pool *pool, const void *head, size_t head_len,
                const void *body, size_t body_len, unsigned is_record);
/* Moves all bytes of `from` to the end of q. Nothing of `from` may have been sent. */
void outq_join(struct outq *q, struct outq *from);
/* Fills vec with unsent bytes, at most max_bytes. Returns the number of entries. */
int outq_peek(const struct outq *q, struct iovec *vec, size_t cap, size_t max_bytes);
void outq_sent(struct outq *q, size_t len);
void outq_acked(struct outq *q, struct outq_pool *pool, uint64_t len);

#endif
