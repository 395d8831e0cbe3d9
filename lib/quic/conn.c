/* conn: makes and frees a connection, and does for its owner what endpoint.h offers. Called by
 * endpoint and accept and, through endpoint.h, by the peer, gateway and node rooms. On the
 * endpoint's thread. */
#include "quic/conn.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "base/rng.h"
#include "quic/steer.h"

/* Connection-level credit. It is extended on arrival, so it bounds only what is under way between
 * the two sockets. The credit of the streams bounds what a peer can make us hold. */
#define CONN_WINDOW ((uint64_t)8 * 1024 * 1024)

/* ngtcp2 limits "glitches" as a protection against strangers, but our peers are authenticated. A
 * lost acknowledgement makes dozens of duplicate frames for closed streams in one packet, and each
 * of them is a glitch to ngtcp2. */
#define GLITCH_BURST 1000000
#define GLITCH_RATE 100000

ngtcp2_tstamp conn_clock(struct conn *c, uint64_t now_ns)
{
    if (now_ns > c->clock_ns) {
        c->clock_ns = now_ns;
    }
    return c->clock_ns;
}

void conn_mark(struct conn *c)
{
    if (!list_linked(&c->dirty)) {
        list_append(&c->endpoint->dirty, &c->dirty);
    }
}

void conn_set_timer(struct conn *c, uint64_t at_ns)
{
    if (c->timer.key != at_ns) {
        heap_move(&c->endpoint->timers, &c->timer, at_ns);
    }
}

void conn_not_half_open(struct conn *c)
{
    if (c->half_open) {
        c->half_open = false;
        c->endpoint->counters.half_open--;
    }
}

ngtcp2_path conn_ngtcp2_path(const struct udp_path *path)
{
    struct udp_path *p = (struct udp_path *)path; /* ngtcp2 only reads it */

    return (ngtcp2_path){
        .local = { .addr = &p->local.any, .addrlen = udp_address_len(&p->local) },
        .remote = { .addr = &p->remote.any, .addrlen = udp_address_len(&p->remote) },
    };
}

static ngtcp2_conn *get_conn(ngtcp2_crypto_conn_ref *ref)
{
    const struct conn *c = ref->user_data;

    return c->quic;
}

static void fill_settings(ngtcp2_settings *s, struct conn *c, const ngtcp2_pkt_hd *hd,
                          const ngtcp2_cid *odcid, uint16_t *lengths)
{
    ngtcp2_settings_default(s);
    s->initial_ts = c->clock_ns;
    /* Acknowledge at once. ngtcp2 adds an acknowledgement to data only if it is due. A later one
     * would cost request and reply a packet each. For a batch of packets it sends one
     * acknowledgement either way. */
    s->ack_thresh = 1;
    conn_path_settings(c, s, lengths);
    s->handshake_timeout = c->endpoint->options.handshake_timeout_ns;
#if NGTCP2_VERSION_NUM >= 0x010f00
    s->glitch_ratelim_burst = GLITCH_BURST;
    s->glitch_ratelim_rate = GLITCH_RATE;
#endif
    if (hd && odcid) {
        s->token = hd->token;
        s->tokenlen = hd->tokenlen;
        s->token_type = NGTCP2_TOKEN_TYPE_RETRY;
    }
}

static void fill_params(ngtcp2_transport_params *p, const struct conn *c)
{
    const struct endpoint_options *o = &c->endpoint->options;

    ngtcp2_transport_params_default(p);
    p->initial_max_data = CONN_WINDOW;
    p->initial_max_stream_data_uni = o->stream_window;
    p->initial_max_stream_data_bidi_local = o->control_window;
    p->initial_max_stream_data_bidi_remote = o->control_window;
    p->initial_max_streams_uni = o->max_streams_uni;
    p->initial_max_streams_bidi = 1;
    /* We acknowledge at once, so only a busy processor delays an acknowledgement. The peer adds
     * this value to its probe timeout. With a small value it finds a lost packet sooner (RFC 9002,
     * 6.2.1). */
    p->max_ack_delay = 5 * NGTCP2_MILLISECONDS;
    p->max_idle_timeout = o->idle_timeout_ns;
    p->disable_active_migration = 1;
    p->max_udp_payload_size = udp_longest(&c->endpoint->udp);
}

bool conn_make_cid(const struct endpoint *e, ngtcp2_cid *cid)
{
    cid->datalen = CID_LEN;
    if (rng_secret(cid->data, CID_LEN) != 0) {
        return false;
    }
    if (e->options.group > 1) {
        cid->data[0] = (uint8_t)e->options.index;
    }
    return true;
}

/* Makes the id to which the first packet of a dial is sent. Returns false if there is no
 * randomness. */
static bool make_dialled(const struct endpoint *e, ngtcp2_cid *cid)
{
    cid->datalen = STEER_DIALLED;
    if (rng_secret(cid->data, cid->datalen) != 0) {
        return false;
    }
    if (e->options.has_share) {
        steer_dialled(cid->data, e->options.share);
    }
    return true;
}

static int make_quic(struct conn *c, const ngtcp2_pkt_hd *hd, const ngtcp2_cid *odcid)
{
    struct endpoint *e = c->endpoint;
    ngtcp2_path path = conn_ngtcp2_path(&c->path);
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    ngtcp2_cid scid, dcid;
    uint16_t lengths[CONN_PROBES];
    int error;

    fill_settings(&settings, c, hd, odcid, lengths);
    fill_params(&params, c);
    if (!conn_make_cid(e, &scid) || !make_dialled(e, &dcid)) {
        return RUSM_EIO;
    }
    error = cid_add(&e->cids, &c->cids, c, scid.data, scid.datalen);
    if (error) {
        return error;
    }
    if (!hd) {
        error = ngtcp2_conn_client_new(&c->quic, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
                                       c->endpoint->callbacks, &settings, &params, NULL, c);
        return error ? RUSM_ENOMEM : 0;
    }
    error = cid_add(&e->cids, &c->cids, c, hd->dcid.data, hd->dcid.datalen);
    if (error) {
        return error;
    }
    params.original_dcid = odcid ? *odcid : hd->dcid;
    params.original_dcid_present = 1;
    if (odcid) {
        params.retry_scid = hd->dcid;
        params.retry_scid_present = 1;
    }
    params.stateless_reset_token_present = 1;
    if (ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, e->reset_secret,
                                                     CONN_SECRET, &scid) != 0) {
        return RUSM_EIO;
    }
    error = ngtcp2_conn_server_new(&c->quic, &hd->scid, &scid, &path, hd->version,
                                   c->endpoint->callbacks, &settings, &params, NULL, c);
    return error ? RUSM_ENOMEM : 0;
}

int conn_new(struct conn **out, struct endpoint *e, const struct udp_path *path,
             const ngtcp2_pkt_hd *hd, const ngtcp2_cid *odcid, uint64_t now_ns)
{
    struct conn *c = calloc(1, sizeof(*c));
    int error;

    *out = NULL;
    if (!c) {
        return RUSM_ENOMEM;
    }
    c->endpoint = e;
    c->events = &e->events;
    c->context = e->context;
    c->dialled = !hd;
    c->path = *path;
    c->burst = UDP_TRAIN_MAX;
    c->clock_ns = c->heard_ns = now_ns;
    c->ref.get_conn = get_conn;
    c->ref.user_data = c;
    list_init(&c->dirty);
    list_init(&c->cids);
    list_init(&c->tokens);
    list_append(&e->conns, &c->all);
    e->counters.connections++;
    if (hd) {
        c->half_open = true;
        e->counters.half_open++;
    }
    ngtcp2_ccerr_default(&c->close);
    error = heap_insert(&e->timers, &c->timer, UINT64_MAX);
    if (!error) {
        error = make_quic(c, hd, odcid);
    }
    if (!error) {
        c->tls = tls_session(e->tls, c->dialled, &c->ref);
        error = c->tls ? 0 : RUSM_ENOMEM;
    }
    if (error) {
        conn_free(c);
        return error;
    }
    ngtcp2_conn_set_tls_native_handle(c->quic, c->tls);
    *out = c;
    return 0;
}

void conn_free(struct conn *c)
{
    struct endpoint *e = c->endpoint;

    conn_not_half_open(c);
    if (c->state == CONN_CLOSING) {
        e->closing_count--;
    } else {
        e->counters.connections--;
    }
    cid_remove_all(&e->cids, &c->cids);
    cid_remove_all(&e->tokens, &c->tokens);
    heap_remove(&e->timers, &c->timer);
    list_remove(&c->all);
    list_remove(&c->dirty);
    conn_user_free(c);
    ngtcp2_conn_del(c->quic);
    wolfSSL_free(c->tls);
    free(c->last_packet);
    free(c);
}

/* ---- endpoint.h ---- */

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

void conn_wake(struct conn *c)
{
    conn_mark(c);
}

typedef int open_fn(ngtcp2_conn *quic, int64_t *stream, void *user);

static int open_stream(struct conn *c, open_fn *open, int64_t *stream, void *user)
{
    if (c->state != CONN_OPEN) {
        return RUSM_ECLOSED;
    }
    switch (open(c->quic, stream, NULL)) {
    case 0: return conn_user_set(c, *stream, user);
    case NGTCP2_ERR_STREAM_ID_BLOCKED: return RUSM_BUSY;
    default: return RUSM_ENOMEM;
    }
}

int conn_open_uni(struct conn *c, int64_t *stream, void *user)
{
    return open_stream(c, ngtcp2_conn_open_uni_stream, stream, user);
}

int conn_open_bidi(struct conn *c, int64_t *stream, void *user)
{
    return open_stream(c, ngtcp2_conn_open_bidi_stream, stream, user);
}

void conn_set_user(struct conn *c, int64_t stream, void *user)
{
    if (c->state == CONN_OPEN && conn_user_set(c, stream, user) != 0) {
        conn_fail(c, NGTCP2_ERR_NOMEM);
    }
}

void conn_extend_stream(struct conn *c, int64_t stream, uint64_t bytes)
{
    if (c->state == CONN_OPEN &&
        ngtcp2_conn_extend_max_stream_offset(c->quic, stream, bytes) == NGTCP2_ERR_NOMEM) {
        conn_fail(c, NGTCP2_ERR_NOMEM);
    }
    conn_mark(c);
}

void conn_extend_streams(struct conn *c, uint64_t count)
{
    if (c->state == CONN_OPEN) {
        ngtcp2_conn_extend_max_streams_uni(c->quic, count);
        conn_mark(c);
    }
}

uint64_t conn_streams_left(const struct conn *c)
{
    return c->state == CONN_OPEN ? ngtcp2_conn_get_streams_uni_left(c->quic) : 0;
}

void conn_reset(struct conn *c, int64_t stream, uint64_t code)
{
    if (c->state == CONN_OPEN && ngtcp2_conn_shutdown_stream_write(c->quic, 0, stream, code) != 0) {
        conn_fail(c, NGTCP2_ERR_NOMEM);
    }
    conn_mark(c);
}

void conn_stop(struct conn *c, int64_t stream, uint64_t code)
{
    if (c->state == CONN_OPEN && ngtcp2_conn_shutdown_stream_read(c->quic, 0, stream, code) != 0) {
        conn_fail(c, NGTCP2_ERR_NOMEM);
    }
    conn_mark(c);
}

void conn_close(struct conn *c, uint64_t code, const char *reason)
{
    if (c->state != CONN_OPEN) {
        return;
    }
    conn_end(c, CONN_END_LOCAL, code, reason);
    ngtcp2_ccerr_set_application_error(&c->close, code, (const uint8_t *)c->reason,
                                       strlen(c->reason));
}

void conn_peer_text(const struct conn *c, char *text, size_t cap)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const union udp_address *a = &c->path.remote;

    if (a->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof(host));
        snprintf(text, cap, "%s:%u", host, ntohs(a->v4.sin_port));
    } else if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
        inet_ntop(AF_INET, &a->v6.sin6_addr.s6_addr[12], host, sizeof(host));
        snprintf(text, cap, "%s:%u", host, ntohs(a->v6.sin6_port));
    } else {
        char zone[IF_NAMESIZE + 1] = "";
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host));
        if (a->v6.sin6_scope_id && if_indextoname(a->v6.sin6_scope_id, zone + 1)) {
            zone[0] = '%'; /* a link-local address means nothing without it */
        }
        snprintf(text, cap, "[%s%s]:%u", host, zone[0] ? zone : "", ntohs(a->v6.sin6_port));
    }
}

uint64_t conn_rtt_ns(const struct conn *c)
{
    ngtcp2_conn_info info;

    if (c->state != CONN_OPEN) {
        return 0;
    }
    ngtcp2_conn_get_conn_info(c->quic, &info);
    return info.latest_rtt == 0 ? 0 : info.smoothed_rtt;
}

void conn_round_trip(const struct conn *c, uint64_t *now_ns, uint64_t *best_ns)
{
    ngtcp2_conn_info info;

    *now_ns = *best_ns = 0;
    if (c->state == CONN_OPEN) {
        ngtcp2_conn_get_conn_info(c->quic, &info);
        if (info.latest_rtt != 0) {
            *now_ns = info.smoothed_rtt;
            *best_ns = info.min_rtt;
        }
    }
}

void conn_set_burst(struct conn *c, size_t bytes)
{
    c->burst = bytes ? bytes : UDP_TRAIN_MAX;
}

uint64_t conn_last_heard_ns(const struct conn *c)
{
    return c->heard_ns;
}
