/* registry_own: the claims of this node's processes, and the log of their changes, from which the
 * frames to peers are written. The node room calls it, one scheduler at a time. */
#include <stdlib.h>
#include "base/container_of.h"
#include "base/id.h"
#include "base/must.h"
#include "cluster/registry.h"
#include "cluster/registry_state.h"
#include "wire/varint.h"

#define REGISTRY_TOMBSTONES_LEAST 1024

static bool registry_serial_eq(const struct map_node *node, const void *key)
{
    return container_of(node, struct registry_process, by_serial)->serial == *(const uint64_t *)key;
}

static struct registry_process *registry_process(const struct registry *r, uint64_t serial)
{
    return (void *)map_find(&r->processes, map_hash_u64(&r->processes, serial), registry_serial_eq,
                            &serial);
}

static uint64_t registry_tick(struct registry *r, uint64_t now_ms)
{
    must(now_ms < UINT64_C(1) << 48);
    uint64_t wall = now_ms << 16;
    r->clock = wall > r->clock ? wall : r->clock + 1;
    return r->clock;
}

/* Moves a claim of ours that has changed to the end of the log. */
static void registry_log(struct registry *r, struct registry_own *own)
{
    own->mark.seq = ++r->seq;
    list_remove(&own->mark.at);
    list_append(&r->log, &own->mark.at);
    r->telling = r->peers.count;
}

void registry_free_tombstones(struct registry *r)
{
    uint64_t told = UINT64_MAX;
    struct map_iter it;

    /* A walk over all peers finds nothing to free while they are behind. So wait until no peer is
     * behind, or until there are many tombstones. */
    if (list_empty(&r->tombstones) ||
        (r->telling > 0 && r->tombstone_count < r->tombstones_look_at)) {
        return;
    }
    for (struct map_node *n = map_first(&r->peers, &it); n; n = map_next(&r->peers, &it)) {
        const struct registry_owner *peer = container_of(n, struct registry_owner, by_index);
        told = peer->told < told ? peer->told : told;
    }
    list_each_safe(at, &r->tombstones) {
        struct registry_own *own = registry_own(container_of(at, struct registry_claim, at_owner));
        if (own->mark.seq > told) {
            break;
        }
        list_remove(&own->mark.at);
        registry_detach(r, &own->claim);
        free(own);
        r->tombstone_count--;
    }
    r->tombstones_look_at = 2 * r->tombstone_count + REGISTRY_TOMBSTONES_LEAST;
}

/* Finds or makes the entry of a process. Returns NULL if there is no memory. */
static struct registry_process *registry_process_add(struct registry *r, uint64_t serial)
{
    struct registry_process *p = registry_process(r, serial);

    if (p || !(p = calloc(1, sizeof(struct registry_process)))) {
        return p;
    }
    p->serial = serial;
    list_init(&p->claims);
    if (map_insert(&r->processes, map_hash_u64(&r->processes, serial), &p->by_serial) != 0) {
        free(p);
        return NULL;
    }
    return p;
}

static void registry_process_drop(struct registry *r, struct registry_process *p)
{
    if (list_empty(&p->claims)) {
        map_remove(&r->processes, &p->by_serial);
        free(p);
    }
}

int registry_claim(struct registry *r, const char *name, size_t len, uint64_t serial,
                   uint64_t now_ms)
{
    must(serial != 0 && serial <= VARINT_MAX);
    if (!id_process_name_ok(name, len)) {
        return RUSM_EINVAL;
    }
    struct registry_name *n = registry_name(r, name, len);
    if (n && n->holder) {
        return RUSM_EEXIST;
    }
    if (r->counters.own >= r->names_max) {
        return RUSM_ELIMIT;
    }
    struct registry_process *process = registry_process_add(r, serial);
    if (!process) {
        return RUSM_ENOMEM;
    }
    struct registry_claim *claim = n ? registry_claim_of(n, &r->self) : NULL;
    struct registry_own *own = claim ? registry_own(claim) : calloc(1, sizeof(*own));
    if (!own) {
        registry_process_drop(r, process);
        return RUSM_ENOMEM;
    }
    own->claim.serial = serial;
    own->claim.time = registry_tick(r, now_ms);
    own->claim.dead = false;
    if (claim) {
        list_remove(&own->claim.at_owner); /* out of the tombstones */
        r->tombstone_count--;
        registry_settle(r, n);
    } else {
        list_init(&own->mark.at);
        list_init(&own->at_lost);
        if (registry_attach(r, &own->claim, &r->self, name, len) != 0) {
            free(own);
            registry_process_drop(r, process);
            return RUSM_ENOMEM;
        }
    }
    list_append(&process->claims, &own->claim.at_owner);
    r->counters.own++;
    registry_log(r, own);
    return 0;
}

/* Turns a claim into a tombstone, which stays until we have told all peers. */
static void registry_kill(struct registry *r, struct registry_claim *claim, uint64_t now_ms)
{
    struct registry_own *own = registry_own(claim);

    claim->dead = true;
    claim->time = registry_tick(r, now_ms);
    list_remove(&own->at_lost);
    list_remove(&claim->at_owner);
    list_append(&r->tombstones, &claim->at_owner);
    r->tombstone_count++;
    r->counters.own--;
    registry_log(r, own);
    registry_settle(r, claim->name);
}

int registry_withdraw(struct registry *r, const char *name, size_t len, uint64_t serial,
                      uint64_t now_ms)
{
    struct registry_name *n = registry_name(r, name, len);
    struct registry_claim *claim = n ? registry_claim_of(n, &r->self) : NULL;

    if (!claim || claim->dead || claim->serial != serial) {
        return RUSM_ENOPROC;
    }
    registry_kill(r, claim, now_ms);
    registry_process_drop(r, registry_process(r, serial));
    registry_free_tombstones(r);
    return 0;
}

const char *registry_name_held(const struct registry *r, uint64_t serial)
{
    struct registry_process *process = registry_process(r, serial);

    if (!process) {
        return NULL;
    }
    list_each(at, &process->claims) {
        const struct registry_claim *claim = container_of(at, struct registry_claim, at_owner);
        if (claim->name->holder == claim) {
            return claim->name->name;
        }
    }
    return NULL;
}

void registry_withdraw_all(struct registry *r, uint64_t serial, uint64_t now_ms)
{
    struct registry_process *process = registry_process(r, serial);

    if (!process) {
        return;
    }
    list_each_safe(at, &process->claims) {
        registry_kill(r, container_of(at, struct registry_claim, at_owner), now_ms);
    }
    registry_process_drop(r, process);
    registry_free_tombstones(r);
}
