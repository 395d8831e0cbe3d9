/* buf: see the header. It holds unread bytes of streams and queues of frames. One thread at a
 * time. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "rusm.h"

#define BUF_LEAST 256 /* bytes of the first allocation: a few small frames */

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_fini(struct buf *b)
{
    free(b->base);
    *b = (struct buf){ .max = b->max };
}

/* Moves the bytes to the front of a new block with room for NEED bytes in total. Returns false if
 * there is no memory. */
static bool buf_grow(struct buf *b, size_t need)
{
    size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
    size_t len = buf_len(b);

    if (cap < BUF_LEAST) {
        cap = BUF_LEAST;
    }
    if (cap < need) {
        cap = need;
    }
    if (cap > b->max) {
        cap = b->max;
    }
    uint8_t *base = malloc(cap);
    if (!base) {
        return false;
    }
    if (len > 0) {
        memcpy(base, buf_data(b), len);
    }
    free(b->base);
    b->base = base;
    b->start = 0;
    b->end = len;
    b->cap = cap;
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
    size_t have = buf_len(b);

    if (b->max == 0 || len > b->max - have) {
        return NULL;
    }
    if (b->base && b->cap - b->end >= len) {
        return b->base + b->end;
    }
    size_t need = have + len;
    if (b->base && need <= b->cap && (b->start > b->cap / 2 || b->cap == b->max)) {
        memmove(b->base, b->base + b->start, have);
        b->start = 0;
        b->end = have;
    } else if (!buf_grow(b, need)) {
        return NULL;
    }
    return b->base + b->end;
}

void buf_wrote(struct buf *b, size_t len)
{
    must(len <= b->cap - b->end);
    b->end += len;
}

int buf_append(struct buf *b, const void *data, size_t len)
{
    if (len == 0) {
        return 0;
    }
    if (len > b->max - buf_len(b)) {
        return RUSM_ELIMIT;
    }
    uint8_t *room = buf_reserve(b, len);
    if (!room) {
        return RUSM_ENOMEM;
    }
    memcpy(room, data, len);
    buf_wrote(b, len);
    return 0;
}

void buf_consume(struct buf *b, size_t len)
{
    must(len <= buf_len(b));
    b->start += len;
    if (b->start == b->end) {
        buf_clear(b);
    }
}

void buf_clear(struct buf *b)
{
    b->start = b->end = 0;
}

void buf_trim(struct buf *b)
{
    if (buf_len(b) == 0) {
        buf_fini(b);
    }
}
