/* fuzz_router: a router above a peer under fuzzing. It has mailboxes that fill up, and gives one
 * grant at a time for each. It compares what the peer room delivers with the bytes of the lane. */
#ifndef DOUBLES_FUZZ_ROUTER_H
#define DOUBLES_FUZZ_ROUTER_H

#include "doubles/fuzz_conn.h"
#include "peer/peer.h"

#define ROUTER_BOXES 6

struct letter {
    struct letter *next;
    struct credit *credit;
    uint32_t wire;
    void *block;
};

struct box {
    struct letter *first, **last;
    size_t count, max; /* 0: there is no process */
    struct list held, asking;
    struct route *granted;
};

struct route {
    struct list at;
    struct lane_in *lane;
    struct box *box;
};

struct router {
    struct conn *conn;
    struct peer *peer;
    struct box box[ROUTER_BOXES];
    enum close_code verdict;
    bool adopt; /* adopt the peer on its hello */
    bool ready, has_hello;
    size_t lanes;
};

static inline struct flow *router_flow(struct router *r, const struct lane_in *lane)
{
    struct flow *f = conn_flow(r->conn, lane->stream);

    must(r->ready && f->user == lane && !f->gone && !f->stopped);
    must(lane->ordinal == (uint64_t)lane->stream >> 2);
    /* The lane of the pair before this one has ended. */
    must(!lane->after || !r->conn->theirs[lane->after - 1].open ||
         r->conn->theirs[lane->after - 1].gone);
    return f;
}

/* Finds the next record of a lane in its bytes, past the records that are to be skipped. */
static inline size_t router_next(struct flow *f, struct record *record)
{
    for (;;) {
        ssize_t head = record_head_decode(f->bytes + f->at, f->len - f->at, record);
        must(head > 0);
        if (record->kind < RECORD_KINDS) {
            return (size_t)head;
        }
        must(record->skip);
        f->at += (size_t)head + (size_t)record->payload_len;
        must(f->at <= f->len);
    }
}

static inline void record_same(const struct record *a, const struct record *b)
{
    must(a->kind == b->kind && a->has_ref == b->has_ref && a->has_receipt == b->has_receipt);
    must(a->ref == b->ref && a->receipt == b->receipt && a->payload_len == b->payload_len);
}

/* Resumes the lanes that wait for room in the mailbox. */
static inline void box_resume(struct router *r, struct box *b)
{
    struct list *at;

    while (r->peer && (at = list_first(&b->held))) {
        list_remove(at);
        peer_lane_resume(r->peer, container_of(at, struct route, at)->lane);
    }
}

static inline void box_take(struct router *r, struct box *b)
{
    struct letter *l = b->first;

    if (!l) {
        return;
    }
    b->first = l->next;
    if (!b->first) {
        b->last = &b->first;
    }
    b->count--;
    credit_give(l->credit, l->wire);
    free(l->block);
    free(l);
    box_resume(r, b);
}

static inline void box_grant_next(struct router *r, struct box *b)
{
    struct list *at = list_first(&b->asking);

    b->granted = NULL;
    if (at) {
        list_remove(at);
        b->granted = container_of(at, struct route, at);
        peer_lane_grant(r->peer, b->granted->lane);
    }
}

/* ---- peer_events ----------------------------------------------------------------------------- */

static inline enum close_code router_hello(void *context, struct peer *p, const struct hello *hello)
{
    struct router *r = context;

    must(!r->has_hello && peer_has_hello(p) && hello->version == CONTROL_VERSION);
    r->has_hello = true;
    if (r->verdict == CLOSE_NONE && r->adopt) {
        peer_adopt(p);
    }
    return r->verdict;
}

static inline void router_ready(void *context, struct peer *p)
{
    struct router *r = context;

    must(!r->ready && r->has_hello && peer_is_ready(p));
    r->ready = true;
}

static inline int router_frame(void *context, struct peer *p, const struct frame *frame)
{
    struct router *r = context;
    uint64_t sum = 0;

    must(r->has_hello && r->conn->app == p && frame->type < FRAME_TYPES);
    for (size_t i = 0; i < frame->len; i++) {
        sum += frame->body[i];
    }
    return sum == 0xff ? RUSM_EMALFORMED : 0;
}

static inline void router_receipt(void *context, struct peer *p, const struct receipt *receipt)
{
    struct router *r = context;

    must(r->has_hello && r->conn->app == p && receipt->status <= STATUS_MAX);
}

static inline void router_lane_opened(void *context, struct peer *p, struct lane_in *lane)
{
    struct router *r = context;
    struct route *route = calloc(1, sizeof(*route));
    struct flow *f = conn_flow(r->conn, lane->stream);
    struct lane_header header;

    must(route && r->ready && r->conn->app == p && !lane->user);
    ssize_t head = lane_header_decode(f->bytes, f->len, &header);
    must(head > 0 && header.from == lane->from && header.after == lane->after);
    must(header.to.kind == lane->to.kind && header.to.serial == lane->to.serial);
    must(lane->to.kind == TARGET_PID ||
         (lane->to.name_len == header.to.name_len && lane->to.name[lane->to.name_len] == '\0' &&
          !memcmp(lane->to.name, header.to.name, lane->to.name_len)));
    f->at = (size_t)head;
    list_init(&route->at);
    route->lane = lane;
    if (lane->to.kind == TARGET_PID && r->box[lane->to.serial % ROUTER_BOXES].max > 0) {
        route->box = &r->box[lane->to.serial % ROUTER_BOXES];
    }
    lane->user = route;
    r->lanes++;
}

static inline void router_lane_closed(void *context, struct peer *p, struct lane_in *lane)
{
    struct router *r = context;
    struct route *route = lane->user;

    must(p && route && (!route->box || route->box->granted != route));
    list_remove(&route->at);
    free(route);
    lane->user = NULL;
    r->lanes--;
}

static inline enum delivery router_deliver(void *context, struct peer *p, struct lane_in *lane,
                                           const struct record *record, const uint8_t *payload,
                                           void *block, uint32_t wire)
{
    struct router *r = context;
    struct route *route = lane->user;
    struct box *b = route->box;
    struct flow *f = router_flow(r, lane);
    struct record said;
    size_t head = router_next(f, &said), len = (size_t)said.payload_len;

    record_same(record, &said);
    must(wire == head + len && f->at + wire <= f->len && !list_linked(&route->at));
    must(len == 0 || memcmp(payload, f->bytes + f->at + head, len) == 0);
    must(!block || (payload == block && payload[len] == 0));
    /* A record within half the window needs no grant. */
    must(!block || len <= lane->window / 2 || (b && b->granted == route));
    if (b && b->count >= b->max && !lane->unordered) {
        list_append(&b->held, &route->at);
        return DELIVERY_HOLD;
    }
    f->at += wire;
    bool taken = b && b->count < b->max;
    if (record->has_receipt) {
        peer_send_receipt(p, record->receipt, taken ? 0 : -RUSM_ENOPROC);
    }
    if (!taken) {
        return DELIVERY_DISCARDED;
    }
    struct letter *l = calloc(1, sizeof(*l));
    must(l);
    l->block = block;
    l->wire = wire;
    l->credit = peer_lane_credit(lane);
    credit_hold(l->credit);
    *b->last = l;
    b->last = &l->next;
    b->count++;
    return DELIVERY_TAKEN;
}

static inline int router_grant(void *context, struct peer *p, struct lane_in *lane,
                               const struct record *record)
{
    struct router *r = context;
    struct route *route = lane->user;
    struct flow *f = router_flow(r, lane);
    struct record said;
    size_t head = router_next(f, &said);

    must(p);
    record_same(record, &said);
    must(!list_linked(&route->at));
    if (!route->box) {
        f->at += head + (size_t)said.payload_len;
        return RUSM_ENOPROC;
    }
    if (route->box->granted) {
        must(route->box->granted != route);
        list_append(&route->box->asking, &route->at);
        return 0;
    }
    route->box->granted = route;
    return 1;
}

static inline void router_grant_done(void *context, struct peer *p, struct lane_in *lane)
{
    struct route *route = lane->user;

    must(p && route->box->granted == route);
    box_grant_next(context, route->box);
}

static inline void router_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause)
{
    must(context && p && lane && cause < 0);
}

static inline void router_writable(void *context, struct peer *p, uint64_t from)
{
    struct router *r = context;
    struct parcel again = { .from = from, .to = { TARGET_PID, 1, 1, NULL, 0 } };

    must(peer_send(p, &again, 0) <= 0); /* a sender that is told "writable" tries at once */
    must(r->peer == p);
}

static inline void router_refused(void *context, struct peer *p, uint64_t from, uint64_t records,
                                  int cause)
{
    must(context && p && cause < 0 && from < 8 && records < 100000);
}

static const struct peer_events router_events = {
    .hello = router_hello,
    .ready = router_ready,
    .frame = router_frame,
    .receipt = router_receipt,
    .lane_opened = router_lane_opened,
    .deliver = router_deliver,
    .grant = router_grant,
    .grant_done = router_grant_done,
    .lane_closed = router_lane_closed,
    .lane_lost = router_lane_lost,
    .writable = router_writable,
    .refused = router_refused,
};

#endif
