/* lane_out: the outgoing lanes of one connection: how they open and end, and what is queued on
 * them. lane_flow.c sends what is queued. See lane_out.h.
 *
 * A lane belongs to its stream and is freed when the stream is closed. While it may take more
 * records, it belongs to its pair too. When it begins to end, the pair drops it and may open a
 * successor. */
#include "base/container_of.h"
#include "peer/lane_out.h"

#include "peer/limits.h"
#include "wire/limits.h"
#include "base/must.h"
#include "peer/lane_out_state.h"
#include "peer/pair.h"
#include "wire/control.h"

/* With fewer streams left than this, a new lane first ends an idle one before its time. */
#define STREAMS_SCARCE (LIMIT_LANES / 8)

/* How many lanes lane_end_idlest looks at to find an idle one. */
#define IDLE_LOOK 16

void lanes_out_init(struct lanes_out *o, struct conn *conn, struct lane_pools *pools, uint64_t seed,
                    void (*writable)(void *context, uint64_t from), void *context)
{
    *o = (struct lanes_out){ .conn = conn,
                             .pools = pools,
                             .max_message = RUSM_MESSAGE_MAX,
                             .writable = writable,
                             .context = context };
    map_init(&o->pairs, seed);
    map_init(&o->ordinals, seed ^ 1);
    list_init(&o->all);
    rounds_init(&o->turns);
    list_init(&o->open);
    list_init(&o->starving);
    list_init(&o->told);
}

/* ---- lanes ---- */

/* Ends a lane: FIN follows what is queued on it. The pair's next message opens a successor that
 * names this lane. */
static void lane_end(struct lanes_out *o, struct lane_out *l)
{
    l->ending = true;
    if (l->pair) {
        list_remove(&l->pair->open);
        l->pair->lane = NULL;
        pair_free_if_idle(o, l->pair); /* if the peer sent DRAINED too early */
        l->pair = NULL;
    }
    rounds_ready(o, l);
}

/* Ends one idle lane among the oldest, so that its stream can serve another pair. */
static void lane_end_idlest(struct lanes_out *o)
{
    for (int i = 0; i < IDLE_LOOK && !list_empty(&o->open); i++) {
        struct pair *pair = container_of(list_first(&o->open), struct pair, open);
        if (pair->lane->q.len == 0) {
            lane_end(o, pair->lane);
            return;
        }
        list_remove(&pair->open);
        list_append(&o->open, &pair->open);
    }
}

int lane_out_open(struct lanes_out *o, const struct parcel *to, struct pair *pair,
                  struct lane_out **out)
{
    uint8_t head[LIMIT_LANE_HEADER];
    struct lane_header header = { .type = pair ? LANE_ORDERED : LANE_UNORDERED,
                                  .after = pair ? pair->after : 0,
                                  .from = to->from,
                                  .to = to->to };
    ssize_t head_len = lane_header_encode(head, sizeof(head), &header);
    must(head_len > 0);
    if (conn_streams_left(o->conn) < STREAMS_SCARCE) {
        lane_end_idlest(o);
    }

    struct lane_out *l = pool_take(&o->pools->out);
    if (!l) {
        return RUSM_ENOMEM;
    }
    *l = (struct lane_out){ 0 };
    list_init(&l->all);
    list_init(&l->ready);
    outq_init(&l->q);
    l->from = to->from;
    l->unordered = l->ending = !pair;
    int error = outq_append(&l->q, &o->pools->chunks, head, (size_t)head_len, NULL, 0, 0);
    if (!error) {
        error = conn_open_uni(o->conn, &l->stream, l);
    }
    if (error) {
        outq_fini(&l->q, &o->pools->chunks);
        pool_give(&o->pools->out, l);
        return error;
    }
    list_append(&o->all, &l->all);
    o->queued += (uint64_t)head_len;
    o->lanes++;
    o->lanes_unordered += !pair;
    *out = l;
    if (!pair) {
        return 0;
    }

    uint64_t ordinal = (uint64_t)l->stream >> 2;
    pair_forget_ordinal(o, pair);
    pair->lane = l;
    l->pair = pair;
    list_append(&o->open, &pair->open);
    if (map_insert(&o->ordinals, map_hash_u64(&o->ordinals, ordinal), &pair->ordinal) != 0) {
        /* Without the ordinal a successor could overtake this lane, and order would be lost. */
        conn_close(o->conn, CLOSE_INTERNAL, "out of memory");
        return RUSM_ENOMEM;
    }
    pair->after = ordinal + 1;
    return 0;
}

void lane_out_free(struct lanes_out *o, struct lane_out *l)
{
    struct pair *pair = l->pair;
    if (pair) {
        list_remove(&pair->open);
        pair->lane = NULL;
        pair_free_if_idle(o, pair);
    }
    list_remove(&l->ready);
    list_remove(&l->all);
    rounds_acked(o, l->q.len - l->q.unsent);
    o->lanes--;
    o->lanes_unordered -= l->unordered;
    o->queued -= l->q.len;
    outq_fini(&l->q, &o->pools->chunks);
    pool_give(&o->pools->out, l);
}

void lanes_out_fini(struct lanes_out *o)
{
    struct map_iter it;
    o->told_all = false; /* waiting senders learn of the connection's end instead */
    list_each_safe(link, &o->all) {
        lane_out_free(o, container_of(link, struct lane_out, all));
    }
    for (struct map_node *n = map_first(&o->pairs, &it); n; n = map_next(&o->pairs, &it)) {
        pair_free(o, container_of(n, struct pair, node));
    }
    map_fini(&o->pairs);
    map_fini(&o->ordinals);
}

uint64_t lanes_out_unconfirmed(const struct lanes_out *o)
{
    uint64_t records = 0;
    list_each(link, &o->all) {
        records += container_of(link, struct lane_out, all)->q.records;
    }
    list_each(link, &o->starving) {
        records += container_of(link, struct pair, starving)->signals.records;
    }
    return records;
}

void lanes_out_pending(const struct lanes_out *o,
                       void (*each)(void *context, uint64_t from, uint64_t records), void *context)
{
    struct map_iter it;
    for (struct map_node *n = map_first(&o->pairs, &it); n; n = map_next(&o->pairs, &it)) {
        const struct pair *pair = container_of(n, struct pair, node);
        if (pair->lane || pair->after || pair->signals.records > 0) {
            each(context, pair->from, pair->signals.records);
        }
    }
    list_each(link, &o->all) {
        const struct lane_out *l = container_of(link, struct lane_out, all);
        if (l->q.records > 0) {
            each(context, l->from, l->q.records);
        }
    }
}

/* ---- sending ---- */

static int append(struct lanes_out *o, struct outq *q, const struct parcel *p)
{
    uint8_t head[RECORD_HEAD_MAX];
    struct record record = { .kind = p->kind,
                             .has_ref = p->has_ref,
                             .has_receipt = p->has_receipt,
                             .ref = p->ref,
                             .receipt = p->receipt,
                             .payload_len = p->len };
    size_t head_len = record_head_encode(head, &record);
    int error = outq_append(q, &o->pools->chunks, head, head_len, p->data, p->len, 1);
    if (error) {
        return error;
    }
    o->queued += head_len + p->len;
    o->records++;
    o->bytes += p->len;
    return 0;
}

static int send_unordered(struct lanes_out *o, const struct parcel *p)
{
    struct lane_out *l;
    if (o->queued >= LIMIT_CONN_QUEUE || o->lanes_unordered >= LIMIT_LANES / 2) {
        return pair_busy(o, NULL);
    }
    int error = lane_out_open(o, p, NULL, &l);
    if (error) {
        return error == RUSM_BUSY ? pair_busy(o, NULL) : error;
    }
    error = append(o, &l->q, p);
    if (error) {
        /* The header must not go out alone: the receiver would see a lane without a record. */
        conn_reset(o->conn, l->stream, STREAM_GONE);
        l->ended = true;
        return error;
    }
    rounds_ready(o, l);
    return 0;
}

/* Queues a signal until there is a stream for it. The signals of a pair keep their order. */
static int starve(struct lanes_out *o, struct pair *pair, const struct parcel *p)
{
    int error = append(o, &pair->signals, p);
    if (error) {
        pair_free_if_idle(o, pair);
    } else if (!list_linked(&pair->starving)) {
        list_append(&o->starving, &pair->starving);
    }
    return error;
}

int lanes_out_send(struct lanes_out *o, const struct parcel *p, uint64_t now_ns)
{
    bool signal = p->kind >= RECORD_EXIT;
    struct pair *pair;
    if (p->len > o->max_message) {
        return RUSM_ETOOLARGE;
    }
    if (p->unordered) {
        return send_unordered(o, p);
    }
    if (signal && o->queued >= LIMIT_CONN_SIGNALS) {
        conn_close(o->conn, CLOSE_LIMIT, "signals not taken");
        return RUSM_ENOCONN;
    }
    int error = pair_get(o, p, &pair);
    if (error) {
        return error == RUSM_BUSY ? pair_busy(o, NULL) : error;
    }
    struct lane_out *l = pair->lane;
    if (!signal && ((l && l->q.len >= LIMIT_LANE_QUEUE) || o->queued >= LIMIT_CONN_QUEUE ||
                    pair->signals.len > 0)) {
        return pair_busy(o, pair);
    }
    pair->used_ns = now_ns;
    if (!l) {
        if (pair->signals.len > 0) {
            return starve(o, pair, p);
        }
        error = lane_out_open(o, p, pair, &l);
        if (error == RUSM_BUSY) {
            lane_end_idlest(o);
            return signal ? starve(o, pair, p) : pair_busy(o, pair);
        }
        if (error) {
            pair_free_if_idle(o, pair);
            return error;
        }
    }
    error = append(o, &l->q, p);
    if (!error) {
        rounds_ready(o, l);
    }
    return error;
}

/* ---- the end of lanes ---- */

void lanes_out_end(struct lanes_out *o)
{
    while (!list_empty(&o->open)) {
        lane_end(o, container_of(list_first(&o->open), struct pair, open)->lane);
    }
}

void lanes_out_tick(struct lanes_out *o, uint64_t now_ns)
{
    uint64_t looks = o->lanes; /* not again at lanes that moved to the end */
    list_each_safe(link, &o->open) {
        struct pair *pair = container_of(link, struct pair, open);
        if (looks-- == 0) {
            break;
        }
        if (now_ns - pair->used_ns >= LIMIT_LANE_IDLE_NS && pair->lane->q.len == 0) {
            lane_end(o, pair->lane);
        } else if (now_ns - pair->used_ns < LIMIT_LANE_IDLE_NS / 2) {
            /* Used recently: move it to the end, so that the longest unused stay in front. */
            list_remove(&pair->open);
            list_append(&o->open, &pair->open);
        }
    }
    pairs_were_freed(o);
}
