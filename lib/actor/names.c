/* names: see the header. */
#include "actor/names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "actor/state.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/must.h"

struct names_key {
    const char *name;
    size_t len;
};

void names_init(struct names *n, uint64_t seed)
{
    map_init(&n->by_name, seed);
}

void names_fini(struct names *n)
{
    must(n->by_name.count == 0);
    map_fini(&n->by_name);
}

static bool names_eq(const struct map_node *node, const void *key)
{
    const struct process_name *it = list_entry(node, struct process_name, by_name);
    const struct names_key *k = key;

    return it->len == k->len && memcmp(it->name, k->name, k->len) == 0;
}

static struct process_name *names_get(const struct names *n, const char *name, size_t len)
{
    struct names_key key = { .name = name, .len = len };
    uint64_t hash = map_hash_bytes(&n->by_name, name, len);
    struct map_node *found = map_find(&n->by_name, hash, names_eq, &key);

    return found ? list_entry(found, struct process_name, by_name) : NULL;
}

int names_add(struct names *n, struct rusm_process *holder, const char *name, size_t len)
{
    if (!id_process_name_ok(name, len)) {
        return RUSM_EINVAL;
    }
    if (names_get(n, name, len)) {
        return RUSM_EEXIST;
    }
    if (n->by_name.count >= LIMIT_NAMES) {
        return RUSM_ELIMIT;
    }
    struct process_name *it = calloc(1, sizeof(*it) + len + 1);
    if (!it) {
        return RUSM_ENOMEM;
    }
    it->holder = holder;
    it->len = (uint32_t)len;
    memcpy(it->name, name, len);
    if (map_insert(&n->by_name, map_hash_bytes(&n->by_name, name, len), &it->by_name) != 0) {
        free(it);
        return RUSM_ENOMEM;
    }
    list_append(&holder->names, &it->at_holder);
    return 0;
}

static void names_drop(struct names *n, struct process_name *it)
{
    map_remove(&n->by_name, &it->by_name);
    list_remove(&it->at_holder);
    free(it);
}

int names_remove(struct names *n, const char *name, size_t len)
{
    struct process_name *it = names_get(n, name, len);

    if (!it) {
        return RUSM_ENOPROC;
    }
    names_drop(n, it);
    return 0;
}

void names_forget(struct names *n, struct rusm_process *holder)
{
    list_each_safe(l, &holder->names) {
        names_drop(n, list_entry(l, struct process_name, at_holder));
    }
}

struct rusm_process *names_find(const struct names *n, const char *name, size_t len)
{
    struct process_name *it = names_get(n, name, len);

    return it ? it->holder : NULL;
}
