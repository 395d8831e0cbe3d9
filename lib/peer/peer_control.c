/* peer_control: the control stream: outgoing and incoming frames, HELLO and ADOPT, and the receipts
 * and drained lanes gathered in a tick. peer.c and peer_stream.c call it, and the node through
 * peer.h. */
#include "peer/limits.h"
#include "wire/limits.h"
#include "base/must.h"
#include "peer/peer.h"
#include "peer/peer_state.h"

/* ---- outgoing frames ---- */

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
    int error = outq_append(&p->control_q, &p->out.pools->chunks, head, head_len, body, len, 0);
    if (error) {
        return peer_fail(p, error, ""); /* later frames must not go without this one */
    }
    conn_wake(p->conn);
    return 0;
}

bool peer_has_room(struct peer *p)
{
    p->control_full = p->control_q.len >= LIMIT_CONTROL_ROOM;
    return !p->control_full;
}

int peer_send_hello(struct peer *p)
{
    uint8_t body[1024];
    ssize_t len = hello_encode(body, sizeof(body), &p->hello);
    must(len > 0);
    return peer_send_frame(p, FRAME_HELLO, false, body, (size_t)len);
}

static void flush_gather(struct peer *p, struct buf *g, enum frame_type type)
{
    if (buf_len(g) == 0 || p->control < 0) {
        return;
    }
    peer_send_frame(p, type, false, buf_data(g), buf_len(g)); /* an error closes the connection */
    buf_clear(g);
}

/* Returns a writer with room for two integers. Without memory it closes the connection and returns
 * a bad writer. */
static struct writer gather(struct peer *p, struct buf *g, enum frame_type type)
{
    if (GATHER - buf_len(g) < 2 * VARINT_LEN_MAX) {
        flush_gather(p, g, type);
    }
    uint8_t *at = buf_reserve(g, 2 * VARINT_LEN_MAX);
    if (!at) {
        peer_fail(p, RUSM_ENOMEM, "");
        return (struct writer){ .bad = true };
    }
    peer_needs_tick(p); /* the tick gives the memory back */
    credit_owner_due(&p->in.owed);
    conn_wake(p->conn);
    return writer_on(at, 2 * VARINT_LEN_MAX);
}

void peer_send_receipt(struct peer *p, uint64_t id, uint64_t status)
{
    struct writer w = gather(p, &p->receipts, FRAME_RECEIPTS);
    receipt_write(&w, &(struct receipt){ .id = id, .status = status });
    if (!w.bad) {
        buf_wrote(&p->receipts, writer_len(&w));
    }
}

void peer_lane_drained(struct peer *p, uint64_t ordinal)
{
    struct writer w = gather(p, &p->drained, FRAME_DRAINED);
    writer_varint(&w, ordinal);
    if (!w.bad) {
        buf_wrote(&p->drained, writer_len(&w));
    }
}

void peer_flush_gathered(struct peer *p)
{
    flush_gather(p, &p->receipts, FRAME_RECEIPTS);
    flush_gather(p, &p->drained, FRAME_DRAINED);
}

/* ---- incoming frames ---- */

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
        int error = peer_send_hello(p);
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

/* Decodes the frames in control_rx, where each frame is contiguous. Returns 0 or an error. */
static int control_run(struct peer *p)
{
    struct frame frame;
    ssize_t used = 0;
    while (!p->closing && !p->put_off && buf_len(&p->control_rx) > 0 &&
           (used = frame_decode(buf_data(&p->control_rx), buf_len(&p->control_rx), &frame)) > 0) {
        int error = got_frame(p, &frame);
        if (error) {
            return p->closing ? 0 : peer_fail(p, error, "malformed control frame");
        }
        buf_consume(&p->control_rx, (size_t)used);
    }
    return used < 0 ? peer_fail(p, (int)used, "malformed control frame") : 0;
}

int peer_control_data(struct peer *p, const uint8_t *data, size_t len, bool fin)
{
    int error = 0;
    if (fin) { /* it must not end before the connection */
        return peer_fail(p, RUSM_EMALFORMED, "the control stream ended");
    }
    while (!error && len > 0 && !p->closing) {
        /* Take one frame at most, unless frames wait for a decision on ADOPT. */
        size_t max = p->put_off ? LIMIT_CONTROL_QUEUE : LIMIT_FRAME + FRAME_HEAD_MAX;
        size_t room = max - buf_len(&p->control_rx);
        size_t take = len < room ? len : room;
        if (take == 0) {
            peer_close(p, CLOSE_LIMIT, "too much before it is known who you are");
            return 0;
        }
        error = buf_append(&p->control_rx, data, take);
        if (error) {
            return peer_fail(p, error, "");
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
