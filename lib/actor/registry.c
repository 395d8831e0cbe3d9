/* registry: see the header. */
#include "actor/registry.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "actor/state.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/must.h"

struct registry_key {
    const char *name;
    size_t len;
};

void registry_init(struct registry *r, uint64_t seed)
{
    map_init(&r->by_name, seed);
}

void registry_fini(struct registry *r)
{
    must(r->by_name.count == 0);
    map_fini(&r->by_name);
}

static bool registry_eq(const struct map_node *node, const void *key)
{
    const struct registry_name *it = list_entry(node, struct registry_name, by_name);
    const struct registry_key *k = key;

    return it->len == k->len && memcmp(it->name, k->name, k->len) == 0;
}

static struct registry_name *registry_get(const struct registry *r, const char *name, size_t len)
{
    struct registry_key key = { .name = name, .len = len };
    uint64_t hash = map_hash_bytes(&r->by_name, name, len);
    struct map_node *found = map_find(&r->by_name, hash, registry_eq, &key);

    return found ? list_entry(found, struct registry_name, by_name) : NULL;
}

int registry_add(struct registry *r, struct rusm_process *holder, const char *name, size_t len)
{
    if (!id_process_name_ok(name, len)) {
        return RUSM_EINVAL;
    }
    if (registry_get(r, name, len)) {
        return RUSM_EEXIST;
    }
    if (r->by_name.count >= LIMIT_NAMES) {
        return RUSM_ELIMIT;
    }
    struct registry_name *it = calloc(1, sizeof(*it) + len + 1);
    if (!it) {
        return RUSM_ENOMEM;
    }
    it->holder = holder;
    it->len = (uint32_t)len;
    memcpy(it->name, name, len);
    if (map_insert(&r->by_name, map_hash_bytes(&r->by_name, name, len), &it->by_name) != 0) {
        free(it);
        return RUSM_ENOMEM;
    }
    list_append(&holder->names, &it->at_holder);
    return 0;
}

static void registry_drop(struct registry *r, struct registry_name *it)
{
    map_remove(&r->by_name, &it->by_name);
    list_remove(&it->at_holder);
    free(it);
}

int registry_remove(struct registry *r, const char *name, size_t len)
{
    struct registry_name *it = registry_get(r, name, len);

    if (!it) {
        return RUSM_ENOPROC;
    }
    registry_drop(r, it);
    return 0;
}

void registry_forget(struct registry *r, struct rusm_process *holder)
{
    list_each_safe(l, &holder->names) {
        registry_drop(r, list_entry(l, struct registry_name, at_holder));
    }
}

struct rusm_process *registry_find(const struct registry *r, const char *name, size_t len)
{
    struct registry_name *it = registry_get(r, name, len);

    return it ? it->holder : NULL;
}
