/* map: see the header. Growth moves all elements at once. Finding is inline. One thread at a
 * time. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "rusm.h"

#define MAP_LEAST 8 /* buckets at first */

void map_init(struct map *m, uint64_t seed)
{
    *m = (struct map){ .seed = seed };
}

void map_fini(struct map *m)
{
    free(m->bucket);
    map_init(m, m->seed);
}

static uint64_t map_word(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t map_half(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

uint64_t map_hash_bytes(const struct map *m, const void *data, size_t len)
{
    static const uint64_t c0 = UINT64_C(0xa0761d6478bd642f), c1 = UINT64_C(0xe7037ed1a0b428db);
    const uint8_t *p = data;
    uint64_t h = m->seed ^ map_mix(m->seed ^ c0, c1), a = 0, b = 0;
    size_t left = len;

    if (len > 16) {
        for (; left > 16; left -= 16, p += 16) {
            h = map_mix(map_word(p) ^ c1, map_word(p + 8) ^ h);
        }
        /* Read the last 16 bytes, even if some of them a second time. So there is no tail of single
         * bytes. */
        a = map_word(p + left - 16);
        b = map_word(p + left - 8);
    } else if (len >= 8) {
        a = map_word(p);
        b = map_word(p + len - 8);
    } else if (len >= 4) {
        a = map_half(p);
        b = map_half(p + len - 4);
    } else if (len > 0) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[len / 2] << 8 | p[len - 1];
    }
    return map_mix(c1 ^ len, map_mix(a ^ c1, b ^ h) ^ m->seed);
}

static bool map_grow(struct map *m)
{
    size_t buckets = m->bucket ? (m->mask + 1) * 2 : MAP_LEAST;
    struct map_node **bucket = calloc(buckets, sizeof(struct map_node *));

    if (!bucket) {
        return false;
    }
    for (size_t i = 0; m->bucket && i <= m->mask; i++) {
        for (struct map_node *n = m->bucket[i], *next; n; n = next) {
            next = n->next;
            n->next = bucket[n->hash & (buckets - 1)];
            bucket[n->hash & (buckets - 1)] = n;
        }
    }
    free(m->bucket);
    m->bucket = bucket;
    m->mask = buckets - 1;
    return true;
}

int map_insert(struct map *m, uint64_t hash, struct map_node *node)
{
    /* Without memory for more buckets the old ones still work, only slower. */
    if ((!m->bucket || m->count > m->mask) && !map_grow(m) && !m->bucket) {
        return RUSM_ENOMEM;
    }
    node->hash = hash;
    node->next = m->bucket[hash & m->mask];
    m->bucket[hash & m->mask] = node;
    m->count++;
    return 0;
}

void map_remove(struct map *m, struct map_node *node)
{
    must(m->bucket);
    struct map_node **at = &m->bucket[node->hash & m->mask];
    while (*at != node) {
        must(*at);
        at = &(*at)->next;
    }
    *at = node->next;
    node->next = NULL;
    m->count--;
}

struct map_node *map_first(const struct map *m, struct map_iter *it)
{
    *it = (struct map_iter){ 0 };
    return map_next(m, it);
}

struct map_node *map_next(const struct map *m, struct map_iter *it)
{
    struct map_node *n = it->next;

    while (!n && m->bucket && it->bucket <= m->mask) {
        n = m->bucket[it->bucket++];
    }
    it->next = n ? n->next : NULL;
    return n;
}

bool map_scan(const struct map *m, struct map_scan *scan, struct map_node **bucket)
{
    if (!m->bucket || scan->over) {
        return false;
    }
    *bucket = m->bucket[scan->bucket & m->mask];
    /* Count up from the highest bit. When the buckets double, one bucket becomes two. The scan has
     * then visited both of them or neither. */
    size_t bit = (m->mask + 1) >> 1;
    while (bit && (scan->bucket & bit)) {
        scan->bucket &= ~bit;
        bit >>= 1;
    }
    scan->bucket |= bit;
    scan->over = bit == 0;
    return true;
}
