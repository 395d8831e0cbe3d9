/* heap: an intrusive binary min-heap of deadlines, for timers. An element embeds a struct
 * heap_node. The array of pointers grows and never shrinks. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    uint64_t key; /* nanoseconds; set by heap_insert and heap_move */
    size_t index; /* positions count from 1; 0: not in a heap */
};

struct heap {
    struct heap_node **at; /* at[1..count] */
    size_t count, cap;
};

void heap_init(struct heap *h);
void heap_fini(struct heap *h);
static inline bool heap_has(const struct heap_node *n)
{
    return n->index != 0;
}
int heap_insert(struct heap *h, struct heap_node *n, uint64_t key); /* 0 or RUSM_ENOMEM */
void heap_move(struct heap *h, struct heap_node *n, uint64_t key);  /* n must be in the heap */
void heap_remove(struct heap *h, struct heap_node *n);              /* n in no heap: does nothing */
struct heap_node *heap_min(const struct heap *h);                   /* NULL: the heap is empty */

#endif
