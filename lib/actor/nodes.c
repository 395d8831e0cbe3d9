/* nodes: see the header. */
#include "actor/nodes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/limits.h"

struct nodes_key {
    const char *name;
    size_t len;
};

int nodes_init(struct nodes *n, const char *own, uint64_t seed)
{
    uint32_t index;

    *n = (struct nodes){ 0 };
    map_init(&n->by_name, seed);
    return nodes_index(n, own, strlen(own), &index);
}

void nodes_fini(struct nodes *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        free(n->at[i]);
    }
    free(n->at);
    map_fini(&n->by_name);
    *n = (struct nodes){ 0 };
}

static bool nodes_eq(const struct map_node *node, const void *key)
{
    const struct node_name *it = list_entry(node, struct node_name, by_name);
    const struct nodes_key *k = key;

    return it->len == k->len && memcmp(it->name, k->name, k->len) == 0;
}

static int nodes_grow(struct nodes *n)
{
    uint32_t cap = n->cap ? n->cap * 2 : 8;
    struct node_name **at = realloc(n->at, cap * sizeof(struct node_name *));

    if (!at) {
        return RUSM_ENOMEM;
    }
    n->at = at;
    n->cap = cap;
    return 0;
}

/* Makes the entry for the next index, if there are fewer than max; it is in the table once count is
 * raised. */
static int nodes_add(struct nodes *n, const char *name, size_t len, size_t max,
                     struct node_name **out)
{
    if (n->count >= max) {
        return RUSM_ELIMIT;
    }
    if (n->count == n->cap && nodes_grow(n) != 0) {
        return RUSM_ENOMEM;
    }
    struct node_name *it = calloc(1, sizeof(*it) + len + 1);
    if (!it) {
        return RUSM_ENOMEM;
    }
    it->index = n->count;
    it->len = (uint32_t)len;
    memcpy(it->name, name, len);
    list_init(&it->watched);
    list_init(&it->watching);
    list_init(&it->calls);
    list_init(&it->linked);
    *out = it;
    return 0;
}

static int nodes_get(struct nodes *n, const char *name, size_t len, size_t max, uint32_t *index)
{
    uint64_t hash = map_hash_bytes(&n->by_name, name, len);
    struct nodes_key key = { .name = name, .len = len };
    struct map_node *found = map_find(&n->by_name, hash, nodes_eq, &key);

    if (found) {
        *index = list_entry(found, struct node_name, by_name)->index;
        return 0;
    }
    if (!id_node_name_ok(name, len)) {
        return RUSM_EINVAL;
    }
    struct node_name *it;
    int err = nodes_add(n, name, len, max, &it);
    if (err) {
        return err;
    }
    if (map_insert(&n->by_name, hash, &it->by_name) != 0) {
        free(it);
        return RUSM_ENOMEM;
    }
    n->at[n->count++] = it;
    *index = it->index;
    return 0;
}

int nodes_index(struct nodes *n, const char *name, size_t len, uint32_t *index)
{
    return nodes_get(n, name, len, LIMIT_NODE_NAMES, index);
}

int nodes_heard(struct nodes *n, const char *name, size_t len, uint32_t *index)
{
    return nodes_get(n, name, len, LIMIT_NODE_NAMES - LIMIT_NODE_NAMES_OWN, index);
}

int nodes_client_up(struct nodes *n, uint32_t *index)
{
    static const char name[] = "client";
    struct node_name *it;

    if (n->free) {
        *index = n->free;
        n->free = n->at[n->free]->next_free;
        return 0;
    }
    /* Names that peers make up must not keep clients out. */
    int err = nodes_add(n, name, sizeof(name) - 1, LIMIT_NODE_NAMES + LIMIT_CONNECTIONS, &it);
    if (err) {
        return err;
    }
    n->at[n->count++] = it;
    *index = it->index;
    return 0;
}

void nodes_client_down(struct nodes *n, uint32_t index)
{
    n->at[index]->next_free = n->free;
    n->free = index;
}

struct node_name *nodes_at(const struct nodes *n, uint32_t index)
{
    return index < n->count ? n->at[index] : NULL;
}
