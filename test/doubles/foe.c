#include "doubles/foe.h"

/* ---- the endpoint's upcalls ---- */

static int foe_on_ready(void *context, struct conn *c)
{
    struct foe *f = context;

    (void)c;
    f->ready = true;
    return 0;
}

static int foe_on_opened(void *context, struct conn *c, int64_t stream)
{
    (void)context;
    (void)c;
    (void)stream;
    return 0;
}

static int foe_on_data(void *context, struct conn *c, int64_t stream, void *user,
                       const uint8_t *data, size_t len, bool fin)
{
    struct foe *f = context;

    (void)user;
    (void)fin;
    if (stream != f->control) {
        f->lane_bytes += len;
        conn_extend_stream(c, stream, len);
        return 0;
    }
    if (f->rx_len + len > f->rx_cap) {
        f->rx_cap = 2 * (f->rx_len + len);
        f->rx = realloc(f->rx, f->rx_cap);
        assert_non_null(f->rx);
    }
    memcpy(f->rx + f->rx_len, data, len);
    f->rx_len += len;
    return 0;
}

static void foe_on_acked(void *context, struct conn *c, int64_t stream, void *user, uint64_t len)
{
    (void)context;
    (void)c;
    (void)stream;
    (void)user;
    (void)len;
}

static void foe_on_reset(void *context, struct conn *c, int64_t stream, void *user, uint64_t code)
{
    (void)context;
    (void)c;
    (void)stream;
    (void)user;
    (void)code;
}

static void foe_on_stopped(void *context, struct conn *c, int64_t stream, void *user, uint64_t code)
{
    struct foe *f = context;

    (void)c;
    (void)stream;
    (void)user;
    f->stops++;
    f->stop_code = code;
}

static void foe_on_stream_closed(void *context, struct conn *c, int64_t stream, void *user)
{
    (void)context;
    (void)c;
    (void)stream;
    (void)user;
}

static void foe_on_writable(void *context, struct conn *c, int64_t stream, void *user)
{
    struct foe *f = context;

    (void)user;
    for (struct foe_bytes *b = f->head; b; b = b->next) {
        b->blocked = b->blocked && b->stream != stream;
    }
    conn_wake(c);
}

static void foe_on_available(void *context, struct conn *c)
{
    (void)context;
    (void)c;
}

static int foe_on_pull(void *context, struct conn *c, int64_t *stream, struct iovec *vec,
                       size_t cap, bool *fin)
{
    struct foe *f = context;
    struct foe_bytes *b = f->head;

    (void)c;
    assert_true(cap > 0);
    while (b && b->blocked) {
        b = b->next;
    }
    f->offered = b;
    if (!b) {
        return -1;
    }
    *stream = b->stream;
    vec[0].iov_base = (void *)(uintptr_t)(b->data + b->at);
    vec[0].iov_len = b->len - b->at;
    *fin = b->fin;
    return vec[0].iov_len > 0;
}

static void foe_spend(struct foe *f, struct foe_bytes *b)
{
    struct foe_bytes **at = &f->head;

    while (*at != b) {
        at = &(*at)->next;
    }
    *at = b->next;
    if (f->tail == &b->next) {
        f->tail = at;
    }
    b->next = f->spent;
    f->spent = b;
}

static void foe_on_pulled(void *context, struct conn *c, int64_t stream, void *user, size_t len,
                          bool fin)
{
    struct foe *f = context;
    struct foe_bytes *b = f->offered;

    (void)c;
    (void)user;
    assert_int_equal(b->stream, stream);
    b->at += len;
    f->waiting -= len;
    if (b->at == b->len && fin == b->fin) {
        foe_spend(f, b);
    }
}

static void foe_on_blocked(void *context, struct conn *c, int64_t stream, void *user)
{
    struct foe *f = context;

    (void)c;
    (void)stream;
    (void)user;
    f->offered->blocked = true;
}

static void foe_on_closed(void *context, struct conn *c, const struct conn_end *end)
{
    struct foe *f = context;

    (void)c;
    f->ended = true;
    f->end = *end;
    f->c = NULL;
}

const struct endpoint_events foe_events = {
    .ready = foe_on_ready,
    .stream_opened = foe_on_opened,
    .stream_data = foe_on_data,
    .stream_acked = foe_on_acked,
    .stream_reset = foe_on_reset,
    .stream_stopped = foe_on_stopped,
    .stream_closed = foe_on_stream_closed,
    .stream_writable = foe_on_writable,
    .streams_available = foe_on_available,
    .pull = foe_on_pull,
    .pulled = foe_on_pulled,
    .blocked = foe_on_blocked,
    .closed = foe_on_closed,
};

/* ---- ticks ---- */

void foe_tick(struct foe *f, int ms)
{
    bool more = !f->deaf && endpoint_receive(f->e), full = false;

    endpoint_tick(f->e, endpoint_now_ns());
    more = endpoint_flush(f->e, &full) || more;
    struct pollfd at = { .fd = endpoint_fd(f->e),
                         .events = (short)((f->deaf ? 0 : POLLIN) | (full ? POLLOUT : 0)) };
    poll(&at, 1, more && !full ? 0 : ms);
}

void foe_for(struct foe *f, uint64_t ms)
{
    uint64_t until_ms = victim_ms() + ms;

    while (victim_ms() < until_ms) {
        foe_tick(f, 1);
    }
}

/* ---- sending ---- */

uint8_t *foe_queue(struct foe *f, int64_t stream, const void *data, size_t len, bool fin)
{
    struct foe_bytes *b = malloc(sizeof(*b) + (data ? 0 : len));

    assert_non_null(b);
    *b = (struct foe_bytes){ .stream = stream, .data = data, .len = len, .fin = fin };
    if (!data) {
        b->data = b->copy;
    }
    *f->tail = b;
    f->tail = &b->next;
    f->waiting += len;
    if (f->c) {
        conn_wake(f->c);
    }
    return b->copy;
}

void foe_send(struct foe *f, int64_t stream, const void *data, size_t len, bool fin)
{
    uint8_t *copy = foe_queue(f, stream, NULL, len, fin);

    if (len > 0) {
        memcpy(copy, data, len);
    }
}

int64_t foe_open_lane(struct foe *f)
{
    int64_t stream = -1;

    assert_int_equal(conn_open_uni(f->c, &stream, f), 0);
    return stream;
}

void foe_frame(struct foe *f, uint64_t type, bool skip, const void *body, size_t len)
{
    uint8_t head[FRAME_HEAD_MAX];
    size_t head_len = frame_head_encode(head, type, skip, len);
    uint8_t *copy = foe_queue(f, f->control, NULL, head_len + len, false);

    memcpy(copy, head, head_len);
    if (len > 0) {
        memcpy(copy + head_len, body, len);
    }
}

/* ---- receiving ---- */

bool foe_next(struct foe *f, struct frame *frame)
{
    ssize_t used = frame_decode(f->rx + f->rx_at, f->rx_len - f->rx_at, frame);

    assert_true(used >= 0);
    f->rx_at += (size_t)used;
    return used > 0;
}

void foe_await(struct foe *f, enum frame_type type, struct frame *frame)
{
    bool found = false;

    foe_until(f, f->ended || ({
                     while (!found && foe_next(f, frame)) {
                         found = frame->type == type;
                     }
                     found;
                 }));
    if (!found) {
        fail_msg("the connection ended, code %lu %s, before frame %d came",
                 (unsigned long)f->end.code, f->end.text, (int)type);
    }
}

/* ---- life ---- */

/* Sets the share in the connection id as an honest node or client does, unless the options ask for
 * another scheduler's share or for none. */
static void foe_share(struct endpoint_options *e, const struct foe_options *o)
{
    uint8_t own = o->name && o->name[0] ? id_node_share(o->name, strlen(o->name)) : 0;

    e->has_share = o->share != FOE_STRANGER && (o->role == HELLO_NODE || o->share == FOE_OTHER);
    e->share = (uint8_t)(own + (o->share == FOE_OTHER));
}

void foe_dial(struct foe *f, const struct victim *v, const struct foe_options *o)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)atoi(strchr(v->address, ':') + 1)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct rusm_why why;

    memset(f, 0, sizeof(*f));
    f->tail = &f->head;
    f->control = -1;
    f->options = *o;
    if (identity_load(v->identity, &f->identity, &why) != 0) {
        fail_msg("%s", why.text);
    }
    struct endpoint_options options = {
        .bind = (struct sockaddr *)&any,
        .bind_len = sizeof(any),
        .identity = f->identity,
        .idle_timeout_ns = 60000 * FOE_MS,
        .keep_alive_ns = 1000 * FOE_MS,
        .handshake_timeout_ns = 60000 * FOE_MS,
        .stream_window = 16384,
        .control_window = o->control_window == UINT64_MAX ? 0
                          : o->control_window             ? o->control_window
                                                          : 1024 * 1024,
        .max_streams_uni = o->max_streams == UINT64_MAX ? 0
                           : o->max_streams             ? o->max_streams
                                                        : 16384,
        .max_connections = 4096,
        .max_half_open = 1,
    };
    foe_share(&options, o);
    if (endpoint_new(&f->e, &options, &foe_events, f, &why) != 0) {
        fail_msg("%s", why.text);
    }
    assert_int_equal(endpoint_dial(f->e, (struct sockaddr *)&to, sizeof(to), f, &f->c), 0);
    foe_until(f, f->ready || f->ended);
    assert_true(f->ready);
    assert_int_equal(conn_open_bidi(f->c, &f->control, f), 0);
}

struct hello foe_hello_of(const struct foe *f)
{
    const char *name = f->options.name ? f->options.name : "";

    return (struct hello){ .version = CONTROL_VERSION,
                           .role = f->options.role,
                           .incarnation = f->options.incarnation ? f->options.incarnation : 7,
                           .max_message = RUSM_MESSAGE_MAX,
                           .name = name,
                           .name_len = strlen(name),
                           .advertise = "" };
}

void foe_say_hello(struct foe *f, const struct hello *hello)
{
    uint8_t body[1024];
    ssize_t len = hello_encode(body, sizeof(body), hello);

    assert_true(len > 0);
    foe_frame(f, FRAME_HELLO, false, body, (size_t)len);
}

void foe_start_with(struct foe *f, const struct victim *v, const struct foe_options *o)
{
    struct frame frame;

    foe_dial(f, v, o);
    const struct hello hello = foe_hello_of(f);
    foe_say_hello(f, &hello);
    if (o->control_window == UINT64_MAX) {
        foe_for(f, 50); /* without credit the node cannot answer */
        return;
    }
    foe_await(f, o->role == HELLO_NODE ? FRAME_ADOPT : FRAME_HELLO, &frame);
}

void foe_start(struct foe *f, const struct victim *v, enum hello_role role)
{
    const struct foe_options o = { .role = role, .name = role == HELLO_NODE ? "zed" : "" };

    foe_start_with(f, v, &o);
}

void foe_stop(struct foe *f)
{
    endpoint_free(f->e);
    identity_free(f->identity);
    while (f->head) {
        struct foe_bytes *next = f->head->next;
        free(f->head);
        f->head = next;
    }
    while (f->spent) {
        struct foe_bytes *next = f->spent->next;
        free(f->spent);
        f->spent = next;
    }
    free(f->rx);
    memset(f, 0, sizeof(*f));
}

/* ---- results ---- */

void foe_closed(struct foe *f, enum close_code code, const char *what)
{
    foe_until(f, f->ended);
    if (f->end.kind != CONN_END_PEER || f->end.code != code) {
        fail_msg("%s: ended with kind %d code %lu '%s', not code %d", what, (int)f->end.kind,
                 (unsigned long)f->end.code, f->end.text, (int)code);
    }
}

void foe_open(struct foe *f, const char *what)
{
    struct frame frame = { .type = 0 };

    if (!f->ended) {
        foe_frame(f, FRAME_PING, false, "12345678", 8);
        foe_until(f, f->ended || (foe_next(f, &frame) && frame.type == FRAME_PONG));
    }
    if (f->ended) {
        fail_msg("%s: ended with code %lu '%s'", what, (unsigned long)f->end.code, f->end.text);
    }
    assert_memory_equal(frame.body, "12345678", 8);
}
