/* buf: a growing byte buffer with a limit, consumed from the front. Memory is moved only when it
 * must grow or when more than half is consumed. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *base;
    size_t start, end, cap; /* the bytes are base[start..end) */
    size_t max;             /* never holds more than this */
};

void buf_init(struct buf *b, size_t max); /* no allocation */
void buf_fini(struct buf *b);

static inline uint8_t *buf_data(const struct buf *b)
{
    return b->base ? b->base + b->start : NULL;
}

static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

/* Room for `len` more bytes behind the end, to be written by the caller and confirmed with
 * buf_wrote. NULL: over max or no memory. */
uint8_t *buf_reserve(struct buf *b, size_t len);
void buf_wrote(struct buf *b, size_t len);
/* 0, RUSM_ELIMIT (over max) or RUSM_ENOMEM; nothing is taken then. */
int buf_append(struct buf *b, const void *data, size_t len);
void buf_consume(struct buf *b, size_t len);
void buf_clear(struct buf *b);
/* Gives the memory back to the system if the buffer is empty. */
void buf_trim(struct buf *b);

#endif
