/* fuzz_conn: a connection for fuzz targets, in place of the quic room's. It has the functions that
 * the peer room calls, and streams that behave as endpoint.h promises: bytes in order and within
 * the credit, one end per stream, nothing after the end. Include it once. */
#ifndef DOUBLES_FUZZ_CONN_H
#define DOUBLES_FUZZ_CONN_H

#include "peer/limits.h"
#include "wire/limits.h"
#include "doubles/fuzz.h"
#include "quic/endpoint.h"
#include "wire/control.h"
#include "wire/lane.h"

#define CONN_THEIRS 24
#define CONN_OURS 96
#define CONN_VECS 8

/* One stream. `bytes` are those that the peer room received on one of their streams, or sent on one
 * of ours. */
struct flow {
    int64_t id;
    void *user;
    uint8_t *bytes;
    size_t len, cap;
    uint64_t limit; /* theirs: the credit */
    uint64_t fill;  /* theirs: payload bytes that still belong to the last record head */
    size_t at;      /* theirs: where the next record to be delivered starts */
    size_t acked;   /* ours */
    size_t read;    /* ours: decoded so far */
    bool open, fin, reset, closed;
    bool stopped; /* the receiver has stopped it */
    bool gone;    /* theirs: drained; the peer room no longer refers to it */
    bool told;    /* theirs: DRAINED has been sent for it */
    bool header_seen;
};

struct conn {
    void *app;
    bool dialled, closing;
    uint64_t code;
    struct flow control, theirs[CONN_THEIRS], ours[CONN_OURS];
    size_t ours_count, ours_max;
    uint64_t streams_given; /* to them, beyond the initial ones */
};

static inline void flow_put(struct flow *f, const void *data, size_t len)
{
    if (f->len + len > f->cap) {
        f->cap = 2 * f->cap + len + 64;
        f->bytes = realloc(f->bytes, f->cap);
        must(f->bytes);
    }
    if (len > 0) {
        memcpy(f->bytes + f->len, data, len);
        f->len += len;
    }
}

static inline struct flow *conn_flow(struct conn *c, int64_t id)
{
    size_t ordinal = (size_t)id >> 2;

    if (id == c->control.id && c->control.open) {
        return &c->control;
    }
    must(id & 2);
    bool ours = ((id & 1) == 0) == c->dialled;
    must(ordinal < (ours ? c->ours_count : CONN_THEIRS));
    return ours ? &c->ours[ordinal] : &c->theirs[ordinal];
}

/* ---- endpoint.h ------------------------------------------------------------------------------ */

void *conn_app(const struct conn *c)
{
    return c->app;
}

void conn_set_app(struct conn *c, void *app)
{
    c->app = app;
}

bool conn_dialled(const struct conn *c)
{
    return c->dialled;
}

/* None of these connections speaks HTTP/3, so the functions that only HTTP/3 needs are never
 * called. */
bool conn_is_http(const struct conn *c)
{
    must(c);
    return false;
}

void conn_take_over(struct conn *c, const struct endpoint_events *events, void *context)
{
    must(!c && !events && !context);
}

bool conn_trusted(const struct conn *c)
{
    must(!c);
    return false;
}

const struct sockaddr *conn_peer_address(const struct conn *c)
{
    must(!c);
    return NULL;
}

void conn_keep_alive(struct conn *c, bool keep)
{
    must(!c && !keep);
}

void conn_extend_streams_bidi(struct conn *c, uint64_t count)
{
    must(!c && !count);
}

void conn_wake(struct conn *c)
{
    must(c);
}

int conn_open_bidi(struct conn *c, int64_t *stream, void *user)
{
    must(c->dialled && !c->control.open);
    c->control.open = true;
    c->control.user = user;
    *stream = c->control.id;
    return 0;
}

int conn_open_uni(struct conn *c, int64_t *stream, void *user)
{
    if (c->closing) {
        return RUSM_ECLOSED;
    }
    if (c->ours_count >= c->ours_max) {
        return RUSM_BUSY;
    }
    struct flow *f = &c->ours[c->ours_count];
    f->id = *stream = (int64_t)c->ours_count++ << 2 | 2 | (c->dialled ? 0 : 1);
    f->user = user;
    f->open = true;
    return 0;
}

uint64_t conn_streams_left(const struct conn *c)
{
    return c->ours_max - c->ours_count;
}

void conn_set_user(struct conn *c, int64_t stream, void *user)
{
    struct flow *f = conn_flow(c, stream);

    must(f->open && !f->gone);
    f->user = user;
    f->gone = !user;
}

void conn_extend_stream(struct conn *c, int64_t stream, uint64_t bytes)
{
    struct flow *f = conn_flow(c, stream);

    f->limit += bytes;
    /* The window and one granted record bound the credit. Nobody can make us promise more. */
    must(bytes > 0 && f->limit <= f->len + LIMIT_LANE_WINDOW_MAX + LIMIT_RECORD + RECORD_HEAD_MAX);
}

void conn_extend_streams(struct conn *c, uint64_t count)
{
    c->streams_given += count;
}

void conn_reset(struct conn *c, int64_t stream, uint64_t code)
{
    must(code != STREAM_NONE);
    conn_flow(c, stream)->reset = true;
}

void conn_stop(struct conn *c, int64_t stream, uint64_t code)
{
    struct flow *f = conn_flow(c, stream);

    must(code != STREAM_NONE && !f->stopped && !f->gone);
    f->stopped = true;
}

void conn_close(struct conn *c, uint64_t code, const char *reason)
{
    must(reason && !c->closing && code <= CLOSE_INTERNAL);
    c->closing = true;
    c->code = code;
}

/* Returns values that vary, so that the peer room sees both fast and slow paths. */
void conn_round_trip(const struct conn *c, uint64_t *now_ns, uint64_t *best_ns)
{
    *best_ns = c->ours_count % 4 * 1000000;
    *now_ns = *best_ns * (1 + c->ours_count % 16);
}

void conn_set_burst(struct conn *c, size_t bytes)
{
    must(!c->closing && (bytes == 0 || bytes >= 1200));
}

/* ---- what we send ---------------------------------------------------------------------------- */

/* Checks the frames on the control stream: they are well formed, and DRAINED comes at most once for
 * each lane, and only after the lane is drained. */
static inline void conn_read_control(struct conn *c)
{
    struct flow *f = &c->control;
    struct frame frame;
    ssize_t n;

    while ((n = frame_decode(f->bytes + f->read, f->len - f->read, &frame)) > 0) {
        struct reader r = reader_on(frame.body, frame.len);
        must(frame.type < FRAME_TYPES);
        while (frame.type == FRAME_DRAINED && reader_left(&r) > 0) {
            uint64_t ordinal = reader_varint(&r);
            must(!r.bad && ordinal < CONN_THEIRS);
            must(c->theirs[ordinal].gone && !c->theirs[ordinal].told);
            c->theirs[ordinal].told = true;
        }
        f->read += (size_t)n;
    }
    must(n == 0);
}

/* Checks the records of a lane: they are well formed, and the last one is whole when the lane
 * ends. */
static inline void conn_read_lane(struct flow *f)
{
    struct lane_header header;
    struct record record;
    ssize_t n = 1;

    if (!f->header_seen) {
        n = lane_header_decode(f->bytes, f->len, &header);
        must(n == 0 || (n > 0 && header.after <= (uint64_t)f->id >> 2));
        f->read = (size_t)n;
        f->header_seen = n > 0;
    }
    while (n > 0 && f->read < f->len) {
        n = record_head_decode(f->bytes + f->read, f->len - f->read, &record);
        must(n >= 0);
        if (n > 0 && f->len - f->read - (size_t)n < record.payload_len) {
            n = 0;
        }
        f->read += n > 0 ? (size_t)n + (size_t)record.payload_len : 0;
    }
    must(!f->fin || f->read == f->len);
}

#endif
