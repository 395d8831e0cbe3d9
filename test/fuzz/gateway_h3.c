/* fuzz: an HTTP/3 connection (lib/gateway/h3.c) whose client says anything: frames that are
 * correct, almost correct or noise, on streams that it opens, resets and stops. Meanwhile the node
 * answers, time passes, and what we send is taken in pieces. The connection below takes the place
 * of the quic room's, and checks that we do only what QUIC allows. */
#include "doubles/fuzz_gateway.h"
#include "gateway/limits.h"

#include <netinet/in.h>
#include "gateway/h3.h"
#include "wire/varint.h"

#define STREAMS 24 /* request streams */
#define UNIS 80
#define OURS 3

struct flow {
    int64_t id;
    void *user;
    bool open, fin;              /* of the client */
    bool reset, stopped, closed; /* of ours: we reset it, we stopped it, it was reported closed */
    bool sent_fin;
    uint64_t sent, acked;
    uint8_t last; /* of what we sent: reading it lets a sanitizer see freed memory */
};

struct conn {
    struct http_world *world;
    const struct endpoint_events *on;
    void *context;
    bool trusted, closing;
    uint64_t allowed; /* requests that the client may have opened so far */
    struct flow theirs[STREAMS], unis[UNIS], ours[OURS];
    size_t requests, uni_count, ours_count;
};

static struct http_world world;
static struct conn conn;

static struct flow *flow_of(struct conn *c, int64_t id)
{
    size_t ordinal = (size_t)id >> 2;

    must(id >= 0);
    if ((id & 3) == 0) {
        must(ordinal < c->requests);
        return &c->theirs[ordinal];
    }
    if ((id & 3) == 2) {
        must(ordinal < c->uni_count);
        return &c->unis[ordinal];
    }
    must((id & 3) == 3 && ordinal < c->ours_count);
    return &c->ours[ordinal];
}

/* ---- endpoint.h ---- */

void conn_take_over(struct conn *c, const struct endpoint_events *events, void *context)
{
    c->on = events;
    c->context = context;
}

bool conn_trusted(const struct conn *c)
{
    return c->trusted;
}

const struct sockaddr *conn_peer_address(const struct conn *c)
{
    static const struct sockaddr_in any = { .sin_family = AF_INET };
    must(c);
    return (const struct sockaddr *)&any;
}

void conn_peer_text(const struct conn *c, char *text, size_t cap)
{
    must(c && cap > 4);
    memcpy(text, "?:1", 4);
}

void conn_keep_alive(struct conn *c, bool keep)
{
    must(c || keep);
}

void conn_extend_streams_bidi(struct conn *c, uint64_t count)
{
    c->allowed += count;
    must(c->allowed <= LIMIT_HTTP_STREAMS + STREAMS);
}

int conn_open_uni(struct conn *c, int64_t *stream, void *user)
{
    must(c->ours_count < OURS);
    *stream = (int64_t)c->ours_count << 2 | 3;
    c->ours[c->ours_count++] = (struct flow){ .id = *stream, .user = user, .open = true };
    return 0;
}

void conn_set_user(struct conn *c, int64_t stream, void *user)
{
    flow_of(c, stream)->user = user;
}

void conn_extend_stream(struct conn *c, int64_t stream, uint64_t bytes)
{
    must(flow_of(c, stream)->open && bytes <= 65536);
}

void conn_reset(struct conn *c, int64_t stream, uint64_t code)
{
    must(code >= NGHTTP3_H3_NO_ERROR);
    flow_of(c, stream)->reset = true;
}

void conn_stop(struct conn *c, int64_t stream, uint64_t code)
{
    must(code >= NGHTTP3_H3_NO_ERROR);
    flow_of(c, stream)->stopped = true;
}

void conn_close(struct conn *c, uint64_t code, const char *reason)
{
    must(code >= NGHTTP3_H3_NO_ERROR && reason);
    c->closing = true;
}

void conn_wake(struct conn *c)
{
    must(c);
}

/* ---- what the client says ---- */

/* Writes a literal field of a HEADERS frame (RFC 9204, 4.5.6). */
static void put_field(struct writer *w, const char *name, const uint8_t *value, size_t len)
{
    size_t name_len = strlen(name);

    must(name_len < 7 + 128 && len < 127);
    if (name_len < 7) {
        writer_u8(w, (uint8_t)(0x20 | name_len));
    } else {
        writer_u8(w, 0x27);
        writer_u8(w, (uint8_t)(name_len - 7));
    }
    writer_bytes(w, name, name_len);
    writer_u8(w, (uint8_t)len);
    writer_bytes(w, value, len);
}

static void put_text(struct writer *w, const char *name, const char *value)
{
    put_field(w, name, (const uint8_t *)value, strlen(value));
}

static void put_frame(struct writer *w, uint64_t type, const void *body, size_t len)
{
    writer_varint(w, type);
    writer_varint(w, len);
    writer_bytes(w, body, len);
}

static void put_headers(struct writer *w, struct reader *in)
{
    static const char *const methods[] = { "GET", "POST", "DELETE", "HEAD", "CONNECT" };
    static const char *const paths[] = { "/v1/processes",
                                         "/v1/call/p",
                                         "/v1/send/p?global=1",
                                         "/v1/spawn/echo?name=n",
                                         "/v1/processes/17",
                                         "/v1/events",
                                         "/v1/node",
                                         "/" };
    uint8_t body[1024] = { 0, 0 };
    struct writer b = writer_on(body, sizeof(body));
    size_t more = fuzz_below(in, 8), len;

    writer_u8(&b, 0);
    writer_u8(&b, 0);
    put_text(&b, ":method", methods[fuzz_below(in, 5)]);
    put_text(&b, ":scheme", "https");
    put_text(&b, ":authority", "london");
    if (fuzz_below(in, 8) == 1) {
        const uint8_t *path = fuzz_bytes(in, 120, &len);
        put_field(&b, ":path", path, len);
    } else {
        put_text(&b, ":path", paths[fuzz_below(in, 8)]);
    }
    if (more & 1) {
        put_text(&b, "authorization", "Bearer " HTTP_TOKEN);
    }
    if (more & 2) {
        const uint8_t *value = fuzz_bytes(in, 20, &len);
        put_field(&b, "content-length", value, len);
    }
    if (more & 4) {
        const uint8_t *value = fuzz_bytes(in, 100, &len);
        put_field(&b, "x", value, len);
    }
    put_frame(w, 1, body, writer_len(&b));
}

/* Delivers the bytes as QUIC would: in pieces, and nothing after the end. */
static void say(struct conn *c, struct flow *f, const uint8_t *data, size_t len, bool fin)
{
    struct reader *in = &world.in;

    if (!f->open || f->fin || f->stopped || c->closing) {
        return;
    }
    data = data ? data : (const uint8_t *)"";
    do {
        size_t n = fuzz_below(in, 4) == 1 ? fuzz_below(in, len + 1) : len;
        f->fin = fin && n == len;
        if (c->on->stream_data(c->context, c, f->id, f->user, data, n, f->fin) != 0) {
            must(c->closing);
        }
        data += n;
        len -= n;
    } while (len > 0 && !c->closing && !f->stopped);
}

static struct flow *open_request(struct conn *c)
{
    if (c->requests >= STREAMS || c->requests >= c->allowed || c->closing) {
        return NULL;
    }
    struct flow *f = &c->theirs[c->requests];
    f->id = (int64_t)c->requests++ << 2;
    f->open = true;
    return c->on->stream_opened(c->context, c, f->id) == 0 ? f : NULL;
}

static struct flow *open_uni(struct conn *c)
{
    if (c->uni_count >= UNIS || c->closing) {
        return NULL;
    }
    struct flow *f = &c->unis[c->uni_count];
    f->id = (int64_t)c->uni_count++ << 2 | 2;
    f->open = true;
    if (c->on->stream_opened(c->context, c, f->id) != 0) {
        must(c->closing);
        return NULL;
    }
    return f;
}

static void say_request(struct conn *c, struct flow *f)
{
    struct reader *in = &world.in;
    uint8_t bytes[4096];
    struct writer w = writer_on(bytes, sizeof(bytes));
    size_t len;

    for (size_t n = 1 + fuzz_below(in, 3); n > 0; n--) {
        const uint8_t *body;
        switch (fuzz_below(in, 8)) {
        case 0:
        case 1:
        case 2:
        case 3: put_headers(&w, in); break;
        case 4:
        case 5:
            body = fuzz_bytes(in, 255, &len);
            put_frame(&w, 0, body, len);
            break;
        case 6:
            body = fuzz_bytes(in, 63, &len);
            put_frame(&w, fuzz_below(in, 16), body, len);
            break;
        default: body = fuzz_bytes(in, 63, &len); writer_bytes(&w, body, len);
        }
    }
    say(c, f, bytes, writer_len(&w), fuzz_below(in, 2));
}

/* Opens a control or QPACK stream. It is mostly correct. */
static void say_uni(struct conn *c)
{
    static const struct {
        const char *bytes;
        size_t len;
    } starts[] = { { "\x00\x04\x00", 3 }, { "\x02", 1 }, { "\x03", 1 }, { "\x21", 1 } };
    struct flow *f = open_uni(c);
    size_t which = fuzz_below(&world.in, 5), len;
    const uint8_t *more;

    if (!f) {
        return;
    }
    if (which < 4) {
        say(c, f, (const uint8_t *)starts[which].bytes, starts[which].len, false);
    }
    more = fuzz_bytes(&world.in, 63, &len);
    say(c, f, more, len, fuzz_below(&world.in, 8) == 1);
}

/* ---- what the client takes ---- */

static void take(struct conn *c)
{
    struct iovec vec[8];
    int64_t id = -1;
    bool fin = false;
    int count = c->on->pull(c->context, c, &id, vec, 8, &fin);
    size_t all = 0, part;

    if (count < 0) {
        return;
    }
    struct flow *f = flow_of(c, id);
    for (int i = 0; i < count; i++) {
        const uint8_t *bytes = vec[i].iov_base;
        for (size_t j = 0; j < vec[i].iov_len; j++) {
            f->last ^= bytes[j];
        }
        all += vec[i].iov_len;
    }
    if (f->reset || f->closed || fuzz_below(&world.in, 8) == 1) {
        c->on->blocked(c->context, c, id, f->user);
        return;
    }
    part = fuzz_below(&world.in, 4) == 1 ? fuzz_below(&world.in, all + 1) : all;
    must(!f->sent_fin);
    f->sent += part;
    f->sent_fin = fin && part == all;
    c->on->pulled(c->context, c, id, f->user, part, f->sent_fin);
}

static void acknowledge(struct conn *c, struct flow *f)
{
    uint64_t len = f->sent - f->acked;

    if (len > 0 && !f->reset) {
        len = fuzz_below(&world.in, 2) ? len : 1 + fuzz_below(&world.in, (size_t)len);
        f->acked += len;
        c->on->stream_acked(c->context, c, f->id, f->user, len);
    }
    /* Both directions have ended. */
    if (f->open && !c->closing && (f->reset || (f->sent_fin && f->acked == f->sent)) &&
        (f->fin || f->stopped)) {
        f->open = false;
        f->closed = true;
        c->on->stream_closed(c->context, c, f->id, f->user);
        f->user = NULL;
    }
}

/* Returns one of the client's open requests, or NULL if there is none. */
static struct flow *some(struct conn *c)
{
    struct flow *f = c->requests ? &c->theirs[fuzz_below(&world.in, c->requests)] : NULL;

    return f && f->open ? f : NULL;
}

static void step(struct conn *c)
{
    struct reader *in = &world.in;
    struct flow *f;

    switch (fuzz_below(in, 16)) {
    case 0:
    case 1:
    case 2:
        f = open_request(c);
        if (f) {
            say_request(c, f);
        }
        break;
    case 3:
        f = some(c);
        if (f) {
            say_request(c, f);
        }
        break;
    case 4: say_uni(c); break;
    case 5:
        f = some(c);
        if (f && !f->fin) {
            f->fin = true;
            c->on->stream_reset(c->context, c, f->id, f->user, NGHTTP3_H3_REQUEST_CANCELLED);
        }
        break;
    case 6:
        f = some(c);
        if (f && !f->reset) {
            f->reset = true; /* QUIC resets it by itself */
            c->on->stream_stopped(c->context, c, f->id, f->user, NGHTTP3_H3_REQUEST_CANCELLED);
        }
        break;
    case 7:
        f = some(c);
        if (f) {
            c->on->stream_writable(c->context, c, f->id, f->user);
        }
        break;
    case 8: http_pass(&world); break;
    case 9:
    case 10: http_outcome(&world); break;
    case 11:
        if (fuzz_below(in, 16) == 1) {
            gateway_leave(world.gateway);
        }
        break;
    case 12:
        f = some(c);
        if (f) {
            acknowledge(c, f);
        }
        break;
    default: take(c);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct conn_end end = { .text = "over" };

    http_open(&world, data, len);
    conn = (struct conn){ .world = &world, .allowed = 1, .trusted = fuzz_below(&world.in, 2) };
    must(gateway_accept(world.gateway, &conn) == 0);
    while (reader_left(&world.in) > 0 && !conn.closing) {
        step(&conn);
    }
    conn.on->closed(conn.context, &conn, &end);
    must(gateway_connections(world.gateway) == 0 && gateway_pending(world.gateway) == 0);
    http_close(&world);
    return 0;
}
