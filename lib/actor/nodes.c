/* nodes: see the header. */
#include "actor/nodes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "actor/limits.h"
#include "base/limits.h"

struct nodes_key {
    const char *name;
    size_t len;
};

static bool nodes_eq(const struct map_node *node, const void *key)
{
    const struct node_name *it = container_of(node, struct node_name, by_name);
    const struct nodes_key *k = key;

    return it->len == k->len && memcmp(it->name, k->name, k->len) == 0;
}

/* Makes room for one more pointer in an array, if it has fewer than max. Returns 0, RUSM_ELIMIT or
 * RUSM_ENOMEM. */
static int nodes_room(void **at, uint32_t count, uint32_t *cap, size_t max)
{
    if (count >= max) {
        return RUSM_ELIMIT;
    }
    if (count < *cap) {
        return 0;
    }
    uint32_t more = *cap ? *cap * 2 : 8;
    void *grown = realloc(*at, more * sizeof(void *));
    if (!grown) {
        return RUSM_ENOMEM;
    }
    *at = grown;
    *cap = more;
    return 0;
}

/* ---- what the schedulers share ---- */

void node_names_init(struct node_names *k, uint64_t seed)
{
    *k = (struct node_names){ 0 };
    pthread_mutex_init(&k->lock, NULL);
    map_init(&k->by_name, seed);
}

void node_names_fini(struct node_names *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        free(k->at[i]);
    }
    free(k->at);
    map_fini(&k->by_name);
    pthread_mutex_destroy(&k->lock);
}

static bool known_eq(const struct map_node *node, const void *key)
{
    const struct node_known *it = container_of(node, struct node_known, by_name);
    const struct nodes_key *k = key;

    return it->len == k->len && memcmp(it->name, k->name, k->len) == 0;
}

/* Adds a name or a client to the shared table. Called under the lock. */
static int known_add(struct node_names *k, const char *name, size_t len, bool client, size_t max,
                     uint32_t *index)
{
    struct nodes_key key = { .name = name, .len = len };
    uint64_t hash = map_hash_bytes(&k->by_name, name, len);
    struct map_node *found = client ? NULL : map_find(&k->by_name, hash, known_eq, &key);

    if (found) {
        *index = container_of(found, struct node_known, by_name)->index;
        return 0;
    }
    uint32_t count = atomic_load_explicit(&k->count, memory_order_relaxed);
    void *at = k->at;
    int err = nodes_room(&at, count, &k->cap, max);
    k->at = at;
    struct node_known *it = err ? NULL : calloc(1, sizeof(*it) + len + 1);
    if (!it || (!client && map_insert(&k->by_name, hash, &it->by_name) != 0)) {
        free(it);
        return err ? err : RUSM_ENOMEM;
    }
    it->index = *index = count;
    it->len = (uint32_t)len;
    it->client = client;
    memcpy(it->name, name, len);
    k->at[count] = it;
    atomic_store_explicit(&k->count, count + 1, memory_order_relaxed);
    return 0;
}

/* ---- one scheduler's ---- */

/* Makes the entry for the next index. */
static int nodes_add(struct nodes *n, const char *name, size_t len, bool client, size_t max)
{
    void *at = n->at;
    int err = nodes_room(&at, n->count, &n->cap, max);
    n->at = at;
    struct node_name *it = err ? NULL : calloc(1, sizeof(*it) + len + 1);

    if (!it || (!client && map_insert(&n->by_name, map_hash_bytes(&n->by_name, name, len),
                                      &it->by_name) != 0)) {
        free(it);
        return err ? err : RUSM_ENOMEM;
    }
    it->index = n->count;
    it->len = (uint32_t)len;
    it->client = client;
    it->share = client ? 0 : id_node_share(name, len);
    memcpy(it->name, name, len);
    list_init(&it->watched);
    list_init(&it->watching);
    list_init(&it->calls);
    list_init(&it->linked);
    list_init(&it->unsent);
    list_init(&it->unsent_at);
    n->at[n->count++] = it;
    return 0;
}

/* Adds every node of the shared table that this scheduler does not know yet. */
static int nodes_learn(struct nodes *n)
{
    struct node_names *k = n->known;
    int err = 0;

    pthread_mutex_lock(&k->lock);
    while (err == 0 && n->count < atomic_load_explicit(&k->count, memory_order_relaxed)) {
        struct node_known *it = k->at[n->count];
        err = nodes_add(n, it->name, it->len, it->client, SIZE_MAX);
        if (err == 0) {
            n->at[n->count - 1]->known = it;
        }
    }
    pthread_mutex_unlock(&k->lock);
    return err;
}

/* Adds a name or a client, to the shared table too if there is one. */
static int nodes_new(struct nodes *n, const char *name, size_t len, bool client, size_t max,
                     uint32_t *index)
{
    if (!n->known) {
        *index = n->count;
        return nodes_add(n, name, len, client, max);
    }
    pthread_mutex_lock(&n->known->lock);
    int err = known_add(n->known, name, len, client, max, index);
    pthread_mutex_unlock(&n->known->lock);
    return err ? err : nodes_learn(n);
}

int nodes_init(struct nodes *n, const char *own, struct node_names *known, uint64_t seed)
{
    uint32_t index;

    *n = (struct nodes){ .known = known };
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

static int nodes_get(struct nodes *n, const char *name, size_t len, size_t max, uint32_t *index)
{
    uint64_t hash = map_hash_bytes(&n->by_name, name, len);
    struct nodes_key key = { .name = name, .len = len };
    struct map_node *found = map_find(&n->by_name, hash, nodes_eq, &key);

    if (found) {
        *index = container_of(found, struct node_name, by_name)->index;
        return 0;
    }
    return id_node_name_ok(name, len) ? nodes_new(n, name, len, false, max, index) : RUSM_EINVAL;
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

    if (n->free) {
        *index = n->free;
        n->free = n->at[n->free]->next_free;
        return 0;
    }
    /* The maximum is higher, so that names which peers make up do not keep clients out. */
    return nodes_new(n, name, sizeof(name) - 1, true, LIMIT_NODE_NAMES + LIMIT_CONNECTIONS, index);
}

void nodes_client_down(struct nodes *n, uint32_t index)
{
    n->at[index]->next_free = n->free;
    n->free = index;
}

struct node_name *nodes_at(const struct nodes *n, uint32_t index)
{
    if (index >= n->count && n->known &&
        index < atomic_load_explicit(&n->known->count, memory_order_relaxed)) {
        (void)nodes_learn((struct nodes *)n);
    }
    return index < n->count ? n->at[index] : NULL;
}
