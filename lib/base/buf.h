/* buf: a byte buffer that grows up to a limit and is consumed from the front. The bytes move only
 * when the buffer must grow, or when more than half of it is consumed. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *base;
    size_t start, end, cap; /* the bytes are base[start..end) */
    size_t max;             /* limit: the buffer never holds more bytes */
};

void buf_init(struct buf *b, size_t max); /* does not allocate */
void buf_fini(struct buf *b);

static inline uint8_t *buf_data(const struct buf *b)
{
    return b->base ? b->base + b->start : NULL;
}

static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

/* Returns room for LEN more bytes behind the end, or NULL if they exceed max or there is no memory.
 * The caller writes the bytes and confirms them with buf_wrote. */
uint8_t *buf_reserve(struct buf *b, size_t len);
void buf_wrote(struct buf *b, size_t len);
/* Returns 0, RUSM_ELIMIT if the bytes exceed max, or RUSM_ENOMEM. It appends nothing if it
 * fails. */
int buf_append(struct buf *b, const void *data, size_t len);
void buf_consume(struct buf *b, size_t len);
void buf_clear(struct buf *b);
/* Frees the memory if the buffer is empty. */
void buf_trim(struct buf *b);

#endif
