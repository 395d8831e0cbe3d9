/* h3: connections that speak HTTP/3: see the header. Called by the node, when a connection is ready
 * and in each tick, and by the endpoint. On the gateway's thread. */
#include "gateway/h3.h"
#include "gateway/limits.h"

#include <stdlib.h>
#include <string.h>
#include "base/must.h"

/* Streams that a stranger may open: enough for a browser's first requests. */
#define STRANGER_STREAMS 16
/* Unidirectional streams of a client: control, two of QPACK. The others are grease (RFC 9114,
 * 7.2.8) or extensions. */
#define UNIS_MAX 64

static void h3_free(struct h3 *h)
{
    list_each_safe(link, &h->streams) {
        h3_stream_free(container_of(link, struct h3_stream, link));
    }
    nghttp3_conn_del(h->http);
    list_remove(&h->link);
    if (list_linked(&h->stranger)) {
        list_remove(&h->stranger);
        h->gateway->stranger_count--;
    }
    h->gateway->connection_count--;
    free(h);
}

void h3_fail(struct h3 *h, int error)
{
    conn_close(h->conn, nghttp3_err_infer_quic_app_error_code(error), nghttp3_strerror(error));
}

static void allow(struct h3 *h, uint64_t count)
{
    conn_extend_streams_bidi(h->conn, count);
    h->allowed += count;
    nghttp3_conn_set_max_client_streams_bidi(h->http, h->allowed);
}

void h3_proven(struct h3 *h)
{
    if (list_linked(&h->stranger)) {
        list_remove(&h->stranger);
        h->gateway->stranger_count--;
        allow(h, LIMIT_HTTP_STREAMS - STRANGER_STREAMS);
    }
}

/* ---- QUIC's callbacks ---- */

static int on_stream_opened(void *context, struct conn *c, int64_t id)
{
    struct h3 *h = context;

    if (id & 2) {
        if (++h->unis > UNIS_MAX) {
            conn_close(c, NGHTTP3_H3_EXCESSIVE_LOAD, "too many unidirectional streams");
            return RUSM_ELIMIT;
        }
        return 0;
    }
    struct h3_stream *s = h3_stream_new(h, id);
    if (!s) {
        conn_close(c, NGHTTP3_H3_INTERNAL_ERROR, "out of memory");
        return RUSM_ENOMEM;
    }
    conn_set_user(c, id, s);
    conn_keep_alive(c, true);
    return 0;
}

static int on_stream_data(void *context, struct conn *c, int64_t id, void *user,
                          const uint8_t *data, size_t len, bool fin)
{
    struct h3 *h = context;
    nghttp3_ssize n;

    h->reading = user;
    n = nghttp3_conn_read_stream(h->http, id, data, len, fin);
    h->reading = NULL;
    if (n < 0) {
        h3_fail(h, (int)n);
        return RUSM_EMALFORMED;
    }
    conn_extend_stream(c, id, (uint64_t)n);
    if (user && !fin) {
        h3_stream_look(user);
    }
    return 0;
}

static void on_stream_acked(void *context, struct conn *c, int64_t id, void *user, uint64_t len)
{
    struct h3 *h = context;
    int error = nghttp3_conn_add_ack_offset(h->http, id, len);

    (void)c, (void)user;
    if (error) {
        h3_fail(h, error);
    }
}

/* Handles a client that breaks its request off. */
static void on_stream_reset(void *context, struct conn *c, int64_t id, void *user, uint64_t code)
{
    struct h3 *h = context;
    struct h3_stream *s = user;
    int error = nghttp3_conn_shutdown_stream_read(h->http, id);

    (void)code;
    if (error) {
        h3_fail(h, error);
        return;
    }
    if (s && !s->ended && !s->answering) {
        exchange_cancel(s->exchange);
        conn_reset(c, id, NGHTTP3_H3_REQUEST_INCOMPLETE);
    }
}

/* Handles a client that wants no answer. */
static void on_stream_stopped(void *context, struct conn *c, int64_t id, void *user, uint64_t code)
{
    struct h3 *h = context;
    struct h3_stream *s = user;

    (void)c, (void)code;
    nghttp3_conn_shutdown_stream_write(h->http, id);
    if (s) {
        exchange_cancel(s->exchange);
    }
}

static void on_stream_closed(void *context, struct conn *c, int64_t id, void *user)
{
    struct h3 *h = context;
    int error = nghttp3_conn_close_stream(h->http, id, NGHTTP3_H3_NO_ERROR);

    if (error && error != NGHTTP3_ERR_STREAM_NOT_FOUND) {
        h3_fail(h, error);
    }
    if (!user) {
        return;
    }
    h3_stream_free(user);
    allow(h, 1);
    if (list_empty(&h->streams)) {
        conn_keep_alive(c, false);
    }
}

static void on_stream_writable(void *context, struct conn *c, int64_t id, void *user)
{
    struct h3 *h = context;

    (void)user;
    nghttp3_conn_unblock_stream(h->http, id);
    conn_wake(c);
}

static void on_streams_available(void *context, struct conn *c)
{
    (void)context, (void)c; /* we need three streams, and open_streams has opened them or failed */
}

static int on_pull(void *context, struct conn *c, int64_t *stream, struct iovec *vec, size_t cap,
                   bool *fin)
{
    struct h3 *h = context;
    int last = 0;
    nghttp3_ssize n;

    (void)c;
    _Static_assert(sizeof(struct iovec) == sizeof(nghttp3_vec), "the same two words");
    n = nghttp3_conn_writev_stream(h->http, stream, &last, (nghttp3_vec *)(void *)vec, cap);
    if (n < 0) {
        h3_fail(h, (int)n);
        return -1;
    }
    *fin = last;
    return *stream < 0 ? -1 : (int)n;
}

static void on_pulled(void *context, struct conn *c, int64_t id, void *user, size_t len, bool fin)
{
    struct h3 *h = context;
    int error = nghttp3_conn_add_write_offset(h->http, id, len);

    (void)c, (void)user, (void)fin;
    if (error) {
        h3_fail(h, error);
    }
}

static void on_blocked(void *context, struct conn *c, int64_t id, void *user)
{
    struct h3 *h = context;

    (void)c, (void)user;
    nghttp3_conn_block_stream(h->http, id);
}

static void on_closed(void *context, struct conn *c, const struct conn_end *end)
{
    struct h3 *h = context;
    char address[80];

    conn_peer_text(c, address, sizeof(address));
    log_debug(h->gateway->log, "HTTP client %s: %s", address, end->text);
    h3_free(h);
}

static const struct endpoint_events h3_events = {
    .stream_opened = on_stream_opened,
    .stream_data = on_stream_data,
    .stream_acked = on_stream_acked,
    .stream_reset = on_stream_reset,
    .stream_stopped = on_stream_stopped,
    .stream_closed = on_stream_closed,
    .stream_writable = on_stream_writable,
    .streams_available = on_streams_available,
    .pull = on_pull,
    .pulled = on_pulled,
    .blocked = on_blocked,
    .closed = on_closed,
};

/* ---- life ---- */

/* Opens our three streams: control and two of QPACK. Returns 0 or an nghttp3 error. */
static int open_streams(struct h3 *h)
{
    int64_t id[3];

    for (size_t i = 0; i < 3; i++) {
        if (conn_open_uni(h->conn, &id[i], NULL) != 0) {
            return NGHTTP3_ERR_H3_STREAM_CREATION_ERROR;
        }
    }
    int error = nghttp3_conn_bind_control_stream(h->http, id[0]);
    return error ? error : nghttp3_conn_bind_qpack_streams(h->http, id[1], id[2]);
}

static int h3_new(struct h3 **out, struct gateway *g, struct conn *c)
{
    struct h3 *h = calloc(1, sizeof(*h));
    nghttp3_settings settings;

    if (!h) {
        return RUSM_ENOMEM;
    }
    nghttp3_settings_default(&settings);
    settings.max_field_section_size = LIMIT_HTTP_FIELDS;
    if (nghttp3_conn_server_new(&h->http, &h3_callbacks, &settings, nghttp3_mem_default(), h) !=
        0) {
        free(h);
        return RUSM_ENOMEM;
    }
    h->gateway = g;
    h->conn = c;
    h->since_ns = g->now_ns;
    list_init(&h->streams);
    list_init(&h->stranger);
    list_append(&g->connections, &h->link);
    g->connection_count++;
    *out = h;
    return 0;
}

/* Adds a stranger. If there are too many, closes the oldest one. */
static void add_stranger(struct gateway *g, struct h3 *h)
{
    if (g->stranger_count >= LIMIT_HTTP_STRANGERS) {
        struct h3 *oldest = container_of(list_first(&g->strangers), struct h3, stranger);
        list_remove(&oldest->stranger);
        g->stranger_count--;
        conn_close(oldest->conn, NGHTTP3_H3_EXCESSIVE_LOAD, "no token yet, and others wait");
    }
    list_append(&g->strangers, &h->stranger);
    g->stranger_count++;
}

int h3_accept(struct gateway *g, struct conn *c)
{
    struct h3 *h;
    int error;

    if (g->leaving || g->connection_count >= LIMIT_HTTP_CONNECTIONS) {
        conn_close(c, NGHTTP3_H3_EXCESSIVE_LOAD,
                   g->leaving ? "the node leaves" : "too many HTTP clients");
        return RUSM_ELIMIT;
    }
    if (h3_new(&h, g, c) != 0) {
        conn_close(c, NGHTTP3_H3_INTERNAL_ERROR, "out of memory");
        return RUSM_ENOMEM;
    }
    conn_take_over(c, &h3_events, h);
    error = open_streams(h);
    if (error) {
        h3_fail(h, error);
        return RUSM_EMALFORMED;
    }
    h->allowed = 1; /* QUIC's transport parameters allow this one */
    allow(h, STRANGER_STREAMS - 1);
    add_stranger(g, h);
    if (conn_trusted(c)) {
        h3_proven(h);
    }
    conn_keep_alive(c, false);
    return 0;
}

uint64_t h3_tick(struct gateway *g)
{
    while (!list_empty(&g->strangers)) {
        struct h3 *h = container_of(list_first(&g->strangers), struct h3, stranger);
        if (g->now_ns < h->since_ns + LIMIT_HTTP_STRANGER_NS) {
            return h->since_ns + LIMIT_HTTP_STRANGER_NS;
        }
        list_remove(&h->stranger);
        g->stranger_count--;
        conn_close(h->conn, NGHTTP3_H3_EXCESSIVE_LOAD, "no token in time");
    }
    return UINT64_MAX;
}

void h3_leave(struct gateway *g)
{
    list_each(link, &g->connections) {
        struct h3 *h = container_of(link, struct h3, link);
        int error = nghttp3_conn_shutdown(h->http); /* sends GOAWAY, which refuses later requests */
        if (error) {
            h3_fail(h, error);
        }
        conn_wake(h->conn);
    }
}

void h3_close(struct gateway *g)
{
    list_each(link, &g->connections) {
        conn_close(container_of(link, struct h3, link)->conn, NGHTTP3_H3_NO_ERROR,
                   "the node leaves");
    }
}

void h3_end(struct gateway *g)
{
    list_each_safe(link, &g->connections) {
        h3_free(container_of(link, struct h3, link));
    }
}
