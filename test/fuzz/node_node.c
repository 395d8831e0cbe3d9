/* fuzz: a node (lib/node, and all rooms that it is made of except quic). Its peers and clients have
 * the certificate and say anything: correct, almost correct or noise, in any order, while the node
 * dials, loses connections and leaves. Whatever they say, a client that asks afterwards gets its
 * answer. doubles/fuzz_quic.h has the connections, doubles/fuzz_say.h the words. */
#include "doubles/fuzz_say.h"
#include "node/node.h"

#define TICKS 8 /* within which the client must have its answer */

static char folder[SCRATCH_MAX];
static struct rusm_node *node;
static size_t ticks_left;

/* ---- a run ----------------------------------------------------------------------------------- */

static void link_any(struct endpoint *e, struct link *l, struct reader *in)
{
    size_t order = fuzz_below(in, 16);
    const uint8_t *raw;
    size_t len;

    if (!l->ready) {
        if (order == 0) {
            link_end(e, l, (enum conn_end_kind)(1 + fuzz_below(in, 7)));
        } else {
            link_ready(e, l);
        }
    } else if (l->greeted ? order == 0 : order < 14) { /* mostly first, and mostly once */
        hello_say(e, l, in);
    } else if (order < 3) {
        request_say(e, l, in);
    } else if (order < 7) {
        frame_any(e, l, in);
    } else if (order < 12) {
        lane_any(e, l, in);
    } else if (order < 14) {
        link_ack(e, l);
    } else if (order == 14) {
        raw = fuzz_bytes(in, 128, &len);
        control_say(e, l, raw, len);
    } else if (fuzz_below(in, 4) == 0) {
        link_end(e, l, (enum conn_end_kind)(1 + fuzz_below(in, 7)));
    }
}

/* A well-behaved client asks for a table when the input is over. It must soon have its answer. */
static void witness_ask(struct endpoint *e, struct link *l)
{
    uint8_t body[256];
    struct hello hello = { .version = CONTROL_VERSION,
                           .role = HELLO_CLIENT,
                           .incarnation = 9,
                           .max_message = 1,
                           .name = "",
                           .advertise = "" };
    struct writer w = writer_on(body, sizeof(body));

    link_new(l, false);
    link_ready(e, l);
    ssize_t len = hello_encode(body, sizeof(body), &hello);
    must(len > 0);
    frame_say(e, l, FRAME_HELLO, body, (size_t)len);
    request_write(&w, &(struct request){ .id = 1, .timeout_ms = 100, .op = OP_TABLE });
    writer_varint(&w, RUSM_TABLE_COUNTERS);
    frame_say(e, l, FRAME_REQUEST, body, writer_len(&w));
    must(!l->conn.closing || node->leaving);
}

static bool witness_answered(const struct link *l)
{
    const struct flow *f = &l->conn.control;
    struct frame frame;
    struct reply reply;
    ssize_t n;

    for (size_t at = 0; (n = frame_decode(f->bytes + at, f->len - at, &frame)) > 0;
         at += (size_t)n) {
        if (frame.type == FRAME_REPLY) {
            must(reply_decode(frame.body, frame.len, &reply) == 0);
            must(reply.id == 1 && reply.status == 0);
            if (!(reply.flags & REPLY_MORE)) {
                return true;
            }
        }
    }
    return false;
}

/* The input is used up. Runs some more ticks, then stops the node again and again until it has
 * left. */
static void world_end(struct endpoint *e)
{
    struct link *witness = &e->links[LINKS];

    if (ticks_left == TICKS && !node->leaving) {
        witness_ask(e, witness);
    }
    if (ticks_left > 0) {
        ticks_left--;
    } else {
        must(node->leaving || witness_answered(witness));
        quic_world.now_ns += LINK_SECOND / 4;
        rusm_node_stop(node);
    }
}

static bool world_step(struct endpoint *e, struct reader *in)
{
    if (reader_left(in) == 0) {
        world_end(e);
        return true;
    }
    for (size_t n = 1 + fuzz_below(in, 4); n > 0 && reader_left(in) > 0; n--) {
        struct link *l = &e->links[fuzz_below(in, LINKS)];
        if (!l->used) {
            link_new(l, false);
        }
        if (!l->conn.closing) {
            link_any(e, l, in);
        }
    }
    quic_world.now_ns += (uint64_t)fuzz_below(in, 16) << 26;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int nowhere = -1;
    static const char *const join = "tokyo@1.2.3.4:5", *const echo_there = "echo@tokyo";
    struct reader in = reader_on(data, len);
    size_t how = fuzz_below(&in, 256);
    struct rusm_node_options options = { .name = "london",
                                         .rundir = folder,
                                         .identity = "cluster.pem",
                                         .join = &join,
                                         .join_count = how & 1,
                                         .mailbox_messages = 4,
                                         .log_level = RUSM_LOG_DEBUG };
    const struct rusm_boot boots[] = {
        { .name = "echo", .spawnable = "echo" },
        { .name = "bank", .spawnable = "greeter", .global = true },
        { .name = "relay", .spawnable = "relay", .args = &echo_there, .arg_count = 1 },
    };
    struct rusm_why why;

    if (nowhere < 0) {
        must(scratch_make(folder));
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    options.output_fd = options.log_fd = nowhere;
    quic_world = (struct quic_world){ .in = in, .now_ns = 1000 * LINK_SECOND, .chance = how };
    ticks_left = TICKS;
    must(rusm_node_new(&node, &options, &why) == 0);
    quic_world.incarnation = node->incarnation;
    for (size_t i = 0; i < sizeof(boots) / sizeof(boots[0]); i++) {
        must(rusm_node_boot(node, &boots[i], &why) == 0);
    }
    must(rusm_node_run(node) == 0);
    rusm_node_free(node);
    return 0;
}
