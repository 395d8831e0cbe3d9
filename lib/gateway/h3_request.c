/* h3_request: makes a stream of HTTP/3 an exchange. nghttp3's callbacks bring the request and ask
 * for the response. Called by nghttp3 (from h3.c) and by the gateway, on the gateway's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "gateway/h3.h"

static const struct gateway_transport transport;

struct h3_stream *h3_stream_new(struct h3 *h, int64_t id)
{
    struct h3_stream *s = calloc(1, sizeof(*s));

    if (s) {
        s->h3 = h;
        s->id = id;
        list_append(&h->streams, &s->link);
    }
    return s;
}

void h3_stream_free(struct h3_stream *s)
{
    exchange_free(s->exchange);
    list_remove(&s->link);
    free(s);
}

static void stop_reading(struct h3_stream *s)
{
    if (!s->ended && !s->stopped) {
        s->stopped = true;
        conn_stop(s->h3->conn, s->id, NGHTTP3_H3_NO_ERROR);
    }
}

void h3_stream_look(struct h3_stream *s)
{
    if (s->answering) {
        stop_reading(s);
    }
}

/* ---- responses ---- */

static nghttp3_ssize read_data(nghttp3_conn *http, int64_t id, nghttp3_vec *vec, size_t count,
                               uint32_t *flags, void *user, void *stream_user)
{
    struct h3_stream *s = stream_user;
    const uint8_t *data;
    bool end = true;
    size_t len;

    (void)http, (void)id, (void)count, (void)user;
    len = s && s->exchange ? exchange_pull(s->exchange, &data, SIZE_MAX, &end) : 0;
    if (end) {
        *flags |= NGHTTP3_DATA_FLAG_EOF;
    }
    if (len == 0) {
        return end ? 0 : NGHTTP3_ERR_WOULDBLOCK;
    }
    vec[0].base = (uint8_t *)data; /* nghttp3 only reads the data */
    vec[0].len = len;
    return 1;
}

static nghttp3_nv field(const char *name, const char *value)
{
    return (nghttp3_nv){ .name = (uint8_t *)name, /* nghttp3 copies both */
                         .namelen = strlen(name),
                         .value = (uint8_t *)value,
                         .valuelen = strlen(value) };
}

/* Makes the answers of a connection take turns, so that a long one holds up no other. By default
 * nghttp3 sends one after the other. Does nothing if the client gave a priority. */
static int take_turns(struct h3_stream *s)
{
    const nghttp3_pri turns = { .urgency = NGHTTP3_DEFAULT_URGENCY, .inc = 1 };

    if (s->ranked) {
        return 0;
    }
#if NGHTTP3_VERSION_NUM >= 0x010000
    return nghttp3_conn_set_server_stream_priority(s->h3->http, s->id, &turns);
#else
    return nghttp3_conn_set_stream_priority(s->h3->http, s->id, &turns);
#endif
}

static void submit(struct h3_stream *s, const struct exchange_head *head)
{
    static const nghttp3_data_reader reader = { .read_data = read_data };
    nghttp3_nv fields[EXCHANGE_FIELDS + 3];
    char status[4], length[24], date[40];
    time_t now = time(NULL);
    struct tm tm;
    size_t count = 0;
    int error;

    snprintf(status, sizeof(status), "%d", head->status);
    fields[count++] = field(":status", status);
    if (gmtime_r(&now, &tm) && strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm)) {
        fields[count++] = field("date", date);
    }
    for (size_t i = 0; i < head->count; i++) {
        fields[count++] = field(head->field[i].name, head->field[i].value);
    }
    if (head->length != EXCHANGE_STREAMED && head->status != 204) {
        snprintf(length, sizeof(length), "%llu", (unsigned long long)head->length);
        fields[count++] = field("content-length", length);
    }
    error = take_turns(s);
    if (!error) {
        error = nghttp3_conn_submit_response(s->h3->http, s->id, fields, count,
                                             head->length == 0 ? NULL : &reader);
    }
    if (error) {
        h3_fail(s->h3, error);
    }
}

static void on_ready(void *context, struct exchange *x)
{
    struct h3_stream *s = context;
    struct h3 *h = s->h3;

    if (s->answering) {
        int error = nghttp3_conn_resume_stream(h->http, s->id);
        if (error) {
            h3_fail(h, error);
        }
    } else {
        s->answering = true;
        submit(s, exchange_head(x));
        if (h->reading != s) {
            stop_reading(s);
        }
    }
    conn_wake(h->conn);
}

static void on_give_up(void *context, struct exchange *x)
{
    struct h3_stream *s = context;

    nghttp3_conn_shutdown_stream_write(s->h3->http, s->id);
    conn_reset(s->h3->conn, s->id, NGHTTP3_H3_INTERNAL_ERROR);
    stop_reading(s);
    exchange_cancel(x); /* not freed: QUIC may hold its bytes until the stream is closed */
}

static const struct gateway_transport transport = { .ready = on_ready, .give_up = on_give_up };

/* Answers 503 to a request without an exchange, as the node has too many. */
static void submit_full(struct h3_stream *s)
{
    static const struct exchange_head full = {
        .status = 503,
        .field = { { "retry-after", "1" } },
        .count = 1,
    };

    s->answering = true;
    submit(s, &full);
}

/* ---- requests ---- */

static int begin_headers(nghttp3_conn *http, int64_t id, void *user, void *stream_user)
{
    struct h3 *h = user;
    struct h3_stream *s = h->reading;
    struct exchange_options options = { .transport = &transport,
                                        .context = s,
                                        .from = conn_peer_address(h->conn),
                                        .trusted = conn_trusted(h->conn) };

    (void)stream_user;
    if (!s || s->id != id || nghttp3_conn_set_stream_user_data(http, id, s) != 0) {
        return NGHTTP3_ERR_CALLBACK_FAILURE;
    }
    s->exchange = exchange_new(h->gateway, &options);
    return 0;
}

static int recv_header(nghttp3_conn *http, int64_t id, int32_t token, nghttp3_rcbuf *name,
                       nghttp3_rcbuf *value, uint8_t flags, void *user, void *stream_user)
{
    struct h3_stream *s = stream_user;
    nghttp3_vec n = nghttp3_rcbuf_get_buf(name), v = nghttp3_rcbuf_get_buf(value);

    (void)http, (void)id, (void)flags, (void)user;
    s->ranked |= token == NGHTTP3_QPACK_TOKEN_PRIORITY;
    if (s->exchange) {
        exchange_field(s->exchange, (const char *)n.base, n.len, (const char *)v.base, v.len);
    }
    return 0;
}

static int end_headers(nghttp3_conn *http, int64_t id, int fin, void *user, void *stream_user)
{
    struct h3_stream *s = stream_user;

    (void)http, (void)id, (void)user;
    s->ended = fin;
    if (!s->exchange) {
        submit_full(s);
        return 0;
    }
    (void)exchange_head_end(s->exchange); /* the exchange ignores a body that it does not want */
    if (exchange_allowed(s->exchange)) {
        h3_proven(s->h3);
    }
    return 0;
}

static int recv_data(nghttp3_conn *http, int64_t id, const uint8_t *data, size_t len, void *user,
                     void *stream_user)
{
    struct h3_stream *s = stream_user;
    struct h3 *h = user;

    (void)http;
    if (s->exchange) {
        (void)exchange_body(s->exchange, data, len);
    }
    conn_extend_stream(h->conn, id, len);
    return 0;
}

static int deferred_consume(nghttp3_conn *http, int64_t id, size_t len, void *user,
                            void *stream_user)
{
    struct h3 *h = user;

    (void)http, (void)stream_user;
    conn_extend_stream(h->conn, id, len);
    return 0;
}

static int end_stream(nghttp3_conn *http, int64_t id, void *user, void *stream_user)
{
    struct h3_stream *s = stream_user;

    (void)http, (void)id, (void)user;
    s->ended = true;
    if (s->exchange) {
        exchange_end(s->exchange);
    }
    return 0;
}

static int acked_data(nghttp3_conn *http, int64_t id, uint64_t len, void *user, void *stream_user)
{
    struct h3_stream *s = stream_user;

    (void)http, (void)id, (void)user;
    if (s && s->exchange) {
        exchange_acked(s->exchange, (size_t)len);
    }
    return 0;
}

static int stop_sending(nghttp3_conn *http, int64_t id, uint64_t code, void *user,
                        void *stream_user)
{
    struct h3 *h = user;

    (void)http, (void)stream_user;
    conn_stop(h->conn, id, code);
    return 0;
}

static int reset_stream(nghttp3_conn *http, int64_t id, uint64_t code, void *user,
                        void *stream_user)
{
    struct h3 *h = user;

    (void)http, (void)stream_user;
    conn_reset(h->conn, id, code);
    return 0;
}

const nghttp3_callbacks h3_callbacks = {
    .acked_stream_data = acked_data,
    .recv_data = recv_data,
    .deferred_consume = deferred_consume,
    .begin_headers = begin_headers,
    .recv_header = recv_header,
    .end_headers = end_headers,
    .stop_sending = stop_sending,
    .end_stream = end_stream,
    .reset_stream = reset_stream,
};
