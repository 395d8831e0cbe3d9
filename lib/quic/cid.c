/* cid: the table of connection ids. endpoint looks up the id of every packet. conn and
 * conn_callbacks add and remove ids. On the endpoint's thread. */
#include "base/container_of.h"
#include "quic/cid.h"

#include <stdlib.h>
#include <string.h>
#include "rusm.h"

struct cid {
    struct map_node node;
    struct list owned; /* in the connection's list */
    struct conn *conn;
    uint8_t len;
    uint8_t id[CID_MAX];
};

struct key {
    const uint8_t *id;
    size_t len;
};

static struct cid *cid_of(const struct map_node *node)
{
    return container_of(node, struct cid, node);
}

static bool same(const struct map_node *node, const void *key)
{
    const struct cid *entry = cid_of(node);
    const struct key *k = key;

    return entry->len == k->len && memcmp(entry->id, k->id, k->len) == 0;
}

static uint64_t hash(const struct map *m, const uint8_t *id, size_t len)
{
    uint64_t value;

    if (len != CID_LEN) {
        return map_hash_bytes(m, id, len);
    }
    memcpy(&value, id, sizeof(value));
    return map_hash_u64(m, value);
}

static struct cid *lookup(const struct map *m, const uint8_t *id, size_t len)
{
    struct key key = { .id = id, .len = len };
    struct map_node *node = map_find(m, hash(m, id, len), same, &key);

    return node ? cid_of(node) : NULL;
}

int cid_add(struct map *m, struct list *owned, struct conn *c, const uint8_t *id, size_t len)
{
    struct cid *entry;

    if (len > CID_MAX) {
        return RUSM_EINVAL;
    }
    if (lookup(m, id, len)) {
        return RUSM_EEXIST;
    }
    entry = calloc(1, sizeof(*entry));
    if (!entry || map_insert(m, hash(m, id, len), &entry->node) != 0) {
        free(entry);
        return RUSM_ENOMEM;
    }
    entry->conn = c;
    entry->len = (uint8_t)len;
    memcpy(entry->id, id, len);
    list_append(owned, &entry->owned);
    return 0;
}

static void drop(struct map *m, struct cid *entry)
{
    map_remove(m, &entry->node);
    list_remove(&entry->owned);
    free(entry);
}

void cid_remove(struct map *m, const uint8_t *id, size_t len)
{
    struct cid *entry = lookup(m, id, len);

    if (entry) {
        drop(m, entry);
    }
}

void cid_remove_all(struct map *m, struct list *owned)
{
    list_each_safe(it, owned) {
        drop(m, container_of(it, struct cid, owned));
    }
}

struct conn *cid_find(const struct map *m, const uint8_t *id, size_t len)
{
    struct cid *entry = lookup(m, id, len);

    return entry ? entry->conn : NULL;
}
