/* peer: the life and the ticks of a connection seen as frames and lanes. See peer.h. */
#include "peer/peer.h"

#include <stdlib.h>
#include <string.h>

#include "peer/limits.h"
#include "peer/peer_state.h"

/* ---- life ---- */

static void out_writable(void *context, uint64_t from)
{
    struct peer *p = context;
    p->events->writable(p->context, p, from);
}

int peer_new(struct peer **out, const struct peer_options *options)
{
    const struct hello *hello = &options->hello;
    struct peer *p = calloc(1, sizeof(*p) + hello->name_len + hello->advertise_len);
    if (!p) {
        return RUSM_ENOMEM;
    }
    p->conn = options->conn;
    p->events = options->events;
    p->context = options->context;
    p->control = -1;
    p->since_ns = options->now_ns;
    p->hello = *hello;
    p->client = hello->role == HELLO_CLIENT;
    if (hello->name_len) {
        memcpy(p->text, hello->name, hello->name_len);
    }
    if (hello->advertise_len) {
        memcpy(p->text + hello->name_len, hello->advertise, hello->advertise_len);
    }
    p->hello.name = p->text;
    p->hello.advertise = p->text + hello->name_len;
    outq_init(&p->control_q);
    buf_init(&p->receipts, GATHER);
    buf_init(&p->drained, GATHER);
    buf_init(&p->control_rx, LIMIT_CONTROL_QUEUE);
    lanes_in_init(&p->in, p->conn, p, p->events, p->context, options->budget, options->pools,
                  options->seed, peer_lane_drained);
    p->in.now_ns = options->now_ns;
    p->in.owed.dues = options->peers ? &options->peers->due : NULL;
    p->peers = options->peers;
    list_init(&p->ticking);
    peer_needs_tick(p);
    lanes_out_init(&p->out, p->conn, options->pools, options->seed ^ 4, out_writable, p);
    conn_set_app(p->conn, p);
    if (conn_dialled(p->conn)) {
        int error = conn_open_bidi(p->conn, &p->control, NULL);
        if (!error) {
            error = peer_send_hello(p);
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
    outq_fini(&p->control_q, &p->out.pools->chunks);
    lanes_out_fini(&p->out);
    /* Not earlier: when a grant ends, another lane of this peer may get it and ask for ticks. */
    list_remove(&p->ticking);
    buf_fini(&p->control_rx);
    buf_fini(&p->receipts);
    buf_fini(&p->drained);
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

int peer_fail(struct peer *p, int error, const char *what)
{
    if (error == RUSM_EMALFORMED) {
        peer_close(p, CLOSE_MALFORMED, what);
    } else {
        peer_close(p, CLOSE_INTERNAL, rusm_strerror(error));
    }
    return error;
}

/* ---- ticks ---- */

int peer_send(struct peer *p, const struct parcel *parcel, uint64_t now_ns)
{
    if (p->closing) {
        return RUSM_ENOCONN;
    }
    peer_needs_tick(p); /* it may open a lane */
    return lanes_out_send(&p->out, parcel, now_ns);
}

void peer_lane_resume(struct peer *p, struct lane_in *lane)
{
    lane_in_resume(&p->in, lane);
}

void peer_lane_grant(struct peer *p, struct lane_in *lane)
{
    lane_in_grant(&p->in, lane);
}

struct credit *peer_lane_credit(struct lane_in *lane)
{
    return lane->large && lane->asks ? lane->granted_credit : lane->credit;
}

void peer_run(struct peer *p, uint64_t now_ns)
{
    if (p->closing) {
        return;
    }
    int error = lanes_in_turn(&p->in, now_ns);
    if (!list_empty(&p->in.granted)) {
        peer_needs_tick(p); /* to break off a stalled grant, even if no byte comes any more */
    }
    if (error) {
        peer_fail(p, error, "malformed lane");
        return;
    }
    peer_flush_gathered(p);
}

/* Frees the memory kept for the next burst. A node may have a thousand silent peers. */
static void rest(struct peer *p)
{
    buf_trim(&p->receipts);
    buf_trim(&p->drained);
}

bool peer_tick(struct peer *p, uint64_t now_ns)
{
    if (p->closing) {
        return false;
    }
    if (!p->ready && now_ns - p->since_ns > LIMIT_HANDSHAKE_NS) {
        peer_close(p, CLOSE_TIMEOUT, "no hello in time");
        return false;
    }
    lanes_in_tick(&p->in, now_ns);
    lanes_out_tick(&p->out, now_ns);
    if (!p->ready || !list_empty(&p->in.granted) || !list_empty(&p->out.open)) {
        return true;
    }
    rest(p);
    return false;
}

void peer_finish(struct peer *p)
{
    lanes_out_end(&p->out);
}

bool peer_quiet(const struct peer *p)
{
    return p->out.queued == 0 && p->control_q.len == 0 && buf_len(&p->receipts) == 0 &&
           buf_len(&p->drained) == 0;
}

bool peer_drained(const struct peer *p)
{
    return peer_quiet(p) && p->out.ordinals.count == 0;
}

void peer_pending(const struct peer *p,
                  void (*each)(void *context, uint64_t from, uint64_t records), void *context)
{
    lanes_out_pending(&p->out, each, context);
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
