#include "doubles/quic_pair.h"

static uint8_t side_byte(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8));
}

struct side_stream *side_find(struct side *s, int64_t id)
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

static int side_ready(void *context, struct conn *c)
{
    struct side *s = context;
    s->c = c;
    s->readies++;
    return 0;
}

static int side_opened(void *context, struct conn *c, int64_t id)
{
    struct side_stream *st = side_find(context, id);
    assert_false(st->opened);
    st->opened = true;
    conn_set_user(c, id, st);
    return 0;
}

static int side_data(void *context, struct conn *c, int64_t id, void *user, const uint8_t *data,
                     size_t len, bool fin)
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

static void side_acked(void *context, struct conn *c, int64_t id, void *user, uint64_t len)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    st->acked += len;
    assert_true(st->acked <= st->at);
}

static void side_reset(void *context, struct conn *c, int64_t id, void *user, uint64_t code)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    st->reset = true;
    st->reset_code = code;
}

static void side_stopped(void *context, struct conn *c, int64_t id, void *user, uint64_t code)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    st->stopped = true;
    st->stop_code = code;
}

static void side_stream_closed(void *context, struct conn *c, int64_t id, void *user)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    (void)id;
    assert_false(st->closed);
    st->closed = true;
}

static void side_writable(void *context, struct conn *c, int64_t id, void *user)
{
    struct side_stream *st = user;
    (void)context;
    (void)id;
    if (st) {
        st->blocked = false;
        conn_wake(c);
    }
}

static void side_available(void *context, struct conn *c)
{
    struct side *s = context;
    (void)c;
    s->available++;
}

static int side_pull(void *context, struct conn *c, int64_t *id, struct iovec *vec, size_t cap,
                     bool *fin)
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

static void side_pulled(void *context, struct conn *c, int64_t id, void *user, size_t len, bool fin)
{
    struct side_stream *st = user;
    (void)context;
    (void)c;
    assert_int_equal(st->id, id);
    st->at += len;
    assert_true(st->at <= st->len);
    st->fin_sent = st->fin_sent || fin;
}

static void side_blocked(void *context, struct conn *c, int64_t id, void *user)
{
    struct side_stream *st = user ? user : side_find(context, id);
    (void)c;
    st->blocked = true;
}

static void side_closed(void *context, struct conn *c, const struct conn_end *end)
{
    struct side *s = context;
    (void)c;
    s->closes++;
    s->end = *end;
    s->c = NULL;
}

static void side_refused(void *context, const struct sockaddr *from, socklen_t len,
                         const char *text)
{
    struct side *s = context;
    assert_int_equal(from->sa_family, AF_INET);
    assert_int_equal(len, sizeof(struct sockaddr_in));
    s->refusals++;
    snprintf(s->refused_text, sizeof(s->refused_text), "%s", text);
}

const struct endpoint_events side_events = {
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

struct endpoint_options side_options(const struct identity *id, bool accept)
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

void side_start(struct side *s, const struct endpoint_options *options, uint16_t port)
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

void side_stop(struct side *s)
{
    endpoint_free(s->e);
    free(s->streams);
    s->e = NULL;
    s->streams = NULL;
}

uint16_t side_port(const struct side *s)
{
    socklen_t len;
    return ntohs(
        ((const struct sockaddr_in *)(const void *)endpoint_address(s->e, &len))->sin_port);
}

struct conn *side_dial(struct side *s, const struct side *to)
{
    socklen_t len;
    const struct sockaddr *a = endpoint_address(to->e, &len);
    struct conn *c;
    assert_int_equal(endpoint_dial(s->e, a, len, s, &c), 0);
    assert_non_null(c);
    s->c = c;
    return c;
}

void side_tick(struct side *a, struct side *b, int ms)
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

void side_for(struct side *a, struct side *b, uint64_t ms)
{
    uint64_t until_ns = endpoint_now_ns() + ms * SIDE_MS;
    while (endpoint_now_ns() < until_ns) {
        side_tick(a, b, 1);
    }
}

void side_connect(struct side *a, struct side *b)
{
    side_dial(a, b);
    side_until(a, b, a->readies == 1 && b->readies == 1);
}

struct side_stream *side_send(struct side *s, const uint8_t *data, size_t len)
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

uint8_t *side_pattern(size_t len)
{
    uint8_t *data = malloc(len ? len : 1);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        data[i] = side_byte(i);
    }
    return data;
}

struct identity *side_identity(void)
{
    char folder[SCRATCH_MAX], path[SCRATCH_MAX + 16];
    struct identity *id = NULL;
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

/* ---- two connected sides ---- */

struct identity *identity; /* the program's identity, made for this run */

int pair_identity(void **state)
{
    (void)state;
    identity = side_identity();
    return 0;
}

int pair_no_identity(void **state)
{
    (void)state;
    identity_free(identity);
    return 0;
}

int pair_setup(void **state)
{
    struct side_pair *p = calloc(1, sizeof(*p));
    struct endpoint_options o = side_options(identity, true);
    assert_non_null(p);
    side_start(&p->a, &o, 0);
    side_start(&p->b, &o, 0);
    side_connect(&p->a, &p->b);
    *state = p;
    return 0;
}

int pair_teardown(void **state)
{
    struct side_pair *p = *state;
    side_stop(&p->a);
    side_stop(&p->b);
    free(p);
    return 0;
}
