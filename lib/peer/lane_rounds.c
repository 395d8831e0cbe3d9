/* lane_rounds: see the header. */
#include "peer/lane_rounds.h"

#include "base/must.h"
#include "peer/lane_out.h"

/* Bytes that a lane sends before the next lane has its turn. They are a few packets, so that a
 * large message delays a small one by no more than a handful of microseconds. */
#define SLICE ((size_t)8 * 1024)

/* Bytes that may wait in buffers on the path to the peer, beyond what the path itself holds. Bulk
 * that is alone may have what 1 GB/s sends in a millisecond. Beside small messages it may have an
 * eighth of that, and a burst is a part of this eighth. */
#define QUEUE_ALONE ((uint64_t)1024 * 1024)
#define QUEUE_SHARED ((uint64_t)128 * 1024)
#define BURST_SHARED ((size_t)16 * 1024)

/* After this many further bytes a small message, or bulk, counts as long ago: some 10 ms. */
#define LONG_AGO ((uint64_t)8 * 1024 * 1024)

void rounds_init(struct lane_rounds *t)
{
    *t = (struct lane_rounds){ 0 };
    list_init(&t->fresh);
    list_init(&t->rest);
    list_init(&t->held);
    list_append(&t->rest, &t->round);
}

static bool is_bulk(const struct lane_out *l)
{
    return l->q.unsent > SLICE;
}

static bool is_shared(const struct lane_rounds *t)
{
    return t->small_left > 0 && t->bulk_left > 0;
}

void rounds_ready(struct lanes_out *o, struct lane_out *l)
{
    struct lane_rounds *t = &o->turns;
    if (list_linked(&l->ready) || l->blocked) {
        return;
    }
    if (l->round != t->number) {
        l->round = t->number;
        l->slice = SLICE;
    }
    l->fresh = l->slice > 0;
    list_append(l->fresh ? &t->fresh : &t->rest, &l->ready);
    conn_wake(o->conn);
}

/* Returns whether too much is in flight to send more bulk. The path itself holds flight * best_ns /
 * now_ns bytes. Up to twice as many are never too much. The rest waits in buffers on the path. If
 * round trips take at most twice their best time, there is no such rest. */
static bool is_full(const struct lanes_out *o)
{
    const struct lane_rounds *t = &o->turns;
    uint64_t queue = is_shared(t) ? QUEUE_SHARED : QUEUE_ALONE, now_ns, best_ns;
    if (t->flight < queue) {
        return false;
    }
    conn_round_trip(o->conn, &now_ns, &best_ns);
    return now_ns > 2 * best_ns && t->flight - t->flight * 2 * best_ns / now_ns >= queue;
}

struct lane_out *rounds_next(struct lanes_out *o)
{
    struct lane_rounds *t = &o->turns;
    bool full = false;
    for (;;) {
        struct list *first = list_first(&t->fresh);
        if (first) {
            return container_of(first, struct lane_out, ready);
        }
        first = list_first(&t->rest);
        if (first == &t->round) {
            t->number++;
            list_remove(&t->round);
            bool none = list_empty(&t->rest);
            list_append(&t->rest, &t->round);
            if (none) {
                return NULL;
            }
            continue;
        }
        struct lane_out *l = container_of(first, struct lane_out, ready);
        full = full || (is_bulk(l) && is_full(o));
        if (full && is_bulk(l)) {
            list_remove(first);
            list_append(&t->held, first);
            continue;
        }
        if (l->slice == 0) {
            l->slice = SLICE;
        }
        return l;
    }
}

static void pass(uint64_t *left, size_t len)
{
    *left = *left > len ? *left - len : 0;
}

void rounds_sent(struct lanes_out *o, struct lane_out *l, size_t len, bool more)
{
    struct lane_rounds *t = &o->turns;
    bool shared = is_shared(t), small = l->fresh && !more;
    t->flight += len;
    pass(&t->small_left, len);
    pass(&t->bulk_left, len);
    if (is_bulk(l)) {
        t->bulk_left = LONG_AGO;
    } else if (small) {
        t->small_left = LONG_AGO;
    }
    if (is_shared(t) != shared) {
        conn_set_burst(o->conn, shared ? 0 : BURST_SHARED);
    }
    l->slice -= len < l->slice ? len : l->slice;
    if (!more) {
        list_remove(&l->ready);
    } else if (l->slice == 0) { /* the next lane's turn */
        l->fresh = false;
        list_remove(&l->ready);
        list_append(&t->rest, &l->ready);
    }
}

void rounds_acked(struct lanes_out *o, uint64_t len)
{
    struct lane_rounds *t = &o->turns;
    must(len <= t->flight);
    t->flight -= len;
    if (!list_empty(&t->held)) { /* put them back in front, where they were */
        list_move_all(&t->held, &t->rest);
        list_move_all(&t->rest, &t->held);
    }
}
