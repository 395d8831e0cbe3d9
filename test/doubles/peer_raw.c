#include "doubles/peer_raw.h"
#include "wire/limits.h"

/* ---- what a raw side says ---- */

struct side_stream *raw_open(struct side *raw, bool bidi)
{
    struct side_stream *st;
    int64_t id;
    assert_int_equal((bidi ? conn_open_bidi : conn_open_uni)(raw->c, &id, NULL), 0);
    st = side_find(raw, id);
    st->data = malloc(RAW_CAP);
    assert_non_null(st->data);
    conn_set_user(raw->c, id, st);
    return st;
}

void raw_say(struct side *raw, struct side_stream *st, const void *bytes, size_t len)
{
    assert_true(st->len + len <= RAW_CAP);
    if (len > 0) {
        memcpy((uint8_t *)(uintptr_t)st->data + st->len, bytes, len);
    }
    st->len += len;
    conn_wake(raw->c);
}

void raw_fin(struct side *raw, struct side_stream *st)
{
    st->fin = true;
    conn_wake(raw->c);
}

void raw_frame(struct side *raw, struct side_stream *st, uint64_t type, bool skip, const void *body,
               size_t len)
{
    uint8_t head[FRAME_HEAD_MAX];
    raw_say(raw, st, head, frame_head_encode(head, type, skip, len));
    raw_say(raw, st, body, len);
}

static void raw_hello_with(struct side *raw, struct side_stream *st, uint64_t version,
                           uint64_t max_message)
{
    struct hello hello = { .version = version,
                           .role = HELLO_NODE,
                           .incarnation = 9,
                           .max_message = max_message,
                           .name = "raw",
                           .name_len = 3 };
    uint8_t body[256];
    ssize_t len = hello_encode(body, sizeof(body), &hello);
    raw_frame(raw, st, FRAME_HELLO, false, body, (size_t)len);
}

void raw_hello(struct side *raw, struct side_stream *st, uint64_t version)
{
    raw_hello_with(raw, st, version, RUSM_MESSAGE_MAX);
}

struct side_stream *raw_join_with(struct side *raw, struct host *h, const struct identity *id,
                                  uint64_t max_message, uint64_t streams)
{
    struct endpoint_options o = side_options(id, false);
    struct side_stream *control;
    const struct sockaddr *at;
    struct conn *c;
    socklen_t len;
    o.max_streams_uni = streams;
    side_start(raw, &o, 0);
    at = endpoint_address(h->e, &len);
    assert_int_equal(endpoint_dial(raw->e, at, len, NULL, &c), 0);
    pair_until(h, NULL, raw, raw->readies == 1 && h->peer);
    control = raw_open(raw, true);
    raw_hello_with(raw, control, CONTROL_VERSION, max_message);
    raw_frame(raw, control, FRAME_ADOPT, false, NULL, 0);
    pair_until(h, NULL, raw, h->readies == 1);
    return control;
}

struct side_stream *raw_join(struct side *raw, struct host *h, const struct identity *id,
                             uint64_t max_message)
{
    return raw_join_with(raw, h, id, max_message, 64);
}

void raw_header(struct side *raw, struct side_stream *st, enum lane_type type, uint64_t after,
                uint64_t from, uint64_t to)
{
    struct lane_header header = { .type = type,
                                  .after = after,
                                  .from = from,
                                  .to = { .kind = TARGET_PID, .serial = to, .incarnation = 1 } };
    uint8_t bytes[LIMIT_LANE_HEADER];
    ssize_t len = lane_header_encode(bytes, sizeof(bytes), &header);
    raw_say(raw, st, bytes, (size_t)len);
}

void raw_letter(struct side *raw, struct side_stream *st, size_t len, uint64_t number)
{
    struct record record = { .kind = RECORD_SEND, .payload_len = len };
    uint8_t head[RECORD_HEAD_MAX], *data = malloc(len + 1);
    assert_non_null(data);
    letter_fill(data, len, number);
    raw_say(raw, st, head, record_head_encode(head, &record));
    raw_say(raw, st, data, len);
    free(data);
}

static void raw_free(struct side *raw)
{
    for (size_t i = 0; i < raw->count; i++) {
        free((void *)(uintptr_t)raw->streams[i].data);
    }
    side_stop(raw);
}

/* ---- two hosts, or a host and a raw peer ---- */

struct duo *duo_new(uint64_t streams)
{
    struct duo *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    host_start(&p->a, "amber", identity, 0);
    host_start(&p->b, "bronze", identity, streams);
    return p;
}

int duo_connected(void **state)
{
    struct duo *p = duo_new(0);
    pair_connect(&p->a, &p->b);
    *state = p;
    return 0;
}

int duo_raw(void **state)
{
    struct duo *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    host_start(&p->b, "bronze", identity, 0);
    p->control = raw_join(&p->raw, &p->b, identity, RUSM_MESSAGE_MAX);
    *state = p;
    return 0;
}

int duo_teardown(void **state)
{
    struct duo *p = *state;
    if (p->a.e) {
        host_stop(&p->a);
    }
    host_stop(&p->b);
    if (p->raw.e) {
        raw_free(&p->raw);
    }
    free(p);
    return 0;
}
