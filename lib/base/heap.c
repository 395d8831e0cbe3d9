/* heap: see the header. It holds the timers of connections, dials and processes. One thread at a
 * time. */
#include "base/heap.h"

#include <stdlib.h>
#include "base/must.h"
#include "rusm.h"

#define HEAP_LEAST 16 /* size of the first array */

void heap_init(struct heap *h)
{
    *h = (struct heap){ 0 };
}

void heap_fini(struct heap *h)
{
    free(h->at);
    heap_init(h);
}

static void heap_put(struct heap *h, size_t i, struct heap_node *n)
{
    h->at[i] = n;
    n->index = i;
}

/* Puts N into the heap. Index I is a hole, where the search for its place begins. */
static void heap_settle(struct heap *h, size_t i, struct heap_node *n)
{
    while (i > 1 && h->at[i / 2]->key > n->key) {
        heap_put(h, i, h->at[i / 2]);
        i /= 2;
    }
    for (size_t child = i * 2; child <= h->count; child = i * 2) {
        if (child < h->count && h->at[child + 1]->key < h->at[child]->key) {
            child++;
        }
        if (h->at[child]->key >= n->key) {
            break;
        }
        heap_put(h, i, h->at[child]);
        i = child;
    }
    heap_put(h, i, n);
}

int heap_insert(struct heap *h, struct heap_node *n, uint64_t key)
{
    must(!heap_has(n));
    if (h->count + 1 >= h->cap) {
        size_t cap = h->cap ? h->cap * 2 : HEAP_LEAST;
        struct heap_node **at = realloc(h->at, cap * sizeof(struct heap_node *));
        if (!at) {
            return RUSM_ENOMEM;
        }
        h->at = at;
        h->cap = cap;
    }
    n->key = key;
    h->count++;
    heap_settle(h, h->count, n);
    return 0;
}

void heap_move(struct heap *h, struct heap_node *n, uint64_t key)
{
    must(heap_has(n) && n->index <= h->count && h->at[n->index] == n);
    n->key = key;
    heap_settle(h, n->index, n);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
    size_t i = n->index;

    if (i == 0) {
        return;
    }
    must(i <= h->count && h->at[i] == n);
    struct heap_node *last = h->at[h->count--];
    if (last != n) {
        heap_settle(h, i, last);
    }
    n->index = 0;
}

struct heap_node *heap_min(const struct heap *h)
{
    return h->count > 0 ? h->at[1] : NULL;
}
