/* spawnables: see the header. */
#include "actor/spawnables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "actor/limits.h"

struct spawnables_key {
    const char *name;
    size_t len;
};

void spawnables_init(struct spawnables *s, uint64_t seed)
{
    map_init(&s->by_name, seed);
    list_init(&s->all);
}

void spawnables_fini(struct spawnables *s)
{
    list_each_safe(l, &s->all) {
        free(container_of(l, struct spawnable, all));
    }
    list_init(&s->all);
    map_fini(&s->by_name);
}

static bool spawnables_eq(const struct map_node *node, const void *key)
{
    const struct spawnable *it = container_of(node, struct spawnable, by_name);
    const struct spawnables_key *k = key;

    return it->len == k->len && memcmp(it->name, k->name, k->len) == 0;
}

int spawnables_teach(struct spawnables *s, const char *name, const struct rusm_behaviour *behaviour)
{
    size_t len = strlen(name);

    if (!id_process_name_ok(name, len)) {
        return RUSM_EINVAL;
    }
    if (spawnables_find(s, name, len)) {
        return RUSM_EEXIST;
    }
    if (s->by_name.count >= LIMIT_SPAWNABLES) {
        return RUSM_ELIMIT;
    }
    struct spawnable *it = calloc(1, sizeof(*it) + len + 1);
    if (!it) {
        return RUSM_ENOMEM;
    }
    it->behaviour = behaviour;
    it->len = (uint32_t)len;
    memcpy(it->name, name, len);
    if (map_insert(&s->by_name, map_hash_bytes(&s->by_name, name, len), &it->by_name) != 0) {
        free(it);
        return RUSM_ENOMEM;
    }
    list_append(&s->all, &it->all);
    return 0;
}

const struct rusm_behaviour *spawnables_find(const struct spawnables *s, const char *name,
                                             size_t len)
{
    struct spawnables_key key = { .name = name, .len = len };
    uint64_t hash = map_hash_bytes(&s->by_name, name, len);
    struct map_node *found = map_find(&s->by_name, hash, spawnables_eq, &key);

    return found ? container_of(found, struct spawnable, by_name)->behaviour : NULL;
}
