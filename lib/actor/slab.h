/* slab: objects of one size, carved from blocks and recycled through a free list. The blocks grow
 * with the number of objects. So a process costs its bytes and no allocator's header. Memory goes
 * back to the system only in slab_fini. One thread. */
#ifndef ACTOR_SLAB_H
#define ACTOR_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab_block;

struct slab {
    size_t size;               /* of an object */
    size_t block;              /* bytes of the next block */
    void *free;                /* objects given back; each begins with a pointer to the next */
    uint8_t *at, *end;         /* unused part of the newest block */
    struct slab_block *blocks; /* newest first */
};

void slab_init(struct slab *s, size_t size); /* no allocation */
void slab_fini(struct slab *s);              /* all objects must be back, or never used again */
void *slab_take(struct slab *s);             /* not zeroed; NULL: no memory */
void slab_give(struct slab *s, void *object);

#endif
