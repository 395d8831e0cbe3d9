/* pool: spare objects of one size. They make what comes and goes with every message cost no malloc.
 * A pool keeps at most `max` objects and frees the others. One thread. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
    void *spare; /* each begins with a pointer to the next */
    size_t size; /* bytes of an object */
    unsigned count, max;
};

void pool_init(struct pool *p, size_t size, unsigned max); /* does not allocate */
void pool_fini(struct pool *p);                            /* frees the spare objects */
void *pool_take(struct pool *p);                           /* not zeroed; NULL: no memory */
void pool_give(struct pool *p, void *object);              /* takes; object may be NULL */

#endif
