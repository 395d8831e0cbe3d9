/* registry: see the header. This file has names, their holders, and owners. Our own claims are in
 * registry_own.c, frames in registry_gossip.c. The node room calls it, one scheduler at a time. */
#include "base/container_of.h"
#include "cluster/registry.h"

#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/must.h"
#include "cluster/registry_state.h"

struct registry_key {
    const char *name;
    size_t len;
};

static bool registry_name_eq(const struct map_node *node, const void *key)
{
    const struct registry_name *n = container_of(node, struct registry_name, by_name);
    const struct registry_key *k = key;
    return n->len == k->len && memcmp(n->name, k->name, k->len) == 0;
}

static bool registry_index_eq(const struct map_node *node, const void *key)
{
    return container_of(node, struct registry_owner, by_index)->index == *(const uint32_t *)key;
}

struct registry_owner *registry_peer(const struct registry *r, uint32_t index)
{
    return (void *)map_find(&r->peers, map_hash_u64(&r->peers, index), registry_index_eq, &index);
}

struct registry_name *registry_name(const struct registry *r, const char *name, size_t len)
{
    struct registry_key key = { .name = name, .len = len };
    return (void *)map_find(&r->names, map_hash_bytes(&r->names, name, len), registry_name_eq,
                            &key);
}

struct registry_claim *registry_claim_of(const struct registry_name *n,
                                         const struct registry_owner *owner)
{
    list_each(at, &n->claims) {
        struct registry_claim *claim = container_of(at, struct registry_claim, at_name);
        if (claim->owner == owner) {
            return claim;
        }
    }
    return NULL;
}

/* ---- the holder of a name -------------------------------------------------------------------- */

static bool registry_before(const struct registry_claim *a, const struct registry_claim *b)
{
    return a->time != b->time ? a->time < b->time : strcmp(a->owner->node, b->owner->node) < 0;
}

/* Counts a change of the claim that holds a name, and queues or cancels the news that we lost it.
 * `old` or `now` may be NULL: nobody. */
static void registry_changed(struct registry *r, struct registry_claim *old,
                             struct registry_claim *now)
{
    r->counters.changes++;
    if (old && old->owner == &r->self && !old->dead && now) {
        list_remove(&registry_own(old)->at_lost);
        list_append(&r->lost, &registry_own(old)->at_lost);
    }
    if (now && now->owner == &r->self) {
        list_remove(&registry_own(now)->at_lost);
    }
}

void registry_settle(struct registry *r, struct registry_name *n)
{
    struct registry_claim *old = n->holder, *least = NULL;

    list_each(at, &n->claims) {
        struct registry_claim *claim = container_of(at, struct registry_claim, at_name);
        if (!claim->dead && (!least || registry_before(claim, least))) {
            least = claim;
        }
    }
    n->holder = least;
    r->counters.names += (least ? 1u : 0u);
    r->counters.names -= (old ? 1u : 0u);
    if (old != least) {
        registry_changed(r, old, least);
    }
    if (list_empty(&n->claims)) {
        map_remove(&r->names, &n->by_name);
        free(n);
    }
}

int registry_attach(struct registry *r, struct registry_claim *claim, struct registry_owner *owner,
                    const char *name, size_t len)
{
    struct registry_name *n = registry_name(r, name, len);

    if (!n) {
        n = calloc(1, sizeof(struct registry_name) + len + 1);
        if (!n) {
            return RUSM_ENOMEM;
        }
        list_init(&n->claims);
        n->len = len;
        memcpy(n->name, name, len);
        if (map_insert(&r->names, map_hash_bytes(&r->names, name, len), &n->by_name) != 0) {
            free(n);
            return RUSM_ENOMEM;
        }
    }
    claim->name = n;
    claim->owner = owner;
    list_append(&n->claims, &claim->at_name);
    list_init(&claim->at_owner);
    owner->count++;
    r->heard += owner != &r->self;
    registry_settle(r, n);
    return 0;
}

void registry_detach(struct registry *r, struct registry_claim *claim)
{
    list_remove(&claim->at_name);
    list_remove(&claim->at_owner);
    claim->owner->count--;
    r->heard -= claim->owner != &r->self;
    registry_settle(r, claim->name);
}

/* ---- owners ---------------------------------------------------------------------------------- */

static void registry_owner_init(struct registry_owner *o, const char *node, uint32_t index,
                                uint32_t incarnation)
{
    size_t len = strlen(node);

    must(len <= RUSM_NODE_NAME_MAX);
    *o = (struct registry_owner){ .index = index, .incarnation = incarnation };
    memcpy(o->node, node, len);
    list_init(&o->claims);
    list_init(&o->mark.at);
}

int registry_peer_up(struct registry *r, const char *node, uint32_t index, uint32_t incarnation)
{
    must(index != 0);
    registry_peer_down(r, index);
    struct registry_owner *peer = malloc(sizeof(*peer));
    if (!peer) {
        return RUSM_ENOMEM;
    }
    registry_owner_init(peer, node, index, incarnation);
    if (map_insert(&r->peers, map_hash_u64(&r->peers, index), &peer->by_index) != 0) {
        free(peer);
        return RUSM_ENOMEM;
    }
    peer->told = r->seq; /* the snapshot has no names that we gave up before */
    list_prepend(&r->log, &peer->mark.at);
    return 0;
}

void registry_peer_down(struct registry *r, uint32_t index)
{
    struct registry_owner *peer = registry_peer(r, index);

    if (!peer) {
        return;
    }
    list_each_safe(at, &peer->claims) {
        struct registry_claim *claim = container_of(at, struct registry_claim, at_owner);
        registry_detach(r, claim);
        free(claim);
    }
    list_remove(&peer->mark.at);
    r->telling -= peer->told != r->seq;
    map_remove(&r->peers, &peer->by_index);
    free(peer);
    registry_free_tombstones(r);
}

int registry_new(struct registry **out, const struct registry_options *options)
{
    struct registry *r = calloc(1, sizeof(*r));

    if (!r) {
        return RUSM_ENOMEM;
    }
    map_init(&r->names, options->seed);
    map_init(&r->peers, options->seed);
    map_init(&r->processes, options->seed);
    registry_owner_init(&r->self, options->node, 0, options->incarnation);
    list_init(&r->log);
    list_init(&r->tombstones);
    list_init(&r->lost);
    r->names_max = options->names_max ? options->names_max : LIMIT_NAMES;
    r->user = options->user;
    r->lost_hook = options->lost;
    *out = r;
    return 0;
}

void registry_free(struct registry *r)
{
    struct map_node *n;
    struct map_iter it;

    if (!r) {
        return;
    }
    while ((n = map_first(&r->processes, &it))) {
        registry_withdraw_all(r, container_of(n, struct registry_process, by_serial)->serial, 0);
    }
    while ((n = map_first(&r->peers, &it))) {
        registry_peer_down(r, container_of(n, struct registry_owner, by_index)->index);
    }
    registry_free_tombstones(r);
    must(r->names.count == 0);
    map_fini(&r->names);
    map_fini(&r->peers);
    map_fini(&r->processes);
    free(r);
}

/* ---- lookups --------------------------------------------------------------------------------- */

static struct registry_holder registry_holder(const struct registry_claim *claim)
{
    return (struct registry_holder){
        .serial = claim->serial,
        .node = claim->owner->index,
        .incarnation = claim->owner->incarnation,
        .node_name = claim->owner->node,
    };
}

int registry_whereis(const struct registry *r, const char *name, size_t len,
                     struct registry_holder *out)
{
    const struct registry_name *n = registry_name(r, name, len);

    if (!n || !n->holder) {
        return RUSM_ENOPROC;
    }
    *out = registry_holder(n->holder);
    return 0;
}

bool registry_scan(const struct registry *r, struct map_scan *scan,
                   void (*each)(void *user, const char *name, size_t len,
                                const struct registry_holder *holder),
                   void *user)
{
    struct map_node *m;

    if (!map_scan(&r->names, scan, &m)) {
        return false;
    }
    for (; m; m = m->next) {
        const struct registry_name *n = (const void *)m;
        if (n->holder) {
            struct registry_holder holder = registry_holder(n->holder);
            each(user, n->name, n->len, &holder);
        }
    }
    return true;
}

void registry_count(const struct registry *r, struct registry_counters *out)
{
    *out = r->counters;
}
