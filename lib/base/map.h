/* map: an intrusive hash table (chained, power-of-two buckets, grows at load 1). An element embeds
 * a struct map_node. The caller hashes and compares. */
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
    size_t mask; /* buckets - 1; before the first insert 0, and bucket is NULL */
    size_t count;
    uint64_t seed; /* mixed into map_hash_*, so that peers cannot aim at one bucket */
};

/* Does NODE have this key? Called only for nodes of the same hash. */
typedef bool map_eq_fn(const struct map_node *node, const void *key);

void map_init(struct map *m, uint64_t seed);
void map_fini(struct map *m); /* frees the buckets, not the elements */

/* Mixes two words into one: it folds their 128-bit product, as wyhash does. */
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

/* Returns 0, or RUSM_ENOMEM and changes nothing. The key must not be in the map. */
int map_insert(struct map *m, uint64_t hash, struct map_node *node);
void map_remove(struct map *m, struct map_node *node); /* node must be in the map */

/* Walks all elements in no particular order. The body may remove the current element and no other.
 *     for (struct map_node *n = map_first(&m, &it); n; n = map_next(&m, &it)) */
struct map_iter {
    size_t bucket;
    struct map_node *next;
};
struct map_node *map_first(const struct map *m, struct map_iter *it);
struct map_node *map_next(const struct map *m, struct map_iter *it);

/* A walk that may pause between two steps while the map changes. It meets each element that stays
 * in the map exactly once. It starts as { 0 }. A step sets *bucket to the elements of one bucket,
 * linked by `next`, or to NULL if the bucket is empty. It returns false when there are no more
 * buckets. */
struct map_scan {
    size_t bucket;
    bool over;
};
bool map_scan(const struct map *m, struct map_scan *scan, struct map_node **bucket);

#endif
