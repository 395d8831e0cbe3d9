/* lane_flow: the bytes of outgoing lanes on their way. It gives the endpoint the bytes that it asks
 * for, and takes what it reports. Declared in lane_out.h. peer_stream.c calls it from the
 * endpoint's events. */
#include "peer/limits.h"
#include "peer/lane_out_state.h"
#include "peer/pair.h"

int lanes_out_pull(struct lanes_out *o, int64_t *stream, struct iovec *vec, size_t cap, bool *fin)
{
    struct lane_out *l = rounds_next(o);
    if (!l) {
        return -1;
    }
    size_t offer = l->slice;
    *stream = l->stream;
    *fin = l->ending && l->q.unsent <= offer;
    int n = outq_peek(&l->q, vec, cap, offer);
    if (*fin) { /* only if vec has all unsent bytes */
        size_t len = 0;
        for (int i = 0; i < n; i++) {
            len += vec[i].iov_len;
        }
        *fin = len == l->q.unsent;
    }
    return n;
}

void lane_out_pulled(struct lanes_out *o, struct lane_out *l, size_t len, bool fin)
{
    outq_sent(&l->q, len);
    l->ended |= fin;
    rounds_sent(o, l, len, l->q.unsent > 0 || (l->ending && !l->ended));
}

void lane_out_blocked(struct lane_out *l)
{
    l->blocked = true;
    list_remove(&l->ready);
}

void lane_out_writable(struct lanes_out *o, struct lane_out *l)
{
    l->blocked = false;
    if (l->q.unsent > 0 || (l->ending && !l->ended)) {
        rounds_ready(o, l);
    }
}

void lane_out_acked(struct lanes_out *o, struct lane_out *l, uint64_t len)
{
    bool full = o->queued >= LIMIT_CONN_QUEUE / 2;
    if (l->stopped) {
        return; /* this acknowledges bytes that were in flight at the stop */
    }
    outq_acked(&l->q, &o->pools->chunks, len);
    o->queued -= len;
    rounds_acked(o, len);
    if (full) {
        pairs_tell_writable(o);
        return;
    }
    struct pair *pair = l->pair;
    if (pair && list_linked(&pair->told) && pair_may_take(o, pair)) {
        list_remove(&pair->told);
        o->writable(o->context, pair->from);
    }
}

uint64_t lane_out_stopped(struct lanes_out *o, struct lane_out *l)
{
    bool full = o->queued >= LIMIT_CONN_QUEUE / 2;
    uint64_t lost = l->q.records;
    struct pair *pair = l->pair;
    if (l->stopped) {
        return 0;
    }
    l->stopped = l->ending = l->ended = true;
    list_remove(&l->ready);
    rounds_acked(o, l->q.len - l->q.unsent);
    o->queued -= l->q.len;
    outq_fini(&l->q, &o->pools->chunks);
    l->pair = NULL;
    if (pair) {
        bool told = list_linked(&pair->told);
        uint64_t from = pair->from;
        list_remove(&pair->open);
        list_remove(&pair->told);
        pair->lane = NULL;
        pair_free_if_idle(o, pair);
        if (told) {
            o->writable(o->context, from);
        }
        pairs_were_freed(o);
    }
    if (full) {
        pairs_tell_writable(o);
    }
    return lost;
}

void lane_out_closed(struct lanes_out *o, struct lane_out *l)
{
    bool unordered = l->unordered;
    lane_out_free(o, l);
    /* The peer may have raised the stream limit earlier. Only now is there room under our own
     * limit for unordered lanes. */
    if (unordered && o->told_all && o->lanes_unordered < LIMIT_LANES / 4) {
        pairs_tell_writable(o);
    }
    pairs_were_freed(o);
}

void lanes_out_streams(struct lanes_out *o)
{
    while (!list_empty(&o->starving)) {
        struct pair *pair = container_of(list_first(&o->starving), struct pair, starving);
        struct parcel to = { .from = pair->from,
                             .to = { .kind = pair->kind,
                                     .serial = pair->serial,
                                     .incarnation = pair->incarnation,
                                     .name = pair->name,
                                     .name_len = pair->name_len } };
        struct lane_out *l;
        if (lane_out_open(o, &to, pair, &l) != 0) {
            return;
        }
        list_remove(&pair->starving);
        outq_join(&l->q, &pair->signals);
        rounds_ready(o, l);
    }
    pairs_tell_writable(o);
}
