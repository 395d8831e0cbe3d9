/* pair: senders and their targets, and which senders were told RUSM_BUSY. See lane_out.h and
 * pair.h. lane_out.c and lane_flow.c call it. peer_control.c calls lanes_out_drained. */
#include "base/container_of.h"
#include "peer/pair.h"

#include <stdlib.h>
#include <string.h>

#include "peer/limits.h"
#include "wire/control.h"

static bool pair_is(const struct map_node *node, const void *key)
{
    const struct pair *pair = container_of(node, struct pair, node);
    const struct parcel *p = key;
    if (pair->from != p->from || pair->kind != p->to.kind) {
        return false;
    }
    if (p->to.kind == TARGET_PID) {
        return pair->serial == p->to.serial && pair->incarnation == p->to.incarnation;
    }
    return pair->name_len == p->to.name_len && memcmp(pair->name, p->to.name, pair->name_len) == 0;
}

static uint64_t pair_hash(const struct lanes_out *o, const struct parcel *p)
{
    uint64_t to = p->to.kind == TARGET_PID ? map_hash_u64(&o->pairs, p->to.serial)
                                           : map_hash_bytes(&o->pairs, p->to.name, p->to.name_len);
    return map_hash_u64(&o->pairs, p->from ^ (to << 1 | to >> 63));
}

static bool ordinal_is(const struct map_node *node, const void *key)
{
    const struct pair *pair = (const void *)((const char *)node - offsetof(struct pair, ordinal));
    return pair->after == *(const uint64_t *)key + 1;
}

int pair_get(struct lanes_out *o, const struct parcel *p, struct pair **out)
{
    uint64_t hash = pair_hash(o, p);
    struct map_node *node = map_find(&o->pairs, hash, pair_is, p);
    if (node) {
        *out = container_of(node, struct pair, node);
        return 0;
    }
    /* Signals must not be refused, so they have twice the room. */
    if (o->pairs.count >= (p->kind >= RECORD_EXIT ? 2 * LIMIT_PAIRS : LIMIT_PAIRS)) {
        return RUSM_BUSY;
    }
    size_t name_len = p->to.kind == TARGET_PID ? 0 : p->to.name_len;
    struct pair *pair = calloc(1, sizeof(*pair) + name_len);
    if (!pair) {
        return RUSM_ENOMEM;
    }
    list_init(&pair->open);
    list_init(&pair->told);
    list_init(&pair->starving);
    outq_init(&pair->signals);
    pair->from = p->from;
    pair->kind = (uint8_t)p->to.kind;
    pair->serial = p->to.serial;
    pair->incarnation = p->to.incarnation;
    pair->name_len = (uint8_t)name_len;
    if (name_len) {
        memcpy(pair->name, p->to.name, name_len);
    }
    if (map_insert(&o->pairs, hash, &pair->node) != 0) {
        free(pair);
        return RUSM_ENOMEM;
    }
    *out = pair;
    return 0;
}

void pair_forget_ordinal(struct lanes_out *o, struct pair *pair)
{
    if (!pair->after) {
        return;
    }
    map_remove(&o->ordinals, &pair->ordinal);
    pair->after = 0;
}

void pair_free(struct lanes_out *o, struct pair *pair)
{
    pair_forget_ordinal(o, pair);
    map_remove(&o->pairs, &pair->node);
    list_remove(&pair->open);
    list_remove(&pair->told);
    list_remove(&pair->starving);
    o->queued -= pair->signals.len;
    outq_fini(&pair->signals, &o->pools->chunks);
    free(pair);
}

void pair_free_if_idle(struct lanes_out *o, struct pair *pair)
{
    if (!pair->lane && !pair->after && pair->signals.len == 0 && !list_linked(&pair->told)) {
        pair_free(o, pair);
    }
}

int pair_busy(struct lanes_out *o, struct pair *pair)
{
    o->busy++;
    if (!pair) {
        o->told_all = true;
    } else if (!list_linked(&pair->told)) {
        list_append(&o->told, &pair->told);
    }
    return RUSM_BUSY;
}

bool pair_may_take(const struct lanes_out *o, const struct pair *pair)
{
    if (pair->lane) {
        return pair->lane->q.len <= LIMIT_LANE_QUEUE / 2;
    }
    return pair->signals.len == 0 && conn_streams_left(o->conn) > 0;
}

/* Tells the senders without a pair if there is room for them. There must be fewer pairs than
 * `pairs`. */
static void tell_all(struct lanes_out *o, size_t pairs)
{
    if (o->told_all && o->pairs.count < pairs && o->lanes_unordered < LIMIT_LANES / 4 &&
        o->queued < LIMIT_CONN_QUEUE / 2 && conn_streams_left(o->conn) > 0) {
        o->told_all = false;
        o->writable(o->context, 0);
    }
}

void pairs_tell_writable(struct lanes_out *o)
{
    struct list asked, *link;
    if (o->queued >= LIMIT_CONN_QUEUE / 2) {
        return;
    }
    /* Move the list aside: a sender that is told may send at once and be told RUSM_BUSY again. */
    list_init(&asked);
    while ((link = list_first(&o->told))) {
        list_remove(link);
        list_append(&asked, link);
    }
    while ((link = list_first(&asked))) {
        struct pair *pair = container_of(link, struct pair, told);
        uint64_t from = pair->from;
        list_remove(link);
        if (!pair_may_take(o, pair)) {
            list_append(&o->told, link);
            continue;
        }
        pair_free_if_idle(o, pair);
        o->writable(o->context, from);
    }
    tell_all(o, LIMIT_PAIRS);
}

void pairs_were_freed(struct lanes_out *o)
{
    tell_all(o, LIMIT_PAIRS / 2);
}

void lanes_out_drained(struct lanes_out *o, uint64_t ordinal)
{
    struct map_node *n =
        map_find(&o->ordinals, map_hash_u64(&o->ordinals, ordinal), ordinal_is, &ordinal);
    if (!n) {
        return; /* the pair has opened a successor since */
    }
    struct pair *pair = container_of(n, struct pair, ordinal);
    pair_forget_ordinal(o, pair);
    pair_free_if_idle(o, pair);
    pairs_were_freed(o);
}
