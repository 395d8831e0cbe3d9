/* memory: makes allocations fail. A test program that includes this once has in a comment the line
 *
 *     LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * with only the functions that the tested rooms call. memory_fail_after(n) then lets n allocations
 * of the rooms succeed and fails all later ones, until memory_works. */
#ifndef DOUBLES_MEMORY_H
#define DOUBLES_MEMORY_H

#include <stddef.h>

static size_t memory_left = (size_t)-1; /* allocations that still succeed */

static inline void memory_fail_after(size_t count)
{
    memory_left = count;
}

static inline void memory_works(void)
{
    memory_left = (size_t)-1;
}

static inline int memory_denied(void)
{
    if (memory_left == (size_t)-1) {
        return 0;
    }
    return memory_left > 0 ? (memory_left--, 0) : 1;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return memory_denied() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return memory_denied() ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return memory_denied() ? NULL : __real_realloc(old, size);
}

#endif
