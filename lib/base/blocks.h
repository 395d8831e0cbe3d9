/* blocks: spare blocks of large memory. With them, a series of large messages does not ask the
 * system for fresh pages each time, which takes three times as long as to fill them. A block that
 * nobody used for a while goes back to the heap. The blocks come from malloc, so the owner of a
 * block may also free it. One thread. */
#ifndef BASE_BLOCKS_H
#define BASE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

/* Smaller blocks are not kept: malloc does well with them. */
#define BLOCKS_LEAST ((size_t)128 * 1024)
#define BLOCKS_SPARE 16

struct blocks {
    struct {
        void *at;
        size_t size;
        bool old;          /* it was spare at the last tick already */
    } spare[BLOCKS_SPARE]; /* the oldest first */
    size_t count, bytes;
};

void blocks_init(struct blocks *b);
void blocks_fini(struct blocks *b);
/* Returns a block of any SIZE, not zeroed, or NULL if there is no memory. With b NULL, these two
 * functions are malloc and free. */
void *blocks_take(struct blocks *b, size_t size);
void blocks_give(struct blocks *b, void *block); /* takes; block may be NULL */
/* Frees the blocks that were spare at the last call already. Call it about once a second while
 * there are spare blocks. */
void blocks_tick(struct blocks *b);

static inline bool blocks_any(const struct blocks *b)
{
    return b->count > 0;
}

#endif
