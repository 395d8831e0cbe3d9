/* quic_pair: endpoints for tests, on real sockets, pumped in one thread: a `side` records what its
 * endpoint reports, answers credit, and sends what its streams are told to send. All static, as
 * not every test program has the rooms linked. */
#ifndef HELP_QUIC_PAIR_H
#define HELP_QUIC_PAIR_H

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "help/scratch.h"
#include "quic/endpoint.h"

#define SIDE_STREAMS 4096
#define SIDE_MS ((uint64_t)1000000)

struct side_stream {
    int64_t id;
    const uint8_t *data; /* to send; NULL: nothing */
    size_t len, at, acked;
    bool fin, fin_sent, blocked, closed, opened;
    bool stopped, reset;
    uint64_t stop_code, reset_code;
    size_t got;
    bool got_fin;
    bool garbled; /* a byte was not side_byte's */
};

struct side {
    struct endpoint *e;
    struct endpoint_options options;
    struct conn *c; /* the last one heard of */
    size_t readies, closes, refusals, available, pulls;
    struct conn_end end;
    char refused_text[160];
    struct side_stream *streams;
    size_t count;
    size_t piece;           /* bytes offered a pull; 0: all that is left */
    bool hold_credit;       /* do not extend streams as data arrives */
    uint64_t close_on_data; /* conn_close with this code from within stream_data */
};

static inline uint8_t side_byte(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8));
}

static inline struct side_stream *side_find(struct side *s, int64_t id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->streams[i].id == id) {
            return &s->streams[i];
        }
    }
    assert_true(s->count < SIDE_STREAMS);
    s->streams[s->count] = (struct side_stream){ .id = id };
    return &s->streams[s->count++];
}

static inline int side_ready(void *context, struct conn *c)
{
    struct side *s = context;
    s->c = c;
    s->readies++;
    return 0;
}

static inline int side_opened(void *context, struct conn *c, int64_t id)
{
    struct side_stream *st = side_find(context, id);
    assert_false(st->opened);
    st->opened = true;
    conn_set_user(c, id, st);
    return 0;
}

static inline int side_data(void *context, struct conn *c, int64_t id, void *user,
                            const uint8_t *data, size_t len, bool fin)
{
    struct side *s = context;
    struct side_stream *st = user;
    assert_non_null(st);
    assert_int_equal(st->id, id);
    assert_false(st->got_fin);
    for (size_t i = 0; i < len; i++) {
        st->garbled = st->garbled || data[i] != side_byte(st->got + i);
    }
    st->got += len;
    st->got_fin = fin;
    if (!s->hold_credit) {
        conn_extend_stream(c, id, len);
    }
    if (s->close_on_data) {
        conn_close(c, s->close_on_data, "enough");
        return -1;
    }
    return 0;
}

static inline void side_acked(void *context, struct conn *c, int64_t id, void *user, uint64_t len)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    st->acked += len;
    assert_true(st->acked <= st->at);
}

static inline void side_reset(void *context, struct conn *c, int64_t id, void *user, uint64_t code)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    st->reset = true;
    st->reset_code = code;
}

static inline void side_stopped(void *context, struct conn *c, int64_t id, void *user,
                                uint64_t code)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    st->stopped = true;
    st->stop_code = code;
}

static inline void side_stream_closed(void *context, struct conn *c, int64_t id, void *user)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    assert_false(st->closed);
    st->closed = true;
}

static inline void side_writable(void *context, struct conn *c, int64_t id, void *user)
{
    struct side_stream *st = user;
    (void)context;
    (void)id;
    if (st) {
        st->blocked = false;
        conn_wake(c);
    }
}

static inline void side_available(void *context, struct conn *c)
{
    struct side *s = context;
    (void)c;
    s->available++;
}

static inline int side_pull(void *context, struct conn *c, int64_t *id, struct iovec *vec,
                            size_t cap, bool *fin)
{
    struct side *s = context;
    (void)c;
    assert_true(cap > 0);
    s->pulls++;
    for (size_t i = 0; i < s->count; i++) {
        struct side_stream *st = &s->streams[i];
        size_t left = st->len - st->at;
        if (!st->data || st->blocked || st->closed || (left == 0 && (!st->fin || st->fin_sent))) {
            continue;
        }
        *id = st->id;
        vec[0].iov_base = (void *)(uintptr_t)(st->data + st->at);
        vec[0].iov_len = s->piece && left > s->piece ? s->piece : left;
        *fin = st->fin && vec[0].iov_len == left;
        return left ? 1 : 0;
    }
    return -1;
}

static inline void side_pulled(void *context, struct conn *c, int64_t id, void *user, size_t len,
                               bool fin)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    assert_int_equal(st->id, id);
    st->at += len;
    assert_true(st->at <= st->len);
    st->fin_sent = st->fin_sent || fin;
}

static inline void side_blocked(void *context, struct conn *c, int64_t id, void *user)
{
    struct side_stream *st = user ? user : side_find(context, id);
    (void)c;
    st->blocked = true;
}

static inline void side_closed(void *context, struct conn *c, const struct conn_end *end)
{
    struct side *s = context;
    (void)c;
    s->closes++;
    s->end = *end;
    s->c = NULL;
}

static inline void side_refused(void *context, const struct sockaddr *from, socklen_t len,
                                const char *text)
{
    struct side *s = context;
    assert_int_equal(from->sa_family, AF_INET);
    assert_int_equal(len, sizeof(struct sockaddr_in));
    s->refusals++;
    snprintf(s->refused_text, sizeof(s->refused_text), "%s", text);
}

static const struct endpoint_events side_events = {
    .ready = side_ready,
    .stream_opened = side_opened,
    .stream_data = side_data,
    .stream_acked = side_acked,
    .stream_reset = side_reset,
    .stream_stopped = side_stopped,
    .stream_closed = side_stream_closed,
    .stream_writable = side_writable,
    .streams_available = side_available,
    .pull = side_pull,
    .pulled = side_pulled,
    .blocked = side_blocked,
    .closed = side_closed,
    .refused = side_refused,
};

static inline struct endpoint_options side_options(const struct identity *id, bool accept)
{
    return (struct endpoint_options){
        .accept = accept,
        .identity = id,
        .reset_context = "test",
        .idle_timeout_ns = 5000 * SIDE_MS,
        .keep_alive_ns = 1000 * SIDE_MS,
        .handshake_timeout_ns = 5000 * SIDE_MS,
        .stream_window = 16384,
        .control_window = 65536,
        .max_streams_uni = 64,
        .max_connections = 64,
        .max_half_open = 32,
    };
}

/* On 127.0.0.1, port 0 for any, unless the options say where. */
static inline void side_start(struct side *s, const struct endpoint_options *options, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct rusm_why why;
    struct endpoint_options o = *options;
    if (!o.bind) {
        o.bind = (struct sockaddr *)&at;
        o.bind_len = sizeof(at);
    }
    memset(s, 0, sizeof(*s));
    s->streams = calloc(SIDE_STREAMS, sizeof(*s->streams));
    assert_non_null(s->streams);
    s->options = *options;
    if (endpoint_new(&s->e, &o, &side_events, s, &why) != 0) {
        fail_msg("%s", why.text);
    }
}

static inline void side_stop(struct side *s)
{
    endpoint_free(s->e);
    free(s->streams);
    s->e = NULL;
    s->streams = NULL;
}

static inline uint16_t side_port(const struct side *s)
{
    socklen_t len;
    return ntohs(
        ((const struct sockaddr_in *)(const void *)endpoint_address(s->e, &len))->sin_port);
}

static inline struct conn *side_dial(struct side *s, const struct side *to)
{
    socklen_t len;
    const struct sockaddr *a = endpoint_address(to->e, &len);
    struct conn *c;
    assert_int_equal(endpoint_dial(s->e, a, len, s, &c), 0);
    assert_non_null(c);
    s->c = c;
    return c;
}

/* One turn of both; sleeps up to `ms` if there was nothing to do. */
static inline void side_turn(struct side *a, struct side *b, int ms)
{
    struct side *sides[2] = { a, b };
    struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1 } };
    bool more = false;
    for (int i = 0; i < 2; i++) {
        bool full = false;
        if (!sides[i]) {
            continue;
        }
        more = endpoint_receive(sides[i]->e) || more;
        endpoint_tick(sides[i]->e, endpoint_now_ns());
        more = endpoint_flush(sides[i]->e, &full) || more;
        fds[i].fd = endpoint_fd(sides[i]->e);
        fds[i].events = (short)(POLLIN | (full ? POLLOUT : 0));
    }
    poll(fds, 2, more ? 0 : ms);
}

/* Turns until the condition holds; fails when that takes too long for any machine. */
#define side_until(a, b, condition)                                \
    do {                                                           \
        uint64_t give_up_ns = endpoint_now_ns() + 60000 * SIDE_MS; \
        while (!(condition)) {                                     \
            if (endpoint_now_ns() > give_up_ns)                    \
                fail_msg("never: %s", #condition);                 \
            side_turn(a, b, 1);                                    \
        }                                                          \
    } while (0)

static inline void side_for(struct side *a, struct side *b, uint64_t ms)
{
    uint64_t until_ns = endpoint_now_ns() + ms * SIDE_MS;
    while (endpoint_now_ns() < until_ns) {
        side_turn(a, b, 1);
    }
}

static inline void side_connect(struct side *a, struct side *b)
{
    side_dial(a, b);
    side_until(a, b, a->readies == 1 && b->readies == 1);
}

/* A new unidirectional stream that sends `len` patterned bytes and FIN. */
static inline struct side_stream *side_send(struct side *s, const uint8_t *data, size_t len)
{
    int64_t id;
    struct side_stream *st;
    assert_int_equal(conn_open_uni(s->c, &id, NULL), 0);
    st = side_find(s, id);
    conn_set_user(s->c, id, st);
    st->data = data;
    st->len = len;
    st->fin = true;
    conn_wake(s->c);
    return st;
}

static inline uint8_t *side_pattern(size_t len)
{
    uint8_t *data = malloc(len ? len : 1);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        data[i] = side_byte(i);
    }
    return data;
}

/* An identity in a folder of its own, made anew. */
static inline struct identity *side_identity(void)
{
    char folder[SCRATCH_MAX], path[SCRATCH_MAX + 16];
    struct identity *id;
    struct rusm_why why;
    assert_true(scratch_make(folder));
    snprintf(path, sizeof(path), "%s/cluster.pem", folder);
    if (identity_create(path, &why) != 0 || identity_load(path, &id, &why) != 0) {
        fail_msg("%s", why.text);
    }
    unlink(path);
    rmdir(folder);
    return id;
}

#endif
