/* fuzz: a peer (lib/peer) whose connection says anything: control frames and lanes that are
 * correct, almost correct or noise, in any order, while we send, take, adopt and wait. The
 * connection is that of doubles/fuzz_conn.h, which knows what QUIC promises. doubles/fuzz_router.h
 * compares what the peer room delivers with the bytes that went in. */
#include "doubles/fuzz_world.h"
#include "peer/limits.h"
#include "wire/limits.h"

/* Sends DRAINED for our lanes, also for some that are not drained. */
static void drained_say(struct world *w, struct reader *in)
{
    uint8_t body[128];
    struct writer b = writer_on(body, sizeof(body));

    for (size_t n = fuzz_below(in, 8); n > 0; n--) {
        writer_varint(&b, fuzz_below(in, CONN_OURS));
    }
    frame_say(w, FRAME_DRAINED, false, body, writer_len(&b));
}

static void control_step(struct world *w, struct reader *in)
{
    size_t order = fuzz_below(in, 8), len;
    const uint8_t *body;

    switch (order) {
    case 0:
        body = fuzz_bytes(in, 255, &len);
        control_say(w, body, len, false);
        break;
    case 1:
    case 2: {
        size_t type = fuzz_below(in, 32);
        body = fuzz_bytes(in, 63, &len);
        frame_say(w, type >> 1, type & 1, body, len);
        break;
    }
    case 3: hello_say(w, fuzz_below(in, 2)); break;
    case 4: frame_say(w, FRAME_ADOPT, false, NULL, 0); break;
    case 5: drained_say(w, in); break;
    case 6: frame_say(w, FRAME_PING, false, filler, 8 + fuzz_below(in, 4)); break;
    case 7:
        if (fuzz_below(in, 8) != 0 || w->conn.closing || !w->conn.control.open) {
            break;
        }
        if (fuzz_below(in, 2)) {
            control_say(w, NULL, 0, true);
        } else {
            w->conn.control.reset = true;
            w->on.stream_reset(w, &w->conn, w->conn.control.id, NULL, 1);
        }
        break;
    }
}

/* ---- their lanes ----------------------------------------------------------------------------- */

static void header_say(struct world *w, struct flow *f, struct reader *in)
{
    uint8_t bytes[LIMIT_LANE_HEADER];
    size_t how = fuzz_below(in, 256);
    uint64_t ordinal = (uint64_t)f->id >> 2;
    bool unordered = (how & 7) == 7;
    struct lane_header header = {
        .type = unordered ? LANE_UNORDERED : LANE_ORDERED,
        .after = unordered || !(how & 8) ? 0 : fuzz_below(in, ordinal + 2),
        .from = how >> 4 & 3,
        .to = { TARGET_PID, 1 + (how >> 6), 1, NULL, 0 },
    };

    if ((how & 7) == 6) {
        header.to = (struct target){ TARGET_NAME, 0, 0, "bank", 4 };
    }
    ssize_t len = lane_header_encode(bytes, sizeof(bytes), &header);
    must(len > 0);
    lane_say(w, f, bytes, (size_t)len, false);
}

/* Sends a record's head. `fill` then says how many payload bytes are still to be sent. */
static void record_say(struct world *w, struct flow *f, struct reader *in)
{
    uint8_t head[RECORD_HEAD_MAX];
    size_t how = fuzz_below(in, 256), size = fuzz_below(in, 256);
    struct record record = { .kind = (uint8_t)(how & 15),
                             .skip = how & 16,
                             .has_receipt = how & 32,
                             .has_ref = how & 64,
                             .ref = size,
                             .receipt = how,
                             .payload_len = size };

    if (how & 128) { /* large: it may need a grant */
        record.payload_len = size << (4 + (how & 7));
        record.kind = RECORD_SEND;
        record.has_ref = false;
    }
    lane_say(w, f, head, record_head_encode(head, &record), false);
    f->fill = record.payload_len;
}

static void lane_reset(struct world *w, struct flow *f)
{
    if (f->open && !f->fin && !f->reset && !w->conn.closing) {
        f->reset = true;
        w->on.stream_reset(w, &w->conn, f->id, f->user, STREAM_GONE);
    }
}

static void lane_step(struct world *w, struct reader *in)
{
    struct flow *f = &w->conn.theirs[fuzz_below(in, CONN_THEIRS)];
    const uint8_t *data;
    size_t len;

    switch (fuzz_below(in, 8)) {
    case 0:
        data = fuzz_bytes(in, 64, &len);
        lane_say(w, f, data, len, false);
        break;
    case 1: header_say(w, f, in); break;
    case 2:
    case 3:
        record_say(w, f, in);
        fill_say(w, f, fuzz_below(in, 4) * 100);
        break;
    case 4: fill_say(w, f, (size_t)4 << fuzz_below(in, 18)); break;
    case 5: lane_say(w, f, NULL, 0, true); break;
    case 6: lane_reset(w, f); break;
    case 7:
        if (f->open && (f->fin || f->reset) && !f->closed && !w->conn.closing) {
            f->closed = true; /* the lane may still wait for room */
            w->on.stream_closed(w, &w->conn, f->id, f->user);
        }
        break;
    }
}

/* ---- what we send, and what becomes of it ---------------------------------------------------- */

static void send_step(struct world *w, struct reader *in)
{
    static const uint8_t kinds[] = { RECORD_SEND,   RECORD_CALL,      RECORD_REPLY, RECORD_EXIT,
                                     RECORD_UNLINK, RECORD_LINK_EXIT, RECORD_SEND,  RECORD_SEND };
    size_t how = fuzz_below(in, 256);
    uint8_t kind = kinds[how & 7];
    struct parcel parcel = {
        .from = 1 + (how >> 3 & 3),
        .to = { TARGET_PID, 1 + (how >> 5 & 1), 1, NULL, 0 },
        .kind = kind,
        .unordered = kind == RECORD_SEND && (how & 7) == 7,
        .has_ref = record_has_ref(kind) || (kind == RECORD_EXIT && (how & 32)),
        .ref = how,
        .has_receipt = how & 64,
        .receipt = how,
        .data = filler,
        .len = fuzz_below(in, kind >= RECORD_EXIT ? 1024 : FILLER),
    };

    if (how & 128) {
        parcel.to = (struct target){ TARGET_GLOBAL, 0, 0, "bank", 4 };
    }
    int rc = peer_send(w->p, &parcel, w->now_ns);
    must(rc == 0 || rc == RUSM_BUSY || rc == RUSM_ETOOLARGE || rc == RUSM_ENOCONN);
    must(rc != RUSM_BUSY || kind < RECORD_EXIT); /* signals always find room */
}

static void ours_step(struct world *w, struct reader *in)
{
    struct conn *c = &w->conn;
    size_t at = fuzz_below(in, CONN_OURS + 1), order = fuzz_below(in, 8);
    struct flow *f = at < c->ours_count ? &c->ours[at] : &c->control;

    if (!f->open || f->closed || c->closing) {
        return;
    }
    if (order < 4) {
        size_t len = order == 0 ? f->len - f->acked : (f->len - f->acked + 1) / 2;
        f->acked += len;
        if (len > 0) {
            w->on.stream_acked(w, c, f->id, f->user, len);
        }
    } else if (order == 4) {
        w->on.stream_writable(w, c, f->id, f->user);
    } else if (order == 5 && !f->stopped && (f != &c->control || fuzz_below(in, 8) == 0)) {
        f->stopped = f->reset = true;
        w->on.stream_stopped(w, c, f->id, f->user, fuzz_below(in, 7));
    } else if (order == 6 && f != &c->control && (f->reset || (f->fin && f->acked == f->len))) {
        f->closed = true;
        w->on.stream_closed(w, c, f->id, f->user);
        f->user = NULL;
    } else if (order == 7 && c->ours_max < CONN_OURS) {
        c->ours_max += fuzz_below(in, CONN_OURS - c->ours_max + 1);
        w->on.streams_available(w, c);
    }
}

/* ---- our own ticks --------------------------------------------------------------------------- */

static void own_step(struct world *w, struct reader *in)
{
    struct box *b = &w->router.box[fuzz_below(in, ROUTER_BOXES)];
    size_t len;

    switch (fuzz_below(in, 10)) {
    case 0:
    case 1:
        w->now_ns += (uint64_t)fuzz_below(in, 256) << 20;
        peer_run(w->p, w->now_ns);
        break;
    case 2:
        w->now_ns += (uint64_t)fuzz_below(in, 40) * 1000000000;
        peer_tick(w->p, w->now_ns);
        break;
    case 3:
    case 4:
        for (size_t n = 1 + fuzz_below(in, 4); n > 0; n--) {
            box_take(&w->router, b);
        }
        break;
    case 5:
        b->max = fuzz_below(in, 4);
        box_resume(&w->router, b);
        break;
    case 6:
        if (peer_has_hello(w->p) && !w->conn.closing) {
            peer_adopt(w->p);
        }
        break;
    case 7: {
        const uint8_t *body = fuzz_bytes(in, 32, &len);
        int rc = peer_send_frame(w->p, FRAME_REQUEST, false, body, len);
        must(rc == 0 || rc == RUSM_ECLOSED || rc == RUSM_ELIMIT);
        break;
    }
    case 8:
        if (fuzz_below(in, 8) == 0) {
            peer_finish(w->p);
        }
        break;
    case 9:
        if (fuzz_below(in, 16) == 0 && !w->conn.closing) {
            /* Their second bidirectional stream. */
            w->on.stream_opened(w, &w->conn, w->conn.dialled ? 1 : 4);
            must(w->conn.closing && w->conn.code == CLOSE_MALFORMED);
        }
        break;
    }
}

static void step(struct world *w, struct reader *in)
{
    size_t order = fuzz_below(in, 16);

    if (order < 3) {
        control_step(w, in);
    } else if (order < 9) {
        lane_step(w, in);
    } else if (order < 11) {
        send_step(w, in);
    } else if (order < 12) {
        size_t how = fuzz_below(in, 8);
        for (int n = 0; n < 32 && pull(w, how); n++) {}
    } else if (order < 13) {
        ours_step(w, in);
    } else {
        own_step(w, in);
    }
}

/* ---- a run ----------------------------------------------------------------------------------- */

static struct world *world_new(uint8_t how)
{
    struct world *w = calloc(1, sizeof(*w));

    must(w);
    w->now_ns = UINT64_C(1000000000000);
    lane_budget_init(&w->budget, 1);
    lane_pools_init(&w->pools);
    w->conn.dialled = how & 1;
    w->conn.ours_max = how & 2 ? 2 : 40;
    for (size_t i = 0; i < CONN_THEIRS; i++) {
        w->conn.theirs[i].id = (int64_t)i << 2 | 2 | (w->conn.dialled ? 1 : 0);
    }
    w->router.conn = &w->conn;
    w->router.adopt = how & 4;
    w->router.verdict = (how & 0x78) == 0x78 ? CLOSE_DUPLICATE : CLOSE_NONE;
    for (size_t i = 0; i < ROUTER_BOXES; i++) {
        struct box *b = &w->router.box[i];
        b->last = &b->first;
        b->max = i;
        list_init(&b->held);
        list_init(&b->asking);
    }
    struct peer_options options = { .conn = &w->conn,
                                    .events = &router_events,
                                    .context = &w->router,
                                    .hello = { .version = CONTROL_VERSION,
                                               .role = how & 8 ? HELLO_CLIENT : HELLO_NODE,
                                               .incarnation = 3,
                                               .max_message = RUSM_MESSAGE_MAX,
                                               .name = "london",
                                               .name_len = 6,
                                               .advertise = "" },
                                    .budget = &w->budget,
                                    .pools = &w->pools,
                                    .seed = 1,
                                    .now_ns = w->now_ns };
    peer_fill_events(&w->on);
    must(peer_new(&w->p, &options) == 0);
    w->router.peer = w->p;
    if (how & 128) {
        hello_say(w, how & 16);
        if (!w->conn.closing && how & 32) {
            frame_say(w, FRAME_ADOPT, false, NULL, 0);
        }
    }
    return w;
}

/* Ends the peer. Checks that no route and no budget of windows is left, and that the peer got back
 * one stream for each lane that is gone. */
static void world_end(struct world *w, bool settle)
{
    struct peer_counters counters;
    size_t gone = 0;

    if (settle) {
        world_settle(w);
    }
    peer_counters(w->p, &counters);
    for (size_t i = 0; i < CONN_THEIRS; i++) {
        gone += w->conn.theirs[i].gone;
    }
    must(w->conn.streams_given == gone && counters.lanes_in <= CONN_THEIRS);
    /* Some letters are taken before the connection ends, some after. */
    box_take(&w->router, &w->router.box[1]);
    w->router.ready = false; /* nothing more is delivered */
    peer_free(w->p);
    w->router.peer = NULL;
    must(w->router.lanes == 0 && w->budget.windows_left == LIMIT_WINDOW_BUDGET);
    for (size_t i = 0; i < ROUTER_BOXES; i++) {
        while (w->router.box[i].first) {
            box_take(&w->router, &w->router.box[i]);
        }
    }
    for (size_t i = 0; i < CONN_THEIRS; i++) {
        free(w->conn.theirs[i].bytes);
    }
    for (size_t i = 0; i < CONN_OURS; i++) {
        free(w->conn.ours[i].bytes);
    }
    free(w->conn.control.bytes);
    lane_pools_fini(&w->pools);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader in = reader_on(data, len);
    struct world *w = world_new(reader_u8(&in));

    while (reader_left(&in) > 0) {
        step(w, &in);
    }
    world_end(w, len % 2); /* otherwise it ends in the middle */
    return 0;
}
