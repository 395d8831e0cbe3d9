/* peer_stream: passes the endpoint's stream events on to the control stream, the incoming lanes and
 * the outgoing lanes. The endpoint calls it. */
#include "peer/limits.h"
#include "wire/limits.h"
#include "peer/peer.h"
#include "peer/peer_state.h"

static bool is_ours(const struct conn *c, int64_t stream)
{
    return ((stream & 1) == 0) == conn_dialled(c);
}

static int on_stream_opened(void *context, struct conn *c, int64_t stream)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p || p->closing) {
        return 0;
    }
    if ((stream & 2) == 0) {
        if (stream != 0) {
            return peer_fail(p, RUSM_EMALFORMED, "a second bidirectional stream");
        }
        p->control = stream;
        return 0;
    }
    int error = lanes_in_opened(&p->in, stream);
    return error ? peer_fail(p, error, "malformed lane") : 0;
}

static int on_stream_data(void *context, struct conn *c, int64_t stream, void *user,
                          const uint8_t *data, size_t len, bool fin)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p || p->closing) {
        return 0;
    }
    if (stream == p->control) {
        return peer_control_data(p, data, len, fin);
    }
    if (!user) {
        return 0; /* the lane was broken off and is forgotten */
    }
    int error = lane_in_data(&p->in, user, data, len, fin);
    if (!list_empty(&p->in.granted)) {
        peer_needs_tick(p); /* to break off a grant that stalls */
    }
    return error ? peer_fail(p, error, "malformed lane") : 0;
}

static void on_stream_acked(void *context, struct conn *c, int64_t stream, void *user, uint64_t len)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p) {
        return;
    }
    if (stream == p->control) {
        outq_acked(&p->control_q, &p->out.pools->chunks, len);
        if (p->control_full && p->control_q.len <= LIMIT_CONTROL_ROOM / 2) {
            p->control_full = false;
            if (p->events->room) {
                p->events->room(p->context, p);
            }
        }
    } else if (user && is_ours(c, stream)) {
        lane_out_acked(&p->out, user, len);
    }
}

static void on_stream_reset(void *context, struct conn *c, int64_t stream, void *user,
                            uint64_t code)
{
    struct peer *p = conn_app(c);
    (void)context, (void)code;
    if (!p || p->closing) {
        return;
    }
    if (stream == p->control) {
        peer_fail(p, RUSM_EMALFORMED, "the control stream was reset");
    } else if (user) {
        lane_in_reset(&p->in, user);
    }
}

static int cause_of(uint64_t code)
{
    switch ((enum stream_code)code) {
    case STREAM_NOPROC: return RUSM_ENOPROC;
    case STREAM_OVERFLOW: return RUSM_BUSY;
    case STREAM_TOO_LARGE: return RUSM_ETOOLARGE;
    default: return RUSM_EMALFORMED;
    }
}

static void on_stream_stopped(void *context, struct conn *c, int64_t stream, void *user,
                              uint64_t code)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p || p->closing) {
        return;
    }
    if (stream == p->control) {
        peer_fail(p, RUSM_EMALFORMED, "the control stream was stopped");
    } else if (user && is_ours(c, stream)) {
        struct lane_out *l = user;
        uint64_t from = l->from, records = lane_out_stopped(&p->out, l);
        p->refused += records;
        p->events->refused(p->context, p, from, records, cause_of(code));
    }
}

static void on_stream_closed(void *context, struct conn *c, int64_t stream, void *user)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p || !user || stream == p->control) {
        return;
    }
    if (is_ours(c, stream)) {
        lane_out_closed(&p->out, user);
    } else if (!p->closing) {
        int error = lane_in_closed(&p->in, user);
        if (error) {
            peer_fail(p, error, "malformed lane");
        }
    }
}

static void on_stream_writable(void *context, struct conn *c, int64_t stream, void *user)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p) {
        return;
    }
    if (stream == p->control) {
        p->control_blocked = false;
        conn_wake(c);
    } else if (user && is_ours(c, stream)) {
        lane_out_writable(&p->out, user);
    }
}

static void on_streams_available(void *context, struct conn *c)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (p && !p->closing) {
        peer_needs_tick(p);
        lanes_out_streams(&p->out);
    }
}

static int on_pull(void *context, struct conn *c, int64_t *stream, struct iovec *vec, size_t cap,
                   bool *fin)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p || p->closing || p->control < 0) {
        return -1;
    }
    if (p->control_q.unsent > 0 && !p->control_blocked) { /* frames go before lanes */
        *stream = p->control;
        *fin = false;
        return outq_peek(&p->control_q, vec, cap, LIMIT_FRAME);
    }
    /* No lane may send before the connection is ready. The two sides must know each other first. */
    return p->ready ? lanes_out_pull(&p->out, stream, vec, cap, fin) : -1;
}

static void on_pulled(void *context, struct conn *c, int64_t stream, void *user, size_t len,
                      bool fin)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p) {
        return;
    }
    if (stream == p->control) {
        outq_sent(&p->control_q, len);
    } else if (user) {
        lane_out_pulled(&p->out, user, len, fin);
    }
}

static void on_blocked(void *context, struct conn *c, int64_t stream, void *user)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p) {
        return;
    }
    if (stream == p->control) {
        p->control_blocked = true;
    } else if (user) {
        lane_out_blocked(user);
    }
}

void peer_fill_events(struct endpoint_events *events)
{
    events->stream_opened = on_stream_opened;
    events->stream_data = on_stream_data;
    events->stream_acked = on_stream_acked;
    events->stream_reset = on_stream_reset;
    events->stream_stopped = on_stream_stopped;
    events->stream_closed = on_stream_closed;
    events->stream_writable = on_stream_writable;
    events->streams_available = on_streams_available;
    events->pull = on_pull;
    events->pulled = on_pulled;
    events->blocked = on_blocked;
}
