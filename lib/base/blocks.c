/* blocks: see the header. The peer and actor rooms use it on the scheduler's thread. */
#include "base/blocks.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

void blocks_init(struct blocks *b)
{
    b->count = b->bytes = 0;
}

/* Removes the I-th spare block and gives it to the caller. */
static void *blocks_remove(struct blocks *b, size_t i)
{
    void *block = b->spare[i].at;

    b->bytes -= b->spare[i].size;
    b->count--;
    memmove(&b->spare[i], &b->spare[i + 1], (b->count - i) * sizeof(b->spare[0]));
    return block;
}

void blocks_fini(struct blocks *b)
{
    while (b->count > 0) {
        free(blocks_remove(b, 0));
    }
}

void *blocks_take(struct blocks *b, size_t size)
{
    size_t best = BLOCKS_SPARE;

    for (size_t i = 0; size >= BLOCKS_LEAST && b && i < b->count; i++) {
        /* Skip a block of more than twice the size. A larger request may need it. */
        if (b->spare[i].size >= size && b->spare[i].size / 2 <= size &&
            (best == BLOCKS_SPARE || b->spare[i].size <= b->spare[best].size)) {
            best = i;
        }
    }
    return best < BLOCKS_SPARE ? blocks_remove(b, best) : malloc(size);
}

void blocks_give(struct blocks *b, void *block)
{
#ifndef __SANITIZE_ADDRESS__ /* the sanitizer must see who still reads a freed block */
    size_t size = malloc_usable_size(block);

    if (b && size >= BLOCKS_LEAST && size <= LIMIT_SPARE_BLOCKS) {
        while (b->count == BLOCKS_SPARE || b->bytes + size > LIMIT_SPARE_BLOCKS) {
            free(blocks_remove(b, 0));
        }
        b->spare[b->count].at = block;
        b->spare[b->count].size = size;
        b->spare[b->count].old = false;
        b->count++;
        b->bytes += size;
        return;
    }
#else
    (void)b;
#endif
    free(block);
}

void blocks_tick(struct blocks *b)
{
    while (b->count > 0 && b->spare[0].old) {
        free(blocks_remove(b, 0));
    }
    for (size_t i = 0; i < b->count; i++) {
        b->spare[i].old = true;
    }
}
