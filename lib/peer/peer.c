/* peer: one connection as frames and lanes: the control stream, hello and adopt, and the glue from
 * the endpoint's stream events to lane_in and lane_out. See peer.h. */
#include "peer/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/must.h"

/* Receipts and drained ordinals gathered in a turn; more go out in a further frame. */
#define GATHER 4096

struct gather {
    uint8_t bytes[GATHER];
    size_t len;
};

struct peer {
    struct conn *conn;
    const struct peer_events *events;
    void *context, *user;
    struct lanes_in in;
    struct lanes_out out;

    int64_t control; /* stream id; -1: not open yet */
    struct outq control_q;
    bool control_blocked;
    struct buf control_rx;
    struct gather receipts, drained;

    struct hello hello; /* ours; its texts point into hello_text */
    char hello_text[2][512];
    bool has_hello, ready, closing;
    bool put_off; /* the other side's ADOPT, and what came behind it, waits */
    bool client;  /* either end is a client: no adopt */
    uint64_t since_ns;
    uint64_t refused; /* records the peer broke off */
};

/* ---- life ---- */

static void out_writable(void *context, uint64_t from)
{
    struct peer *p = context;
    p->events->writable(p->context, p, from);
}

static void in_drained(struct peer *p, uint64_t ordinal);
static int send_hello(struct peer *p);

int peer_new(struct peer **out, const struct peer_options *options)
{
    struct peer *p = calloc(1, sizeof *p);
    if (!p) {
        return RUSM_ENOMEM;
    }
    p->conn = options->conn;
    p->events = options->events;
    p->context = options->context;
    p->control = -1;
    p->since_ns = options->now_ns;
    p->hello = options->hello;
    p->client = options->hello.role == HELLO_CLIENT;
    must(p->hello.name_len < sizeof p->hello_text[0]);
    must(p->hello.advertise_len < sizeof p->hello_text[1]);
    if (p->hello.name_len) {
        memcpy(p->hello_text[0], p->hello.name, p->hello.name_len);
    }
    if (p->hello.advertise_len) {
        memcpy(p->hello_text[1], p->hello.advertise, p->hello.advertise_len);
    }
    p->hello.name = p->hello_text[0];
    p->hello.advertise = p->hello_text[1];
    outq_init(&p->control_q);
    buf_init(&p->control_rx, LIMIT_CONTROL_QUEUE);
    lanes_in_init(&p->in, p->conn, p, p->events, p->context, options->budget, options->seed,
                  in_drained);
    p->in.now_ns = options->now_ns;
    lanes_out_init(&p->out, p->conn, options->seed ^ 4, out_writable, p);
    conn_set_app(p->conn, p);
    if (conn_dialled(p->conn)) {
        int error = conn_open_bidi(p->conn, &p->control, NULL);
        if (!error) {
            error = send_hello(p);
        }
        if (error) {
            peer_free(p);
            return error;
        }
    }
    *out = p;
    return 0;
}

void peer_free(struct peer *p)
{
    if (!p) {
        return;
    }
    conn_set_app(p->conn, NULL);
    lanes_in_fini(&p->in);
    outq_fini(&p->control_q, &p->out.pool);
    lanes_out_fini(&p->out);
    buf_fini(&p->control_rx);
    free(p);
}

struct conn *peer_conn(const struct peer *p)
{
    return p->conn;
}

void *peer_user(const struct peer *p)
{
    return p->user;
}

void peer_set_user(struct peer *p, void *user)
{
    p->user = user;
}

bool peer_is_ready(const struct peer *p)
{
    return p->ready;
}

bool peer_has_hello(const struct peer *p)
{
    return p->has_hello;
}

void peer_close(struct peer *p, enum close_code code, const char *text)
{
    if (p->closing) {
        return;
    }
    p->closing = true;
    conn_close(p->conn, code, text);
}

/* Closes for an error that the peer's bytes or our memory caused; passes the error on. */
static int fail(struct peer *p, int error, const char *what)
{
    if (error == RUSM_EMALFORMED) {
        peer_close(p, CLOSE_MALFORMED, what);
    } else {
        peer_close(p, CLOSE_INTERNAL, rusm_strerror(error));
    }
    return error;
}

/* ---- control stream, out ---- */

int peer_send_frame(struct peer *p, enum frame_type type, bool skip, const void *body, size_t len)
{
    uint8_t head[FRAME_HEAD_MAX];
    if (len > LIMIT_FRAME) {
        return RUSM_ETOOLARGE;
    }
    if (p->closing) {
        return RUSM_ECLOSED;
    }
    if (p->control_q.len + len > LIMIT_CONTROL_QUEUE) {
        peer_close(p, CLOSE_LIMIT, "control stream not read");
        return RUSM_ELIMIT;
    }
    size_t head_len = frame_head_encode(head, type, skip, len);
    int error = outq_append(&p->control_q, &p->out.pool, head, head_len, body, len, 0);
    if (error) {
        return fail(p, error, ""); /* what would follow must not go without it */
    }
    conn_wake(p->conn);
    return 0;
}

static int send_hello(struct peer *p)
{
    uint8_t body[1024];
    ssize_t len = hello_encode(body, sizeof body, &p->hello);
    must(len > 0);
    return peer_send_frame(p, FRAME_HELLO, false, body, (size_t)len);
}

static void flush_gather(struct peer *p, struct gather *g, enum frame_type type)
{
    if (g->len == 0 || p->control < 0) {
        return;
    }
    peer_send_frame(p, type, false, g->bytes, g->len); /* without memory that ends it */
    g->len = 0;
}

static struct writer gather(struct peer *p, struct gather *g, enum frame_type type)
{
    if (GATHER - g->len < 2 * VARINT_LEN_MAX) {
        flush_gather(p, g, type);
    }
    conn_wake(p->conn);
    return writer_on(g->bytes + g->len, GATHER - g->len);
}

void peer_send_receipt(struct peer *p, uint64_t id, uint64_t status)
{
    struct writer w = gather(p, &p->receipts, FRAME_RECEIPTS);
    receipt_write(&w, &(struct receipt){ .id = id, .status = status });
    if (!w.bad) {
        p->receipts.len += writer_len(&w);
    }
}

static void in_drained(struct peer *p, uint64_t ordinal)
{
    struct writer w = gather(p, &p->drained, FRAME_DRAINED);
    writer_varint(&w, ordinal);
    if (!w.bad) {
        p->drained.len += writer_len(&w);
    }
}

int peer_send(struct peer *p, const struct parcel *parcel, uint64_t now_ns)
{
    if (p->closing) {
        return RUSM_ENOCONN;
    }
    return lanes_out_send(&p->out, parcel, now_ns);
}

/* ---- control stream, in ---- */

static void become_ready(struct peer *p)
{
    p->ready = true;
    lanes_in_start(&p->in);
    conn_wake(p->conn);
    p->events->ready(p->context, p);
}

void peer_adopt(struct peer *p)
{
    must(p->has_hello);
    if (p->ready) {
        return;
    }
    if (!p->client && peer_send_frame(p, FRAME_ADOPT, false, NULL, 0) != 0) {
        return;
    }
    become_ready(p);
}

static int got_adopt(struct peer *p)
{
    if (p->client) {
        return RUSM_EMALFORMED;
    }
    if (p->ready) {
        return 0;
    }
    int verdict = p->events->adopt ? p->events->adopt(p->context, p) : 0;
    if (verdict == RUSM_BUSY) {
        p->put_off = true;
        return 0;
    }
    if (!verdict && !p->closing) {
        become_ready(p);
    }
    return verdict;
}

static int got_hello(struct peer *p, const struct frame *frame)
{
    struct hello hello;
    if (p->has_hello || hello_decode(frame->body, frame->len, &hello) != 0) {
        return RUSM_EMALFORMED;
    }
    if (hello.version != CONTROL_VERSION) {
        peer_close(p, CLOSE_VERSION, "no common protocol version");
        return 0;
    }
    p->has_hello = true;
    p->client |= hello.role == HELLO_CLIENT;
    if (hello.max_message < p->out.max_message) {
        p->out.max_message = hello.max_message;
    }
    if (!conn_dialled(p->conn)) {
        int error = send_hello(p);
        if (error) {
            return error;
        }
    }
    enum close_code verdict = p->events->hello(p->context, p, &hello);
    if (verdict != CLOSE_NONE) {
        peer_close(p, verdict, close_code_text(verdict));
        return 0;
    }
    if (p->client && !p->closing && !p->ready) {
        become_ready(p);
    }
    return 0;
}

static int got_receipts(struct peer *p, const struct frame *frame)
{
    struct reader r = reader_on(frame->body, frame->len);
    struct receipt receipt;
    int got;
    while ((got = receipt_read(&r, &receipt)) > 0) {
        p->events->receipt(p->context, p, &receipt);
    }
    return got;
}

static int got_drained(struct peer *p, const struct frame *frame)
{
    struct reader r = reader_on(frame->body, frame->len);
    while (reader_left(&r) > 0) {
        uint64_t ordinal = reader_varint(&r);
        if (r.bad) {
            return RUSM_EMALFORMED;
        }
        lanes_out_drained(&p->out, ordinal);
    }
    return 0;
}

static int got_frame(struct peer *p, const struct frame *frame)
{
    if (frame->type >= FRAME_TYPES) {
        return frame->skip ? 0 : RUSM_EMALFORMED;
    }
    if (frame->type == FRAME_HELLO) {
        return got_hello(p, frame);
    }
    if (!p->has_hello) {
        return RUSM_EMALFORMED;
    }
    switch ((enum frame_type)frame->type) {
    case FRAME_ADOPT: return got_adopt(p);
    case FRAME_RECEIPTS: return got_receipts(p, frame);
    case FRAME_DRAINED: return got_drained(p, frame);
    case FRAME_PING:
        if (frame->len < 8) {
            return RUSM_EMALFORMED;
        }
        return peer_send_frame(p, FRAME_PONG, true, frame->body, 8);
    default: return p->events->frame(p->context, p, frame);
    }
}

/* Decodes what control_rx holds: frames are contiguous there. */
static int control_run(struct peer *p)
{
    struct frame frame;
    ssize_t used = 0;
    while (!p->closing && !p->put_off && buf_len(&p->control_rx) > 0 &&
           (used = frame_decode(buf_data(&p->control_rx), buf_len(&p->control_rx), &frame)) > 0) {
        int error = got_frame(p, &frame);
        if (error) {
            return p->closing ? 0 : fail(p, error, "malformed control frame");
        }
        buf_consume(&p->control_rx, (size_t)used);
    }
    return used < 0 ? fail(p, (int)used, "malformed control frame") : 0;
}

/* The control stream ends only with the connection. */
static int control_data(struct peer *p, const uint8_t *data, size_t len, bool fin)
{
    int error = 0;
    if (fin) {
        return fail(p, RUSM_EMALFORMED, "the control stream ended");
    }
    while (!error && len > 0 && !p->closing) {
        /* One frame at most, unless they wait. */
        size_t max = p->put_off ? LIMIT_CONTROL_QUEUE : LIMIT_FRAME + FRAME_HEAD_MAX;
        size_t room = max - buf_len(&p->control_rx);
        size_t take = len < room ? len : room;
        if (take == 0) {
            peer_close(p, CLOSE_LIMIT, "too much before it is known who you are");
            return 0;
        }
        error = buf_append(&p->control_rx, data, take);
        if (error) {
            return fail(p, error, "");
        }
        data += take;
        len -= take;
        error = control_run(p);
    }
    buf_trim(&p->control_rx);
    return error;
}

void peer_adopted(struct peer *p)
{
    if (!p->put_off || p->closing) {
        return;
    }
    p->put_off = false;
    become_ready(p);
    control_run(p);
}

/* ---- the endpoint's stream events ---- */

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
            return fail(p, RUSM_EMALFORMED, "a second bidirectional stream");
        }
        p->control = stream;
        return 0;
    }
    int error = lanes_in_opened(&p->in, stream);
    return error ? fail(p, error, "malformed lane") : 0;
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
        return control_data(p, data, len, fin);
    }
    if (!user) {
        return 0; /* a lane that was broken off and forgotten */
    }
    int error = lane_in_data(&p->in, user, data, len, fin);
    return error ? fail(p, error, "malformed lane") : 0;
}

static void on_stream_acked(void *context, struct conn *c, int64_t stream, void *user, uint64_t len)
{
    struct peer *p = conn_app(c);
    (void)context;
    if (!p) {
        return;
    }
    if (stream == p->control) {
        outq_acked(&p->control_q, &p->out.pool, len);
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
        fail(p, RUSM_EMALFORMED, "the control stream was reset");
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
        fail(p, RUSM_EMALFORMED, "the control stream was stopped");
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
            fail(p, error, "malformed lane");
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
    if (p->control_q.unsent > 0 && !p->control_blocked) { /* control first */
        *stream = p->control;
        *fin = false;
        return outq_peek(&p->control_q, vec, cap, LIMIT_FRAME);
    }
    /* Nothing but hello may go before the other side knows who we are to each other. */
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

/* ---- turns ---- */

void peer_lane_resume(struct peer *p, struct lane_in *lane)
{
    lane_in_resume(&p->in, lane);
}

void peer_lane_grant(struct peer *p, struct lane_in *lane)
{
    lane_in_grant(&p->in, lane);
    conn_wake(p->conn);
}

struct credit *peer_lane_credit(struct lane_in *lane)
{
    return lane->credit;
}

void peer_turn(struct peer *p, uint64_t now_ns)
{
    if (p->closing) {
        return;
    }
    int error = lanes_in_turn(&p->in, now_ns);
    if (error) {
        fail(p, error, "malformed lane");
        return;
    }
    flush_gather(p, &p->receipts, FRAME_RECEIPTS);
    flush_gather(p, &p->drained, FRAME_DRAINED);
}

void peer_tick(struct peer *p, uint64_t now_ns)
{
    if (p->closing) {
        return;
    }
    if (!p->ready && now_ns - p->since_ns > LIMIT_HANDSHAKE_NS) {
        peer_close(p, CLOSE_TIMEOUT, "no hello in time");
        return;
    }
    lanes_in_tick(&p->in, now_ns);
    lanes_out_tick(&p->out, now_ns);
}

void peer_finish(struct peer *p)
{
    lanes_out_end(&p->out);
}

bool peer_quiet(const struct peer *p)
{
    return p->out.queued == 0 && p->control_q.len == 0 && p->receipts.len == 0 &&
           p->drained.len == 0;
}

bool peer_drained(const struct peer *p)
{
    return peer_quiet(p) && p->out.ordinals.count == 0;
}

void peer_counters(const struct peer *p, struct peer_counters *out)
{
    *out = (struct peer_counters){
        .records_sent = p->out.records,
        .records_received = p->in.records,
        .bytes_sent = p->out.bytes,
        .bytes_received = p->in.bytes,
        .unconfirmed = lanes_out_unconfirmed(&p->out),
        .refused = p->refused,
        .lanes_out = p->out.lanes,
        .lanes_in = p->in.lanes.count,
        .busy = p->out.busy,
    };
}
