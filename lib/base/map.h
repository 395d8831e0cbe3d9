/* map: an intrusive hash table (chained, power-of-two buckets, grows at load 1). The element
 * embeds a struct map_node; the caller hashes and compares. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map {
    struct map_node **bucket;
    size_t mask; /* buckets - 1; 0 and bucket NULL before the first insert */
    size_t count;
    uint64_t seed; /* mixed into map_hash_* so that peers can't aim at one bucket */
};

/* Is `node` the one looked for? Called only for nodes of the same hash. */
typedef bool map_eq_fn(const struct map_node *node, const void *key);

void map_init(struct map *m, uint64_t seed);
void map_fini(struct map *m); /* frees the buckets, not the elements */

/* Two words to one, by the 128-bit product folded, as wyhash does. */
static inline uint64_t map_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t map_hash_u64(const struct map *m, uint64_t key)
{
    uint64_t h = map_mix(key ^ m->seed, UINT64_C(0x9e3779b97f4a7c15));
    return map_mix(h ^ key, m->seed ^ UINT64_C(0xd6e8feb86659fd93));
}

uint64_t map_hash_bytes(const struct map *m, const void *data, size_t len);

static inline struct map_node *map_find(const struct map *m, uint64_t hash, map_eq_fn *eq,
                                        const void *key)
{
    struct map_node *n = m->bucket ? m->bucket[hash & m->mask] : NULL;
    while (n && !(n->hash == hash && eq(n, key))) {
        n = n->next;
    }
    return n;
}

/* The key must not be in the map. 0 or RUSM_ENOMEM (nothing changed). */
int map_insert(struct map *m, uint64_t hash, struct map_node *node);
void map_remove(struct map *m, struct map_node *node); /* must be in the map */

/* Walks all elements in no order; the body may remove the current one, and nothing else.
 *     for (struct map_node *n = map_first(&m, &it); n; n = map_next(&m, &it)) */
struct map_iter {
    size_t bucket;
    struct map_node *next;
};
struct map_node *map_first(const struct map *m, struct map_iter *it);
struct map_node *map_next(const struct map *m, struct map_iter *it);

/* A walk that may rest between two steps while the map changes: what is in it all the time is met
 * exactly once. Starts as { 0 }. A step gives the elements of one bucket, linked by `next` (NULL:
 * an empty one); false: there are no more. */
struct map_scan {
    size_t bucket;
    bool over;
};
bool map_scan(const struct map *m, struct map_scan *scan, struct map_node **bucket);

#endif
