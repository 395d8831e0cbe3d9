/* fuzz_say: what the peers and clients of a node under fuzzing say, as the input orders: frames and
 * lanes that are correct or almost correct. doubles/fuzz_quic.h has the connections. */
#ifndef DOUBLES_FUZZ_SAY_H
#define DOUBLES_FUZZ_SAY_H

#include "doubles/fuzz_quic.h"
#include "peer/limits.h"
#include "wire/limits.h"

#define SENT_MAX (256 * 1024) /* bytes sent to lanes in one run */

static const char *const say_nodes[] = { "bonn", "tokyo", "zed", "london" };
static const char *const say_names[] = { "echo", "greeter", "bank", "till", "relay", "a b", "" };

static inline const char *name_pick(struct reader *in)
{
    return say_names[fuzz_below(in, sizeof(say_names) / sizeof(say_names[0]))];
}

/* ---- frames --------------------------------------------------------------------------- */

static inline void control_say(struct endpoint *e, struct link *l, const uint8_t *data, size_t len)
{
    struct conn *c = &l->conn;
    uint8_t *copy = malloc(len ? len : 1);

    must(copy);
    memcpy(copy, len > 0 ? data : (const uint8_t *)"", len);
    if (!c->closing && !c->control.open && !c->dialled) {
        c->control.open = true;
        e->on.stream_opened(e->context, c, c->control.id);
    }
    if (!c->closing && c->control.open) {
        int rc = e->on.stream_data(e->context, c, c->control.id, NULL, copy, len, false);
        must(rc == 0 || c->closing);
    }
    free(copy);
}

static inline void frame_say(struct endpoint *e, struct link *l, uint64_t type, const uint8_t *body,
                             size_t len)
{
    uint8_t frame[FRAME_HEAD_MAX + 1024];
    size_t head = frame_head_encode(frame, type, false, len);

    must(len <= 1024);
    memcpy(frame + head, len > 0 ? body : (const uint8_t *)"", len);
    control_say(e, l, frame, head + len);
}

static inline void hello_say(struct endpoint *e, struct link *l, struct reader *in)
{
    uint8_t body[256];
    size_t how = fuzz_below(in, 256);
    const char *name = say_nodes[how & 3];
    struct hello hello = { .version = CONTROL_VERSION,
                           .role = (how & 12) == 12 ? HELLO_CLIENT : HELLO_NODE,
                           .flags = how >> 4 & 1,
                           .incarnation = 7 + (how >> 5 & 1),
                           .max_message = RUSM_MESSAGE_MAX,
                           .name = name,
                           .name_len = strlen(name),
                           .advertise = how & 64 ? "1.2.3.4:5" : "",
                           .advertise_len = how & 64 ? 9 : 0 };
    ssize_t len = hello_encode(body, sizeof(body), &hello);

    must(len > 0);
    l->greeted = true;
    frame_say(e, l, FRAME_HELLO, body, (size_t)len);
}

/* Names a process, or one that there may be. */
static inline struct target process_pick(const char *name, struct reader *in)
{
    return fuzz_below(in, 2)
               ? (struct target){ TARGET_PID, fuzz_below(in, 8), quic_world.incarnation, NULL, 0 }
               : (struct target){ TARGET_NAME, 0, 0, name, strlen(name) };
}

static inline void request_write_args(struct writer *w, enum op op, struct reader *in)
{
    static const char *const spawnables[] = {
        "echo", "greeter", "sink", "crash", "relay", "bounce"
    };
    static const char *const args[] = { "echo", "bank@tokyo" };
    const struct rusm_args list = { fuzz_below(in, 3), args };
    const char *name = name_pick(in);
    struct target to;

    switch (op) {
    case OP_SPAWN:
        spawn_write(w, (enum spawn_scope)fuzz_below(in, 3), spawnables[fuzz_below(in, 6)], name,
                    &list);
        break;
    case OP_TABLE: writer_varint(w, fuzz_below(in, 8)); break;
    case OP_KILL:
        to = process_pick(name, in);
        target_write(w, &to);
        writer_text(w, "why", fuzz_below(in, 4));
        break;
    case OP_FOLLOW:
        follow_write(w, &(struct follow){ .incarnation = (uint32_t)fuzz_below(in, 3),
                                          .since = fuzz_below(in, 8),
                                          .mode = FOLLOW_BUT,
                                          .count = 1,
                                          .type = { "counters" } });
        break;
    case OP_TRACE:
        trace_write(w, &(struct trace){ .target = process_pick(name, in),
                                        .count = fuzz_below(in, 4) });
        break;
    case OP_WHEREIS: writer_text(w, name, strlen(name)); break;
    case OP_PROCESS:
        to = process_pick(name, in);
        target_write(w, &to);
        break;
    case OP_STOP: break;
    }
}

static inline void request_say(struct endpoint *e, struct link *l, struct reader *in)
{
    uint8_t body[1024];
    struct writer w = writer_on(body, sizeof(body));
    static const enum op ops[] = { OP_SPAWN, OP_SPAWN, OP_FOLLOW,  OP_TABLE,
                                   OP_TRACE, OP_KILL,  OP_WHEREIS, OP_PROCESS };
    size_t how = fuzz_below(in, 64);
    enum op op = how == 63 ? OP_STOP : ops[how % 8];

    request_write(&w, &(struct request){ .id = 1 + how, .timeout_ms = 100, .op = op });
    request_write_args(&w, op, in);
    frame_say(e, l, FRAME_REQUEST, body, writer_len(&w));
}

static inline void nodes_write(struct writer *w, struct reader *in)
{
    static const char *const addresses[] = { "1.2.3.4:5", "10.0.0.3:4000", "far.host1:1" };

    for (size_t n = fuzz_below(in, 4); n > 0; n--) {
        const char *name = say_nodes[fuzz_below(in, 4)], *at = addresses[fuzz_below(in, 3)];
        node_entry_write(w, &(struct node_entry){ .name = name,
                                                  .name_len = strlen(name),
                                                  .address = at,
                                                  .address_len = strlen(at),
                                                  .incarnation = 1 + (uint32_t)fuzz_below(in, 8) });
    }
}

static inline void names_write(struct writer *w, struct reader *in)
{
    writer_varint(w, fuzz_below(in, 4));
    for (size_t n = fuzz_below(in, 4); n > 0; n--) {
        const char *name = name_pick(in);
        size_t how = fuzz_below(in, 256);
        claim_write(w, &(struct claim){ .flags = how & 1,
                                        .serial = 1 + (how >> 1 & 7),
                                        .time = how << 20,
                                        .name = name,
                                        .name_len = strlen(name) });
    }
}

static inline void said_write(struct writer *w, enum frame_type type, struct reader *in)
{
    if (type == FRAME_NODES) {
        nodes_write(w, in);
    } else if (type == FRAME_NAMES) {
        names_write(w, in);
    } else if (type == FRAME_REPLY) { /* to a spawn of ours */
        size_t how = fuzz_below(in, 16);
        reply_write(w, &(struct reply){ .id = 1 + (how & 3), .status = how >> 3 });
        wire_pid_write(w, &(struct wire_pid){ .serial = how, .incarnation = 7, .node = "" });
    } else if (type == FRAME_DRAINED) {
        writer_varint(w, fuzz_below(in, 16));
    } else if (type == FRAME_RECEIPTS) {
        writer_varint(w, fuzz_below(in, 16));
        writer_varint(w, fuzz_below(in, 16));
    } else if (type == FRAME_PING || type == FRAME_PONG) {
        writer_u64(w, 0);
    } else {
        size_t len;
        const uint8_t *raw = fuzz_bytes(in, 63, &len);
        writer_bytes(w, raw, len);
    }
}

static inline void frame_any(struct endpoint *e, struct link *l, struct reader *in)
{
    static const enum frame_type types[] = { FRAME_ADOPT, FRAME_ADOPT,   FRAME_NODES, FRAME_NAMES,
                                             FRAME_NAMES, FRAME_DRAINED, FRAME_REPLY, FRAME_PONG,
                                             FRAME_PING,  FRAME_LEAVE };
    uint8_t body[1024];
    struct writer w = writer_on(body, sizeof(body));
    size_t how = fuzz_below(in, 24);
    enum frame_type type = how < 20 ? types[how % 10] : (enum frame_type)(how - 12);

    if (type != FRAME_ADOPT && type != FRAME_LEAVE) {
        said_write(&w, type, in);
    }
    frame_say(e, l, type, body, writer_len(&w));
}

/* ---- lanes ----------------------------------------------------------------------------------- */

/* Sends as many of the bytes as there is credit for. */
static inline void lane_say(struct endpoint *e, struct link *l, struct flow *f, const uint8_t *data,
                            size_t len, bool fin)
{
    struct conn *c = &l->conn;

    if (c->closing || f->fin || f->reset || f->closed) {
        return;
    }
    if (!f->open) {
        f->open = true;
        f->limit = LIMIT_LANE_WINDOW;
        if (e->on.stream_opened(e->context, c, f->id) != 0 || c->closing) {
            must(c->closing);
            return;
        }
    }
    if (len > (size_t)f->limit - f->len) {
        len = (size_t)f->limit - f->len;
        fin = false;
    }
    if (quic_world.sent + len > SENT_MAX || (len == 0 && !fin)) {
        return;
    }
    quic_world.sent += len;
    uint8_t *copy = malloc(len ? len : 1);
    must(copy);
    memcpy(copy, len > 0 ? data : (const uint8_t *)"", len);
    f->len += len;
    f->fin = fin;
    int rc = e->on.stream_data(e->context, c, f->id, f->user, copy, len, fin);
    must(rc == 0 || c->closing);
    free(copy);
}

static inline void header_say(struct endpoint *e, struct link *l, struct flow *f, struct reader *in)
{
    uint8_t bytes[LIMIT_LANE_HEADER];
    size_t how = fuzz_below(in, 256);
    const char *name = name_pick(in);
    struct lane_header header = { .type = (how & 7) == 7 ? LANE_UNORDERED : LANE_ORDERED,
                                  .after = (how & 24) == 24 ? fuzz_below(in, CONN_THEIRS) : 0,
                                  .from = how >> 5 & 3 };

    if (how & 128 && name[0]) {
        header.to =
            (struct target){ how & 64 ? TARGET_GLOBAL : TARGET_NAME, 0, 0, name, strlen(name) };
    } else {
        header.to =
            (struct target){ TARGET_PID, 1 + fuzz_below(in, 6), quic_world.incarnation, NULL, 0 };
    }
    ssize_t len = lane_header_encode(bytes, sizeof(bytes), &header);
    must(len > 0);
    lane_say(e, l, f, bytes, (size_t)len, false);
}

static inline void record_say(struct endpoint *e, struct link *l, struct flow *f, struct reader *in)
{
    static const uint8_t filler[4096] = "echo";
    uint8_t head[RECORD_HEAD_MAX];
    size_t how = fuzz_below(in, 256);
    struct record record = { .kind = (uint8_t)(how & 15),
                             .has_ref = (how & 15) != RECORD_SEND && (how & 15) != RECORD_EXIT &&
                                        (how & 15) != RECORD_LINK,
                             .ref = how >> 4 & 3,
                             .has_receipt = how & 64,
                             .receipt = how,
                             .skip = how & 128,
                             .payload_len = fuzz_below(in, 256) };

    if (record.payload_len > 200) {
        record.payload_len = (record.payload_len - 200) * 1000;
    }
    lane_say(e, l, f, head, record_head_encode(head, &record), false);
    for (uint64_t left = record.payload_len; left > 0 && f->len < f->limit && !f->fin &&
                                             !l->conn.closing && quic_world.sent < SENT_MAX;) {
        size_t len = left < sizeof(filler) ? (size_t)left : sizeof(filler), before = f->len;
        lane_say(e, l, f, filler, len, false);
        left -= f->len - before;
        if (f->len == before) {
            break;
        }
    }
}

static inline void lane_any(struct endpoint *e, struct link *l, struct reader *in)
{
    struct flow *f = &l->conn.theirs[fuzz_below(in, CONN_THEIRS)];
    const uint8_t *raw;
    size_t len;

    switch (fuzz_below(in, 8)) {
    case 0:
    case 1: header_say(e, l, f, in); break;
    case 2:
    case 3:
    case 4: record_say(e, l, f, in); break;
    case 5: lane_say(e, l, f, NULL, 0, true); break;
    case 6:
        raw = fuzz_bytes(in, 64, &len);
        lane_say(e, l, f, raw, len, false);
        break;
    default:
        if (f->open && !f->closed && !f->fin && !f->reset) {
            f->reset = true;
            e->on.stream_reset(e->context, &l->conn, f->id, f->user, STREAM_GONE);
        } else if (f->open && !f->closed) {
            f->closed = true;
            e->on.stream_closed(e->context, &l->conn, f->id, f->user);
        }
    }
}

#endif
