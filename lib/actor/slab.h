/* slab: objects of one size, carved from blocks that grow with their number and recycled through a
 * free list, so that a process costs its bytes and no allocator's header. Memory goes back to the
 * system only in slab_fini. One thread. */
#ifndef ACTOR_SLAB_H
#define ACTOR_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab_block;

struct slab {
    size_t size;               /* of an object */
    size_t block;              /* bytes of the next block */
    void *free;                /* given back; each begins with a pointer to the next */
    uint8_t *at, *end;         /* never used part of the newest block */
    struct slab_block *blocks; /* all, newest first */
};

void slab_init(struct slab *s, size_t size); /* no allocation */
void slab_fini(struct slab *s);              /* all objects must be back, or be forgotten */
void *slab_take(struct slab *s);             /* not zeroed; NULL: no memory */
void slab_give(struct slab *s, void *object);

#endif
