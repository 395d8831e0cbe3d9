/* lane_in: the incoming lanes of one connection: parsing, credit, order of successors. See
 * lane_in.h. The router may call back from an upcall without re-entering a lane: lane_in_resume and
 * lane_in_grant only mark the lane, and lanes_in_turn runs it later. */
#include "base/container_of.h"
#include "peer/lane_in.h"

#include <stdlib.h>
#include <string.h>

#include "peer/limits.h"
#include "peer/lane_in_state.h"
#include "peer/peer.h"

struct unseen {
    struct map_node node;
    uint64_t ordinal;
};

static bool lane_is(const struct map_node *n, const void *key)
{
    const struct lane_in *l =
        (const void *)((const char *)n - offsetof(struct lane_in, by_ordinal));
    return l->ordinal == *(const uint64_t *)key;
}

static bool waiting_is(const struct map_node *n, const void *key)
{
    const struct lane_in *l = (const void *)((const char *)n - offsetof(struct lane_in, by_after));
    return l->after == *(const uint64_t *)key + 1;
}

static bool unseen_is(const struct map_node *n, const void *key)
{
    const struct unseen *u = container_of(n, struct unseen, node);
    return u->ordinal == *(const uint64_t *)key;
}

static struct map_node *find(const struct map *m, map_eq_fn *eq, uint64_t ordinal)
{
    return map_find(m, map_hash_u64(m, ordinal), eq, &ordinal);
}

void lanes_in_init(struct lanes_in *in, struct conn *conn, struct peer *peer,
                   const struct peer_events *events, void *context, struct lane_budget *budget,
                   struct lane_pools *pools, uint64_t seed,
                   void (*drained)(struct peer *p, uint64_t ordinal))
{
    *in = (struct lanes_in){ .conn = conn,
                             .peer = peer,
                             .events = events,
                             .context = context,
                             .budget = budget,
                             .pools = pools,
                             .drained = drained };
    map_init(&in->lanes, seed);
    map_init(&in->waiting, seed ^ 2);
    map_init(&in->unseen, seed ^ 3);
    list_init(&in->resumed);
    list_init(&in->granted);
    grant_share_init(&in->share);
    credit_owner_init(&in->owed, NULL);
    in->owed.pool = &pools->credits;
}

/* ---- the end of a lane ---- */

static void lane_forget(struct lanes_in *in, struct lane_in *l)
{
    l->deferred = false;
    lane_end_grant(in, l);
    if (l->announced) {
        in->events->lane_closed(in->context, in->peer, l);
    }
    if (l->state == LANE_AFTER) {
        map_remove(&in->waiting, &l->by_after);
    }
    map_remove(&in->lanes, &l->by_ordinal);
    list_remove(&l->resume);
    lane_credit_fini(in, l);
    buf_fini(&l->rx);
    blocks_give(&in->pools->blocks, l->block);
    if (l->name != l->short_name) {
        free(l->name);
    }
    pool_give(&in->pools->in, l);
}

/* Ends a lane whose records are all delivered or discarded. Its successor may run, and the peer may
 * open another stream. */
static void lane_drained(struct lanes_in *in, struct lane_in *l)
{
    struct map_node *n = find(&in->waiting, waiting_is, l->ordinal);
    if (n) {
        struct lane_in *successor = container_of(n, struct lane_in, by_after);
        map_remove(&in->waiting, n);
        successor->state = LANE_OPEN;
        lane_run_later(in, successor);
    }
    conn_set_user(in->conn, l->stream, NULL);
    conn_extend_streams(in->conn, 1);
    if (!l->unordered) { /* an unordered lane has no successor */
        in->drained(in->peer, l->ordinal);
    }
    lane_forget(in, l);
}

/* Breaks a lane off. Records that are not delivered yet are lost. The lane stays until the peer has
 * reset or ended the stream, because only then may another stream take its place. */
static void lane_stop(struct lanes_in *in, struct lane_in *l, enum stream_code code, int cause)
{
    conn_stop(in->conn, l->stream, code);
    l->deferred = false;
    lane_end_grant(in, l);
    lane_drop_block(in, l);
    l->skip = 0;
    l->broken = true;
    in->events->lane_lost(in->context, in->peer, l, cause);
}

void lanes_in_fini(struct lanes_in *in)
{
    struct map_iter it;
    for (struct map_node *n = map_first(&in->lanes, &it); n; n = map_next(&in->lanes, &it)) {
        lane_forget(in, container_of(n, struct lane_in, by_ordinal));
    }
    for (struct map_node *n = map_first(&in->unseen, &it); n; n = map_next(&in->unseen, &it)) {
        map_remove(&in->unseen, n);
        free(container_of(n, struct unseen, node));
    }
    list_remove(&in->owed.due); /* lane_forget may have made it due */
    map_fini(&in->lanes);
    map_fini(&in->waiting);
    map_fini(&in->unseen);
}

/* ---- new streams ---- */

static int note_unseen(struct lanes_in *in, uint64_t ordinal)
{
    struct unseen *u = calloc(1, sizeof(*u));
    if (!u) {
        return RUSM_ENOMEM;
    }
    u->ordinal = ordinal;
    if (map_insert(&in->unseen, map_hash_u64(&in->unseen, ordinal), &u->node) != 0) {
        free(u);
        return RUSM_ENOMEM;
    }
    return 0;
}

int lanes_in_opened(struct lanes_in *in, int64_t stream)
{
    uint64_t ordinal = (uint64_t)stream >> 2;
    for (; in->next < ordinal; in->next++) {
        if (note_unseen(in, in->next) != 0) {
            return RUSM_ENOMEM;
        }
    }
    if (in->next == ordinal) {
        in->next++;
    } else {
        struct map_node *n = find(&in->unseen, unseen_is, ordinal);
        if (!n) {
            return RUSM_EMALFORMED;
        }
        map_remove(&in->unseen, n);
        free(container_of(n, struct unseen, node));
    }
    struct lane_in *l = pool_take(&in->pools->in);
    if (!l) {
        return RUSM_ENOMEM;
    }
    *l = (struct lane_in){ 0 };
    l->credit = lane_account(in, l);
    l->ordinal = ordinal;
    if (!l->credit ||
        map_insert(&in->lanes, map_hash_u64(&in->lanes, ordinal), &l->by_ordinal) != 0) {
        credit_orphan(l->credit);
        pool_give(&in->pools->in, l);
        return RUSM_ENOMEM;
    }
    l->stream = stream;
    list_init(&l->resume);
    lane_credit_init(l, in->now_ns);
    buf_init(&l->rx, LIMIT_LANE_WINDOW_MAX + RECORD_HEAD_MAX);
    conn_set_user(in->conn, stream, l);
    return 0;
}

/* Reads the header of a lane. Returns the bytes used, 0 if the header is incomplete,
 * RUSM_EMALFORMED or RUSM_ENOMEM. */
static ssize_t lane_read_header(struct lanes_in *in, struct lane_in *l, const uint8_t *p, size_t n)
{
    struct lane_header h;
    ssize_t used = lane_header_decode(p, n, &h);
    if (used <= 0) {
        return used;
    }
    if (h.after > l->ordinal) {
        return RUSM_EMALFORMED;
    }
    l->unordered = h.type == LANE_UNORDERED;
    l->after = h.after;
    l->from = h.from;
    l->to = h.to;
    if (h.to.kind != TARGET_PID) {
        l->name = h.to.name_len < sizeof(l->short_name) ? l->short_name : malloc(h.to.name_len + 1);
        if (!l->name) {
            return RUSM_ENOMEM;
        }
        memcpy(l->name, h.to.name, h.to.name_len);
        l->name[h.to.name_len] = 0;
        l->to.name = l->name;
    }
    l->taken += (uint64_t)used;
    l->decoded += (uint64_t)used;
    l->state = LANE_OPEN;
    uint64_t before = h.after - 1;
    if (h.after && (find(&in->lanes, lane_is, before) || find(&in->unseen, unseen_is, before))) {
        /* Two successors of one lane would split its pair in two. */
        if (find(&in->waiting, waiting_is, before)) {
            return RUSM_EMALFORMED;
        }
        if (map_insert(&in->waiting, map_hash_u64(&in->waiting, before), &l->by_after) != 0) {
            return RUSM_ENOMEM;
        }
        l->state = LANE_AFTER;
    }
    l->announced = true;
    in->events->lane_opened(in->context, in->peer, l);
    return used;
}

/* ---- bytes ---- */

/* Decodes and delivers as many bytes as possible. Returns the bytes used, or an error. */
static ssize_t lane_run(struct lanes_in *in, struct lane_in *l, const uint8_t *p, size_t n)
{
    size_t used = 0;
    while (in->ready && l->state <= LANE_OPEN && l->state != LANE_AFTER) {
        bool header = l->state == LANE_HEADER, large = l->large;
        ssize_t step = header ? lane_read_header(in, l, p, n) : lane_step(in, l, p, n);
        if (step == RUSM_ETOOLARGE) {
            lane_stop(in, l, STREAM_TOO_LARGE, RUSM_ETOOLARGE);
            return (ssize_t)(used + n);
        }
        if (step < 0) {
            return step;
        }
        /* A held large record uses no bytes when it is delivered at last. Go on, as more records
         * may follow it. */
        if (step == 0 && large == l->large) {
            break;
        }
        if (step > 0) { /* p may be NULL, which must not be added to */
            p += step;
            n -= (size_t)step;
            used += (size_t)step;
        }
    }
    return (ssize_t)used;
}

/* Updates the limit after a run, and ends the lane if it is finished or broken off. Returns 0, or
 * RUSM_EMALFORMED if the stream ended within a record or the header. */
static int lane_settle(struct lanes_in *in, struct lane_in *l)
{
    lane_update_limit(in, l);
    if (!l->fin || !in->ready || l->state == LANE_HELD || l->state == LANE_AFTER ||
        lane_large_complete(l)) {
        return 0;
    }
    bool whole = buf_len(&l->rx) == 0 && !l->large && !l->skip && l->state == LANE_OPEN;
    if (!whole && !l->broken) {
        return RUSM_EMALFORMED;
    }
    lane_drained(in, l);
    return 0;
}

/* Runs a lane on the bytes in its buffer. */
static int lane_run_buffer(struct lanes_in *in, struct lane_in *l)
{
    ssize_t used = lane_run(in, l, buf_data(&l->rx), buf_len(&l->rx));
    if (used < 0) {
        return (int)used;
    }
    buf_consume(&l->rx, (size_t)used);
    buf_trim(&l->rx);
    return lane_settle(in, l);
}

int lane_in_data(struct lanes_in *in, struct lane_in *l, const uint8_t *data, size_t len, bool fin)
{
    l->fin |= fin;
    if (l->broken) {
        return lane_settle(in, l);
    }
    if (buf_len(&l->rx) == 0) {
        /* The usual case: decode records straight from the packet. */
        ssize_t used = lane_run(in, l, data, len);
        if (used < 0) {
            return (int)used;
        }
        if ((size_t)used < len && buf_append(&l->rx, data + used, len - (size_t)used) != 0) {
            return RUSM_ENOMEM;
        }
        return lane_settle(in, l);
    }
    if (buf_append(&l->rx, data, len) != 0) {
        return RUSM_ENOMEM;
    }
    return lane_run_buffer(in, l);
}

int lane_in_reset(struct lanes_in *in, struct lane_in *l)
{
    l->fin = true;
    if (!l->broken) {
        l->broken = true; /* an incomplete record is lost, complete ones still count */
        in->events->lane_lost(in->context, in->peer, l, RUSM_ENOCONN);
    }
    return lane_settle(in, l);
}

int lane_in_closed(struct lanes_in *in, struct lane_in *l)
{
    if (l->fin) {
        return 0; /* the lane still waits for room, a grant or its predecessor */
    }
    l->fin = true;
    return lane_settle(in, l);
}

/* ---- turns ---- */

void lanes_in_start(struct lanes_in *in)
{
    struct map_iter it;
    in->ready = true;
    for (struct map_node *n = map_first(&in->lanes, &it); n; n = map_next(&in->lanes, &it)) {
        struct lane_in *l = container_of(n, struct lane_in, by_ordinal);
        lane_run_later(in, l);
    }
}

void lane_in_resume(struct lanes_in *in, struct lane_in *l)
{
    if (l->state != LANE_HELD) {
        return;
    }
    l->state = LANE_OPEN;
    lane_run_later(in, l);
}

int lanes_in_turn(struct lanes_in *in, uint64_t now_ns)
{
    in->now_ns = now_ns;
    while (!list_empty(&in->owed.dirty)) {
        struct credit *c = container_of(list_first(&in->owed.dirty), struct credit, dirty);
        struct lane_in *l = c->user;
        list_remove(&c->dirty);
        l->taken += c->given;
        c->given = 0;
        c->messages = 0;
        if (c == l->granted_credit) {
            lane_end_grant(in, l);
        }
        lane_grow_window(in, l);
        lane_update_limit(in, l);
    }
    while (!list_empty(&in->resumed)) {
        struct list *first = list_first(&in->resumed);
        list_remove(first);
        int error = lane_run_buffer(in, container_of(first, struct lane_in, resume));
        if (error) {
            return error;
        }
    }
    return 0;
}

void lanes_in_tick(struct lanes_in *in, uint64_t now_ns)
{
    list_each_safe(link, &in->granted) {
        struct lane_in *l = container_of(link, struct lane_in, claim.at);
        if (lane_keeps_pace(in, l, now_ns)) {
            continue;
        }
        lane_stop(in, l, STREAM_OVERFLOW, RUSM_BUSY);
    }
}
