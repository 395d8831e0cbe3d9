/* container_of: finds a struct by the address of one of its members. For all rooms and threads. */
#ifndef BASE_CONTAINER_OF_H
#define BASE_CONTAINER_OF_H

#include <stddef.h>

static inline void *container_whole(const void *member, size_t offset)
{
    return (void *)((const char *)member - offset);
}

/* Returns the struct of `type` whose `member` is at `pointer`. The conditional is never evaluated.
 * It makes the compiler refuse a pointer to anything but that member's type. */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type and a member cannot stand in parentheses. */
#define container_of(pointer, type, member) \
    ((type *)container_whole(1 ? (pointer) : &((const type *)NULL)->member, offsetof(type, member)))
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
