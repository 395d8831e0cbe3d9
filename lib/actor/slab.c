/* slab: see the header. The actor room uses it for processes, monitors, links, waits and the
 * like. */
#include "actor/slab.h"

#include <stdalign.h>
#include <stdlib.h>
#include "base/must.h"

#define SLAB_FIRST ((size_t)4 * 1024) /* small, so that a node with three processes stays small */
#define SLAB_LARGEST ((size_t)256 * 1024)

struct slab_block {
    alignas(max_align_t) struct slab_block *next;
};

void slab_init(struct slab *s, size_t size)
{
    const size_t unit = alignof(max_align_t);

    must(size >= sizeof(void *) && size <= SLAB_FIRST / 4);
    *s = (struct slab){ .size = (size + unit - 1) / unit * unit, .block = SLAB_FIRST };
}

void slab_fini(struct slab *s)
{
    while (s->blocks) {
        struct slab_block *next = s->blocks->next;
        free(s->blocks);
        s->blocks = next;
    }
    s->free = s->at = s->end = NULL;
}

#ifdef __SANITIZE_ADDRESS__
/* Each object is a heap block of its own, so that the sanitizer sees use after free and leaks. */
void *slab_take(struct slab *s)
{
    return malloc(s->size);
}

void slab_give(struct slab *s, void *object)
{
    (void)s;
    free(object);
}
#else
void *slab_take(struct slab *s)
{
    void *object = s->free;

    if (object) {
        s->free = *(void **)object;
        return object;
    }
    if ((size_t)(s->end - s->at) < s->size) {
        struct slab_block *block = malloc(s->block);
        if (!block) {
            return NULL;
        }
        block->next = s->blocks;
        s->blocks = block;
        s->at = (uint8_t *)(block + 1);
        s->end = (uint8_t *)block + s->block;
        if (s->block < SLAB_LARGEST) {
            s->block *= 2;
        }
    }
    object = s->at;
    s->at += s->size;
    return object;
}

void slab_give(struct slab *s, void *object)
{
    *(void **)object = s->free;
    s->free = object;
}
#endif
