/* outq: the unacknowledged bytes of an outgoing stream. See outq.h. */
#include "peer/outq.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "rusm.h"

/* Bytes of a chunk with its own header. A tiny chunk fits a lane's header and a small record. A
 * small chunk fits about 100 small records, and is one malloc bin below a page. */
#define TINY ((size_t)256)
#define SMALL ((size_t)4032)

/* Spare chunks: a megabyte of each kind, which is what a burst to several peers holds. */
#define SPARE_TINY 4096
#define SPARE_SMALL 256

struct outq_chunk {
    struct outq_chunk *next;
    size_t len, cap;
    uint64_t records; /* records that end in it */
    uint8_t bytes[];
};

void outq_pool_init(struct outq_pool *pool, struct blocks *blocks)
{
    pool->blocks = blocks;
    pool_init(&pool->tiny, TINY, SPARE_TINY);
    pool_init(&pool->small, SMALL, SPARE_SMALL);
}

void outq_pool_fini(struct outq_pool *pool)
{
    pool_fini(&pool->tiny);
    pool_fini(&pool->small);
}

static struct outq_chunk *chunk_new(struct outq_pool *pool, size_t need, bool first)
{
    size_t size = sizeof(struct outq_chunk) + need;
    struct outq_chunk *c;
    if (size <= TINY && first) {
        c = pool_take(&pool->tiny);
        size = TINY;
    } else if (size <= SMALL) {
        c = pool_take(&pool->small);
        size = SMALL;
    } else {
        c = blocks_take(pool->blocks, size);
    }
    if (c) {
        *c = (struct outq_chunk){ .cap = size - sizeof(*c) };
    }
    return c;
}

static void chunk_free(struct outq_pool *pool, struct outq_chunk *c)
{
    size_t size = sizeof(*c) + c->cap;
    if (size == TINY) {
        pool_give(&pool->tiny, c);
    } else if (size == SMALL) {
        pool_give(&pool->small, c);
    } else {
        blocks_give(pool->blocks, c);
    }
}

void outq_init(struct outq *q)
{
    *q = (struct outq){ 0 };
}

void outq_fini(struct outq *q, struct outq_pool *pool)
{
    while (q->first) {
        struct outq_chunk *c = q->first;
        q->first = c->next;
        chunk_free(pool, c);
    }
    outq_init(q);
}

static void chunk_put(struct outq_chunk *c, const void *data, size_t len)
{
    if (len) {
        memcpy(c->bytes + c->len, data, len);
    }
    c->len += len;
}

int outq_append(struct outq *q, struct outq_pool *pool, const void *head, size_t head_len,
                const void *body, size_t body_len, unsigned is_record)
{
    size_t need = head_len + body_len;
    struct outq_chunk *c = q->last;
    if (need == 0) {
        return 0;
    }
    if (!c || c->cap - c->len < need) {
        c = chunk_new(pool, need, !q->last);
        if (!c) {
            return RUSM_ENOMEM;
        }
        if (q->last) {
            q->last->next = c;
        } else {
            q->first = c;
        }
        q->last = c;
        if (q->unsent == 0) {
            q->cursor = c;
            q->cursor_at = 0;
        }
    }
    chunk_put(c, head, head_len);
    chunk_put(c, body, body_len);
    c->records += is_record;
    q->records += is_record;
    q->len += need;
    q->unsent += need;
    return 0;
}

void outq_join(struct outq *q, struct outq *from)
{
    must(from->len == from->unsent);
    if (!from->first) {
        return;
    }
    if (q->last) {
        q->last->next = from->first;
    } else {
        q->first = from->first;
    }
    if (q->unsent == 0) {
        q->cursor = from->first;
        q->cursor_at = 0;
    }
    q->last = from->last;
    q->len += from->len;
    q->unsent += from->unsent;
    q->records += from->records;
    outq_init(from);
}

int outq_peek(const struct outq *q, struct iovec *vec, size_t cap, size_t max_bytes)
{
    int n = 0;
    size_t left = q->unsent < max_bytes ? q->unsent : max_bytes, at = q->cursor_at;
    for (struct outq_chunk *c = q->cursor; c && left > 0 && (size_t)n < cap; c = c->next, at = 0) {
        size_t len = c->len - at;
        if (len == 0) {
            continue;
        }
        if (len > left) {
            len = left;
        }
        vec[n].iov_base = c->bytes + at;
        vec[n].iov_len = len;
        n++;
        left -= len;
    }
    return n;
}

void outq_sent(struct outq *q, size_t len)
{
    must(len <= q->unsent);
    q->unsent -= len;
    while (len > 0) {
        size_t here = q->cursor->len - q->cursor_at;
        if (here > len) {
            here = len;
        }
        q->cursor_at += here;
        len -= here;
        /* At the end of the last chunk the cursor stays there: more bytes may be appended. */
        if (q->cursor_at == q->cursor->len && q->cursor->next) {
            q->cursor = q->cursor->next;
            q->cursor_at = 0;
        }
    }
}

void outq_acked(struct outq *q, struct outq_pool *pool, uint64_t len)
{
    must(len <= q->len - q->unsent);
    q->len -= (size_t)len;
    while (q->first) {
        struct outq_chunk *c = q->first;
        size_t here = c->len - q->acked_at;
        if (here > len) {
            q->acked_at += (size_t)len;
            break;
        }
        len -= here;
        q->records -= c->records;
        q->first = c->next;
        q->acked_at = 0;
        if (q->cursor == c) {
            /* Only the last chunk can be wholly sent and still have the cursor. */
            q->cursor = q->first;
            q->cursor_at = 0;
        }
        if (q->last == c) {
            q->last = NULL;
        }
        chunk_free(pool, c);
    }
}
