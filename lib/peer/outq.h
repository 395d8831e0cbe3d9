/* outq: the bytes of one outgoing stream that are not yet acknowledged, in chunks that do not move
 * (QUIC retransmits from them). Bytes are appended at the end, offered to the transport from a
 * cursor, and freed at the front when acknowledged. An empty queue begins with a tiny chunk, as
 * many lanes have one small record under way; small appends share chunks; a large one gets a chunk
 * of its own size. One thread; used by lane_out and peer. */
#ifndef PEER_OUTQ_H
#define PEER_OUTQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/blocks.h"
#include "base/pool.h"

/* Spare chunks, shared by all queues of a scheduler. */
struct outq_pool {
    struct pool tiny, small;
    struct blocks *blocks;
};

/* Keeps blocks, where large chunks come from; NULL: the heap. */
void outq_pool_init(struct outq_pool *pool, struct blocks *blocks);
void outq_pool_fini(struct outq_pool *pool);

struct outq_chunk;

struct outq {
    struct outq_chunk *first, *last; /* first holds the oldest byte without acknowledgement */
    struct outq_chunk *cursor;       /* where the next byte to send is; NULL: empty */
    size_t cursor_at;                /* offset in it */
    size_t acked_at;                 /* bytes of `first` already acknowledged */
    size_t len;                      /* bytes held: not yet acknowledged */
    size_t unsent;                   /* of these, bytes never given to the transport */
    uint64_t records;                /* records that end in the bytes held */
};

void outq_init(struct outq *q);
void outq_fini(struct outq *q, struct outq_pool *pool);

/* Appends head then body as one record (counted once if is_record). Borrows. 0 or RUSM_ENOMEM:
 * then nothing was appended. */
int outq_append(struct outq *q, struct outq_pool *pool, const void *head, size_t head_len,
                const void *body, size_t body_len, unsigned is_record);
/* Moves all of `from`, of which nothing was sent, behind q's end. */
void outq_join(struct outq *q, struct outq *from);
/* Fills vec with unsent bytes, at most max_bytes. Returns the number of vecs. */
int outq_peek(const struct outq *q, struct iovec *vec, size_t cap, size_t max_bytes);
void outq_sent(struct outq *q, size_t len);
void outq_acked(struct outq *q, struct outq_pool *pool, uint64_t len);

#endif
