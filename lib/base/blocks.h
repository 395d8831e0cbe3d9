/* blocks: large spare memory, so that one large message after the other does not ask the system for
 * fresh pages each time, which takes three times as long as to fill them. What nobody used for a
 * while goes back. Blocks are malloc's: whoever has one may as well free it. One thread. */
#ifndef BASE_BLOCKS_H
#define BASE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

/* Smaller ones are none of its business: malloc does well with them. */
#define BLOCKS_LEAST ((size_t)128 * 1024)
#define BLOCKS_SPARE 16

struct blocks {
    struct {
        void *at;
        size_t size;
        bool old;          /* was here at the last tick already */
    } spare[BLOCKS_SPARE]; /* the oldest first */
    size_t count, bytes;
};

void blocks_init(struct blocks *b);
void blocks_fini(struct blocks *b);
/* Any size; not zeroed. NULL: no memory. b NULL: as malloc and free. */
void *blocks_take(struct blocks *b, size_t size);
void blocks_give(struct blocks *b, void *block); /* takes; NULL is fine */
/* Frees those that were spare at the last call too. To be called about once a second while there
 * are any. */
void blocks_tick(struct blocks *b);

static inline bool blocks_any(const struct blocks *b)
{
    return b->count > 0;
}

#endif
