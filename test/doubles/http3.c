#include "doubles/http3.h"

/* ---- nghttp3 ---- */

static int http3_header(nghttp3_conn *http, int64_t id, int32_t token, nghttp3_rcbuf *name,
                        nghttp3_rcbuf *value, uint8_t flags, void *user, void *stream_user)
{
    struct http3_request *r = stream_user;
    nghttp3_vec n = nghttp3_rcbuf_get_buf(name), v = nghttp3_rcbuf_get_buf(value);
    (void)http, (void)id, (void)token, (void)flags, (void)user;
    if (n.len == 7 && memcmp(n.base, ":status", 7) == 0) {
        r->status = atoi((const char *)v.base);
        return 0;
    }
    int len = snprintf(r->head + r->head_len, sizeof(r->head) - r->head_len, "%.*s: %.*s\n",
                       (int)n.len, (const char *)n.base, (int)v.len, (const char *)v.base);
    must(len > 0 && r->head_len + (size_t)len < sizeof(r->head));
    r->head_len += (size_t)len;
    return 0;
}

static int http3_data(nghttp3_conn *http, int64_t id, const uint8_t *data, size_t len, void *user,
                      void *stream_user)
{
    struct http3_request *r = stream_user;
    struct http3 *h = user;
    (void)http;
    must(buf_append(&r->answer, data, len) == 0);
    if (!r->unread) {
        conn_extend_stream(h->conn, id, len);
    }
    return 0;
}

static int http3_consumed(nghttp3_conn *http, int64_t id, size_t len, void *user, void *stream_user)
{
    struct http3 *h = user;
    (void)http, (void)stream_user;
    conn_extend_stream(h->conn, id, len);
    return 0;
}

static int http3_goaway(nghttp3_conn *http, int64_t id, void *user)
{
    struct http3 *h = user;
    (void)http, (void)id;
    h->going++;
    return 0;
}

static int http3_stop(nghttp3_conn *http, int64_t id, uint64_t code, void *user, void *stream_user)
{
    struct http3 *h = user;
    (void)http, (void)stream_user;
    conn_stop(h->conn, id, code);
    return 0;
}

static nghttp3_ssize http3_body(nghttp3_conn *http, int64_t id, nghttp3_vec *vec, size_t count,
                                uint32_t *flags, void *user, void *stream_user)
{
    struct http3_request *r = stream_user;
    size_t end = r->hold < r->len ? r->hold : r->len;
    size_t len = end > r->sent ? end - r->sent : 0;
    (void)http, (void)id, (void)count, (void)user;
    if (end == r->len) {
        *flags |= NGHTTP3_DATA_FLAG_EOF;
    } else if (len == 0) {
        return NGHTTP3_ERR_WOULDBLOCK;
    }
    vec[0].base = (uint8_t *)(uintptr_t)r->body + r->sent;
    vec[0].len = len;
    r->sent += len;
    return len ? 1 : 0;
}

/* ---- QUIC ---- */

static void http3_fail(struct http3 *h, int error)
{
    conn_close(h->conn, nghttp3_err_infer_quic_app_error_code(error), nghttp3_strerror(error));
}

static int http3_ready(void *context, struct conn *c)
{
    struct http3 *h = context;
    int64_t id[3];
    h->ready = true;
    for (int i = 0; i < 3; i++) {
        must(conn_open_uni(c, &id[i], NULL) == 0);
    }
    must(nghttp3_conn_bind_control_stream(h->http, id[0]) == 0);
    must(nghttp3_conn_bind_qpack_streams(h->http, id[1], id[2]) == 0);
    return 0;
}

static int http3_opened(void *context, struct conn *c, int64_t id)
{
    (void)context, (void)c, (void)id;
    return 0;
}

static int http3_stream_data(void *context, struct conn *c, int64_t id, void *user,
                             const uint8_t *data, size_t len, bool fin)
{
    struct http3 *h = context;
    nghttp3_ssize n = nghttp3_conn_read_stream(h->http, id, data, len, fin);
    (void)user;
    if (n < 0) {
        http3_fail(h, (int)n);
        return -1;
    }
    conn_extend_stream(c, id, (uint64_t)n);
    return 0;
}

static void http3_acked(void *context, struct conn *c, int64_t id, void *user, uint64_t len)
{
    struct http3 *h = context;
    (void)c, (void)user;
    (void)nghttp3_conn_add_ack_offset(h->http, id, len); /* nghttp3 may not know the stream */
}

static void http3_reset(void *context, struct conn *c, int64_t id, void *user, uint64_t code)
{
    struct http3 *h = context;
    struct http3_request *r = user;
    (void)c;
    nghttp3_conn_shutdown_stream_read(h->http, id);
    if (r) {
        r->code = code;
    }
}

static void http3_stopped(void *context, struct conn *c, int64_t id, void *user, uint64_t code)
{
    struct http3 *h = context;
    (void)c, (void)user, (void)code;
    nghttp3_conn_shutdown_stream_write(h->http, id);
}

static void http3_stream_closed(void *context, struct conn *c, int64_t id, void *user)
{
    struct http3 *h = context;
    struct http3_request *r = user;
    (void)c;
    (void)nghttp3_conn_close_stream(h->http, id, NGHTTP3_H3_NO_ERROR);
    if (r) {
        r->done = true;
    }
}

static void http3_writable(void *context, struct conn *c, int64_t id, void *user)
{
    struct http3 *h = context;
    (void)user;
    nghttp3_conn_unblock_stream(h->http, id);
    conn_wake(c);
}

static void http3_available(void *context, struct conn *c)
{
    (void)context, (void)c;
}

static int http3_pull(void *context, struct conn *c, int64_t *stream, struct iovec *vec, size_t cap,
                      bool *fin)
{
    struct http3 *h = context;
    int last = 0;
    (void)c;
    for (size_t i = 0; i < h->raw_count; i++) {
        if (!h->raw[i].over) {
            *stream = h->raw[i].id;
            vec[0].iov_base = (uint8_t *)(uintptr_t)h->raw[i].data + h->raw[i].sent;
            vec[0].iov_len = h->raw[i].len - h->raw[i].sent;
            *fin = h->raw[i].fin;
            return 1;
        }
    }
    nghttp3_ssize n =
        nghttp3_conn_writev_stream(h->http, stream, &last, (nghttp3_vec *)(void *)vec, cap);
    must(n >= 0);
    *fin = last;
    return *stream < 0 ? -1 : (int)n;
}

static void http3_pulled(void *context, struct conn *c, int64_t id, void *user, size_t len,
                         bool fin)
{
    struct http3 *h = context;
    (void)c, (void)user;
    for (size_t i = 0; i < h->raw_count; i++) {
        if (h->raw[i].id == id) {
            h->raw[i].sent += len;
            h->raw[i].over = h->raw[i].fin ? fin : h->raw[i].sent == h->raw[i].len;
            return;
        }
    }
    must(nghttp3_conn_add_write_offset(h->http, id, len) == 0);
}

static void http3_blocked(void *context, struct conn *c, int64_t id, void *user)
{
    struct http3 *h = context;
    (void)c, (void)user;
    for (size_t i = 0; i < h->raw_count; i++) {
        if (h->raw[i].id == id) {
            h->raw[i].over = true;
            return;
        }
    }
    nghttp3_conn_block_stream(h->http, id);
}

static void http3_closed(void *context, struct conn *c, const struct conn_end *end)
{
    struct http3 *h = context;
    (void)c;
    h->end = *end;
    h->conn = NULL;
}

/* ---- for tests ---- */

int http3_open(struct http3 *h, const struct sockaddr *to, socklen_t len,
               const struct identity *identity, bool anonymous)
{
    static const struct endpoint_events events = {
        .ready = http3_ready,
        .stream_opened = http3_opened,
        .stream_data = http3_stream_data,
        .stream_acked = http3_acked,
        .stream_reset = http3_reset,
        .stream_stopped = http3_stopped,
        .stream_closed = http3_stream_closed,
        .stream_writable = http3_writable,
        .streams_available = http3_available,
        .pull = http3_pull,
        .pulled = http3_pulled,
        .blocked = http3_blocked,
        .closed = http3_closed,
    };
    static const nghttp3_callbacks callbacks = {
        .recv_header = http3_header,
        .recv_data = http3_data,
        .deferred_consume = http3_consumed,
        .stop_sending = http3_stop,
        .shutdown = http3_goaway,
    };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    nghttp3_settings settings;
    struct endpoint_options o = {
        .bind = to->sa_family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
        .bind_len = to->sa_family == AF_INET ? sizeof(v4) : sizeof(v6),
        .identity = identity,
        .http = true,
        .anonymous = anonymous,
        .reset_context = "http3",
        .idle_timeout_ns = 30 * (uint64_t)1000000000,
        .keep_alive_ns = 5 * (uint64_t)1000000000,
        .handshake_timeout_ns = 10 * (uint64_t)1000000000,
        .stream_window = 65536,
        .control_window = h->window ? h->window : HTTP3_WINDOW,
        .max_streams_uni = 100,
        .max_connections = 1,
    };
    struct rusm_why why;
    int error;

    *h = (struct http3){ .window = h->window };
    nghttp3_settings_default(&settings);
    must(nghttp3_conn_client_new(&h->http, &callbacks, &settings, nghttp3_mem_default(), h) == 0);
    error = endpoint_new(&h->endpoint, &o, &events, h, &why);
    return error ? error : endpoint_dial(h->endpoint, to, len, NULL, &h->conn);
}

void http3_close(struct http3 *h)
{
    if (h->conn) {
        bool full;
        conn_close(h->conn, NGHTTP3_H3_NO_ERROR, "");
        endpoint_flush(h->endpoint, &full);
    }
    endpoint_free(h->endpoint);
    nghttp3_conn_del(h->http);
}

static nghttp3_nv http3_nv(const char *name, const char *value)
{
    return (nghttp3_nv){ .name = (uint8_t *)(uintptr_t)name,
                         .namelen = strlen(name),
                         .value = (uint8_t *)(uintptr_t)value,
                         .valuelen = strlen(value) };
}

int http3_submit(struct http3 *h, struct http3_request *r)
{
    static const nghttp3_data_reader reader = { .read_data = http3_body };
    char bearer[600];
    nghttp3_nv nv[32];
    size_t count = 0;
    int error = conn_open_bidi(h->conn, &r->id, r);

    if (error) {
        return error;
    }
    r->client = h;
    r->submitted = true;
    buf_init(&r->answer, (size_t)128 << 20);
    nv[count++] = http3_nv(":method", r->method);
    nv[count++] = http3_nv(":scheme", "https");
    nv[count++] = http3_nv(":authority", "london");
    nv[count++] = http3_nv(":path", r->path);
    if (r->accept) {
        nv[count++] = http3_nv("accept", r->accept);
    }
    if (r->token) {
        snprintf(bearer, sizeof(bearer), "Bearer %s", r->token);
        nv[count++] = http3_nv("authorization", bearer);
    }
    for (size_t i = 0; r->fields && r->fields[i]; i += 2) {
        must(count < 32);
        nv[count++] = http3_nv(r->fields[i], r->fields[i + 1]);
    }
    must(nghttp3_conn_submit_request(h->http, r->id, nv, count, r->body ? &reader : NULL, r) == 0);
    conn_wake(h->conn);
    return 0;
}

int http3_raw(struct http3 *h, bool uni, const void *data, size_t len, bool fin)
{
    int64_t id;
    int error = uni ? conn_open_uni(h->conn, &id, NULL) : conn_open_bidi(h->conn, &id, NULL);
    if (error) {
        return error;
    }
    must(h->raw_count < HTTP3_RAW);
    h->raw[h->raw_count].id = id;
    h->raw[h->raw_count].data = data;
    h->raw[h->raw_count].len = len;
    h->raw[h->raw_count++].fin = fin;
    conn_wake(h->conn);
    return 0;
}

void http3_break(struct http3_request *r)
{
    conn_stop(r->client->conn, r->id, NGHTTP3_H3_REQUEST_CANCELLED);
    conn_reset(r->client->conn, r->id, NGHTTP3_H3_REQUEST_CANCELLED);
    nghttp3_conn_shutdown_stream_write(r->client->http, r->id);
}

void http3_forget(struct http3_request *r)
{
    if (r->submitted) {
        buf_fini(&r->answer);
    }
}

void http3_tick(struct http3 *h, int ms)
{
    struct pollfd fd = { .fd = endpoint_fd(h->endpoint), .events = POLLIN };
    bool full = false, more = endpoint_receive(h->endpoint);
    endpoint_tick(h->endpoint, endpoint_now_ns());
    more = endpoint_flush(h->endpoint, &full) || more;
    if (full) {
        fd.events |= POLLOUT;
    }
    poll(&fd, 1, more ? 0 : ms);
}

bool http3_wait(struct http3 *h, const struct http3_request *r, unsigned seconds)
{
    uint64_t until_ns = endpoint_now_ns() + (uint64_t)seconds * 1000000000;
    while (h->conn && !r->done && endpoint_now_ns() < until_ns) {
        http3_tick(h, 5);
    }
    return r->done;
}
