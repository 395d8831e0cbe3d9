/* registry_gossip: the registry's NAMES frames, in and out; see wire/gossip.h. The node room calls
 * it, one scheduler at a time. */
#include <stdlib.h>
#include <string.h>
#include "cluster/limits.h"
#include "base/must.h"
#include "cluster/registry.h"
#include "cluster/registry_state.h"
#include "wire/gossip.h"

#define REGISTRY_AHEAD_MS 60000 /* a clock further ahead is wrong and must not move our clock */

/* ---- received frames ------------------------------------------------------------------------- */

/* Moves our clock up to a peer's time, so that our next claim is later than all that we know of.
 * Ignores and counts a time that is too far ahead. */
static void registry_merge(struct registry *r, uint64_t time, uint64_t now_ms)
{
    if (time >> 16 > now_ms + REGISTRY_AHEAD_MS) {
        r->counters.ahead++;
    } else if (time > r->clock) {
        r->clock = time;
    }
}

static int registry_hear_new(struct registry *r, struct registry_owner *peer,
                             const struct claim *heard)
{
    if (peer->count >= r->names_max || r->heard >= LIMIT_NAMES_PEERS * r->names_max) {
        r->counters.refused++;
        return 0;
    }
    struct registry_claim *claim = calloc(1, sizeof(*claim));
    if (!claim) {
        return RUSM_ENOMEM;
    }
    claim->serial = heard->serial;
    claim->time = heard->time;
    claim->epoch = peer->epoch;
    if (registry_attach(r, claim, peer, heard->name, heard->name_len) != 0) {
        free(claim);
        return RUSM_ENOMEM;
    }
    list_append(&peer->claims, &claim->at_owner);
    return 0;
}

static int registry_hear(struct registry *r, struct registry_owner *peer, const struct claim *heard)
{
    struct registry_name *n = registry_name(r, heard->name, heard->name_len);
    struct registry_claim *claim = n ? registry_claim_of(n, peer) : NULL;
    bool tombstone = (heard->flags & CLAIM_TOMBSTONE) != 0;

    if (!claim) {
        return tombstone ? 0 : registry_hear_new(r, peer, heard);
    }
    if (!tombstone) {
        claim->epoch = peer->epoch;
    }
    if (heard->time <= claim->time) {
        return 0; /* we know this claim, or a later one */
    }
    if (tombstone) {
        registry_detach(r, claim);
        free(claim);
        return 0;
    }
    /* The peer withdrew the name and claimed it again, perhaps for another process. That counts as
     * a change even if the holder stays the same, because earlier lookups are stale. */
    claim->serial = heard->serial;
    claim->time = heard->time;
    r->counters.changes++;
    registry_settle(r, n);
    return 0;
}

/* Removes the peer's claims that its finished snapshot does not have. */
static void registry_prune(struct registry *r, struct registry_owner *peer)
{
    list_each_safe(at, &peer->claims) {
        struct registry_claim *claim = container_of(at, struct registry_claim, at_owner);
        if (claim->epoch != peer->epoch) {
            registry_detach(r, claim);
            free(claim);
        }
    }
}

/* Calls the lost hook for each claim in r->lost. It runs after the whole frame has been read,
 * because the hook may change the registry. */
static void registry_tell_lost(struct registry *r)
{
    struct list *at;

    while ((at = list_first(&r->lost))) {
        const struct registry_own *own = container_of(at, struct registry_own, at_lost);
        const struct registry_name *n = own->claim.name;
        struct registry_holder holder;
        char name[RUSM_NAME_MAX + 1];
        size_t len = n->len;
        list_remove(at);
        must(len < sizeof(name) && registry_whereis(r, n->name, len, &holder) == 0);
        memcpy(name, n->name, len + 1);
        r->counters.lost++;
        if (r->lost_hook) {
            r->lost_hook(r->user, own->claim.serial, name, len, &holder);
        }
    }
}

int registry_recv(struct registry *r, uint32_t index, const uint8_t *body, size_t len,
                  uint64_t now_ms)
{
    struct registry_owner *peer = registry_peer(r, index);
    struct reader reader = reader_on(body, len);
    uint64_t flags = reader_varint(&reader);
    struct claim heard;
    int rc;

    if (!peer) {
        return RUSM_ENOCONN;
    }
    if (flags & NAMES_FIRST) {
        peer->epoch++;
        peer->in_snapshot = true;
    }
    while ((rc = claim_read(&reader, &heard)) == 1) {
        registry_merge(r, heard.time, now_ms);
        if ((rc = registry_hear(r, peer, &heard)) != 0) {
            break;
        }
    }
    if (rc == RUSM_EMALFORMED) {
        r->counters.malformed++;
    }
    if (rc == 0 && peer->in_snapshot && (flags & NAMES_LAST)) {
        peer->in_snapshot = false;
        registry_prune(r, peer);
    }
    registry_tell_lost(r);
    return rc;
}

/* ---- frames to send -------------------------------------------------------------------------- */

/* Writes one of our claims. Returns false if there is no room left. */
static bool registry_write(struct writer *w, const struct registry_own *own)
{
    struct claim claim = {
        .flags = own->claim.dead ? CLAIM_TOMBSTONE : 0,
        .serial = own->claim.dead ? 0 : own->claim.serial,
        .time = own->claim.time,
        .name = own->claim.name->name,
        .name_len = own->claim.name->len,
    };
    struct writer before = *w;

    claim_write(w, &claim);
    if (w->bad) {
        *w = before;
        return false;
    }
    return true;
}

/* Writes the claims behind the peer's mark and moves the mark past them, as far as there is room.
 * Returns true if the mark is at the end of the log. */
static bool registry_write_log(struct registry *r, struct registry_owner *peer, struct writer *w)
{
    struct list *next;

    while ((next = peer->mark.at.next) != &r->log) {
        const struct registry_mark *mark = container_of(next, struct registry_mark, at);
        if (mark->seq != 0) {
            const struct registry_own *own = container_of(mark, struct registry_own, mark);
            /* The peer needs no tombstone that is older than its connection. It is in the log for
             * other peers. */
            bool skip = own->claim.dead && mark->seq <= peer->told;
            if (!skip && !registry_write(w, own)) {
                return false;
            }
            peer->told = mark->seq > peer->told ? mark->seq : peer->told;
        }
        list_remove(&peer->mark.at);
        list_prepend(next, &peer->mark.at);
    }
    return true;
}

size_t registry_next(struct registry *r, uint32_t index, uint8_t *body, size_t cap)
{
    struct registry_owner *peer = registry_peer(r, index);

    must(cap >= REGISTRY_FRAME_LEAST);
    if (!peer || (peer->snapshot == SNAPSHOT_DONE && peer->told == r->seq)) {
        return 0;
    }
    struct writer w = writer_on(body, cap);
    uint64_t flags = peer->snapshot == SNAPSHOT_DUE ? NAMES_FIRST : 0;
    writer_varint(&w, 0);
    bool told = peer->told == r->seq, end = registry_write_log(r, peer, &w);
    if (peer->snapshot != SNAPSHOT_DONE) {
        flags |= end ? NAMES_LAST : 0;
        peer->snapshot = end ? SNAPSHOT_DONE : SNAPSHOT_UNDERWAY;
    }
    if (end) {
        peer->told = r->seq;
    }
    r->telling -= !told && peer->told == r->seq;
    body[0] = (uint8_t)flags;
    registry_free_tombstones(r);
    return writer_len(&w);
}
