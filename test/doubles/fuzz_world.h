/* fuzz_world: a peer under fuzzing with its connection and router, and what the other side can do:
 * send bytes on streams, and take the bytes that we offer. */
#ifndef DOUBLES_FUZZ_WORLD_H
#define DOUBLES_FUZZ_WORLD_H

#include "doubles/fuzz_router.h"
#include "peer/limits.h"

#define SENT_MAX (768 * 1024) /* bytes sent to lanes in one run */
#define FILLER 16384

struct world {
    struct conn conn;
    struct router router;
    struct endpoint_events on;
    struct peer *p;
    struct lane_budget budget;
    struct lane_pools pools;
    uint64_t now_ns;
    size_t sent;
};

static const uint8_t filler[FILLER] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

/* ---- their control stream -------------------------------------------------------------------- */

static inline void control_say(struct world *w, const uint8_t *data, size_t len, bool fin)
{
    struct conn *c = &w->conn;

    if (c->closing || c->control.fin || c->control.reset) {
        return;
    }
    if (!c->control.open) {
        c->control.open = true;
        w->on.stream_opened(w, c, c->control.id);
    }
    uint8_t *copy = malloc(len ? len : 1);
    must(copy);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    c->control.fin = fin;
    int rc = w->on.stream_data(w, c, c->control.id, NULL, copy, len, fin);
    must(rc == 0 || c->closing); /* a failure closes the connection, with its reason */
    free(copy);
}

static inline void frame_say(struct world *w, uint64_t type, bool skip, const uint8_t *body,
                             size_t len)
{
    uint8_t frame[FRAME_HEAD_MAX + 1024];
    size_t head = frame_head_encode(frame, type, skip, len);

    must(len <= 1024);
    if (len > 0) {
        memcpy(frame + head, body, len);
    }
    control_say(w, frame, head + len, false);
}

static inline void hello_say(struct world *w, bool client)
{
    uint8_t body[256];
    struct hello hello = { .version = CONTROL_VERSION,
                           .role = client ? HELLO_CLIENT : HELLO_NODE,
                           .incarnation = 7,
                           .max_message = RUSM_MESSAGE_MAX,
                           .name = "tokyo",
                           .name_len = 5,
                           .advertise = "" };
    ssize_t len = hello_encode(body, sizeof(body), &hello);

    must(len > 0);
    frame_say(w, FRAME_HELLO, false, body, (size_t)len);
}

/* ---- their lanes ----------------------------------------------------------------------------- */

/* Sends as many of the bytes as there is credit for. */
static inline void lane_say(struct world *w, struct flow *f, const uint8_t *data, size_t len,
                            bool fin)
{
    struct conn *c = &w->conn;

    if (c->closing || f->fin || f->reset || f->closed) {
        return;
    }
    if (!f->open) {
        f->open = true;
        f->limit = LIMIT_LANE_WINDOW;
        if (w->on.stream_opened(w, c, f->id) != 0 || c->closing) {
            must(c->closing);
            return;
        }
    }
    size_t room = (size_t)f->limit - f->len;
    if (len > room) {
        len = room;
        fin = false;
    }
    if (w->sent + len > SENT_MAX || (len == 0 && !fin)) {
        return;
    }
    w->sent += len;
    uint8_t *copy = malloc(len ? len : 1);
    must(copy);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    flow_put(f, copy, len);
    f->fin = fin;
    int rc = w->on.stream_data(w, c, f->id, f->user, copy, len, fin);
    must(rc == 0 || c->closing);
    free(copy);
}

static inline void fill_say(struct world *w, struct flow *f, size_t most)
{
    while (f->fill > 0 && most > 0 && f->open && !w->conn.closing) {
        size_t before = f->len, len = f->fill < most ? (size_t)f->fill : most;
        lane_say(w, f, filler, len < FILLER ? len : FILLER, false);
        f->fill -= f->len - before;
        most -= f->len - before;
        if (f->len == before) {
            break;
        }
    }
}

/* Takes one offer: whole, in part or not at all. Returns false if there was none. */
static inline bool pull(struct world *w, size_t how)
{
    struct conn *c = &w->conn;
    struct iovec vec[CONN_VECS];
    int64_t id = -1;
    bool fin = false;
    size_t len = 0;
    int n = w->on.pull(w, c, &id, vec, CONN_VECS, &fin);

    must(n <= CONN_VECS);
    for (int i = 0; i < n; i++) {
        must(vec[i].iov_len > 0);
        len += vec[i].iov_len;
    }
    if (n < 0 || (len == 0 && !fin)) {
        return false;
    }
    struct flow *f = conn_flow(c, id);
    must(f->open && !f->fin);
    if (how == 0 || f->reset || f->stopped) {
        w->on.blocked(w, c, id, f->user);
        return true;
    }
    size_t take = how == 1 ? (len + 1) / 2 : len;
    size_t left = take;
    for (int i = 0; i < n && left > 0; i++) {
        size_t here = vec[i].iov_len < left ? vec[i].iov_len : left;
        flow_put(f, vec[i].iov_base, here);
        left -= here;
    }
    f->fin = fin && take == len;
    w->on.pulled(w, c, id, f->user, take, f->fin);
    if (f == &c->control) {
        conn_read_control(c);
    } else {
        conn_read_lane(f);
    }
    return true;
}

/* ---- nothing is stuck ------------------------------------------------------------------------ */

/* Checks one of their lanes after the router took all that it could. Every complete record has gone
 * up. An incomplete one has the credit that it needs to become complete. */
static inline void flow_settled(struct world *w, struct flow *f)
{
    const struct lane_in *lane = f->user;
    const struct route *route = lane->user;
    struct record record;
    size_t came = f->at < f->len ? f->at : f->len;

    if (lane->state == LANE_AFTER) {
        must(!w->conn.theirs[lane->after - 1].gone);
        return;
    }
    if (!route) {
        return; /* the lane's header is not complete */
    }
    must(f->limit >= came + LIMIT_LANE_WINDOW);
    ssize_t head = 0;
    while (f->at < f->len) {
        head = record_head_decode(f->bytes + f->at, f->len - f->at, &record);
        if (head <= 0 || record.kind < RECORD_KINDS) {
            break;
        }
        f->at += (size_t)head + (size_t)record.payload_len;
    }
    if (list_linked(&route->at)) { /* it waits: another lane of the mailbox has the grant */
        must(route->box->granted && route->box->granted != route);
        return;
    }
    if (f->at < f->len && head > 0) {
        size_t wire = (size_t)head + (size_t)record.payload_len;
        must(f->len < f->at + wire && f->limit >= f->at + wire);
        must(record.payload_len <= lane->window / 2 || route->box->granted == route);
    } else {
        must(!route->box || route->box->granted != route);
    }
    must(!f->fin && !f->reset);
}

static inline void world_settle(struct world *w)
{
    for (int tick = 0; tick < 3 * CONN_THEIRS && !w->conn.closing; tick++) {
        for (size_t i = 0; i < ROUTER_BOXES; i++) {
            struct box *b = &w->router.box[i];
            b->max = 3;
            box_resume(&w->router, b);
            while (b->first) {
                box_take(&w->router, b);
            }
        }
        peer_run(w->p, w->now_ns);
    }
    for (size_t i = 0; i < CONN_THEIRS && !w->conn.closing && w->router.ready; i++) {
        struct flow *f = &w->conn.theirs[i];
        if (f->open && !f->gone && !f->stopped) {
            flow_settled(w, f);
        }
    }
}

#endif
