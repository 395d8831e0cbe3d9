/* pool: spare objects of one size, so that what comes and goes with every message costs no malloc.
 * Keeps at most `max` of them; the rest goes back to the heap. One thread. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
    void *spare; /* each begins with a pointer to the next */
    size_t size; /* of an object */
    unsigned count, max;
};

void pool_init(struct pool *p, size_t size, unsigned max); /* no allocation */
void pool_fini(struct pool *p);                            /* frees the spare ones */
void *pool_take(struct pool *p);                           /* not zeroed; NULL: no memory */
void pool_give(struct pool *p, void *object);              /* takes; NULL is fine */

#endif
