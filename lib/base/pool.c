/* pool: see the header. Under the address sanitizer the pool keeps nothing, so that the sanitizer
 * sees a use of an object that was given back. */
#include "base/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include "base/must.h"

static const bool pool_keeps =
#ifdef __SANITIZE_ADDRESS__
    false;
#else
    true;
#endif

void pool_init(struct pool *p, size_t size, unsigned max)
{
    must(size >= sizeof(void *));
    *p = (struct pool){ .size = size, .max = max };
}

void pool_fini(struct pool *p)
{
    while (p->spare) {
        void *object = p->spare;
        p->spare = *(void **)object;
        free(object);
    }
    p->count = 0;
}

void *pool_take(struct pool *p)
{
    void *object = p->spare;

    if (!object) {
        return malloc(p->size);
    }
    p->spare = *(void **)object;
    p->count--;
    return object;
}

void pool_give(struct pool *p, void *object)
{
    if (!object) {
        return;
    }
    if (!pool_keeps || p->count >= p->max) {
        free(object);
        return;
    }
    *(void **)object = p->spare;
    p->spare = object;
    p->count++;
}
