/* node: hostile control frames to a real node from a peer that has the cluster's certificate: what
 * holds for every frame type, and hello. In all these tests, and those of node_hostile_*.c, the
 * node answers a well-behaved client all the time, and its process lives on. Inputs and outcomes:
 * rusm-protocol(7), HOSTILE INPUT. */
#include "doubles/hostile.h"
#include "wire/limits.h"

/* ---- every frame type ---- */

/* A valid body of each type. */
static const struct hostile valid[] = {
    { "HELLO", FRAME_HELLO, BODY("\x01\0\0\0\0\0\x07\x40\x40\x02xy\0"), OPEN },
    { "ADOPT", FRAME_ADOPT, BODY(""), OPEN },
    { "LEAVE", FRAME_LEAVE, BODY(""), OPEN },
    { "RECEIPTS", FRAME_RECEIPTS, BODY("\x01\0\x02\x40\x04"), OPEN },
    { "DRAINED", FRAME_DRAINED, BODY("\x07\x7f\xff"), OPEN },
    { "REQUEST", FRAME_REQUEST, BODY("\x01\0\x05\x03zed"), OPEN },
    { "REPLY", FRAME_REPLY, BODY("\x01\0\0"), OPEN },
    { "CANCEL", FRAME_CANCEL, BODY("\x01"), OPEN },
    { "NODES", FRAME_NODES,
      BODY("\x03yma\0\0\0\x07\x0b"
           "127.0.0.1:9"),
      OPEN },
    { "NAMES", FRAME_NAMES, BODY("\x03\0\x01\0\0\0\0\0\0\0\x07\x03joe"), OPEN },
    { "PING", FRAME_PING, BODY("12345678"), OPEN },
    { "PONG", FRAME_PONG, BODY("12345678"), OPEN },
    { "EXIT", FRAME_EXIT, BODY("\x01\x02\x40\x63\0\0\0\x07\x02no"), OPEN },
};

#define VALID (sizeof(valid) / sizeof(valid[0]))

static void test_before_hello(void **state)
{
    struct victim *v = *state;
    struct foe f;

    for (size_t i = 1; i < VALID; i++) {
        foe_dial(&f, v, &(struct foe_options){ .name = "zed" });
        foe_frame(&f, valid[i].type, false, valid[i].body, valid[i].len);
        foe_closed(&f, CLOSE_MALFORMED, valid[i].what);
        foe_stop(&f);
    }
    victim_alive(v);
}

static void test_oversized(void **state)
{
    struct victim *v = *state;
    struct foe f;

    for (size_t i = 0; i < VALID; i++) {
        uint8_t head[16];
        size_t len = varint_encode(head, valid[i].type << 1 | 1);
        len += varint_encode(head + len, LIMIT_FRAME + 1);
        foe_start(&f, v, HELLO_NODE);
        foe_send(&f, f.control, head, len, false);
        foe_closed(&f, CLOSE_MALFORMED, valid[i].what);
        foe_stop(&f);
    }
    victim_alive(v);
}

/* The frame's length is right, but some of its fields are missing. Lists may end between two
 * entries. CANCEL, LEAVE, ADOPT and PONG mean the same without what follows. */
static void test_truncated(void **state)
{
    struct victim *v = *state;

    for (size_t i = 1; i < VALID; i++) {
        for (size_t len = 0; len < valid[i].len; len++) {
            struct hostile h = valid[i];
            bool list_end = (h.type == FRAME_RECEIPTS && (len == 0 || len == 2)) ||
                            (h.type == FRAME_DRAINED && len < 2) ||
                            (h.type == FRAME_NODES && len == 0) ||
                            (h.type == FRAME_NAMES && len == 1);
            bool ignored = h.type == FRAME_CANCEL || h.type == FRAME_PONG;
            h.len = len;
            h.outcome = list_end || ignored ? OPEN : CLOSE_MALFORMED;
            try(v, HELLO_NODE, false, &h);
        }
        try(v, HELLO_NODE, false,
            &(struct hostile){ .what = valid[i].what,
                               .type = valid[i].type,
                               .body = valid[i].body,
                               .len = valid[i].len,
                               .outcome = OPEN });
    }
    victim_alive(v);
}

static void test_unknown(void **state)
{
    struct victim *v = *state;

    for (uint64_t type = FRAME_TYPES; type < (UINT64_C(1) << 61); type = type * 64 + 1) {
        struct hostile h = { "unknown", type, BODY("whatever"), CLOSE_MALFORMED };
        try(v, HELLO_NODE, false, &h);
        h.outcome = OPEN;
        try(v, HELLO_NODE, true, &h);
        try(v, HELLO_CLIENT, true, &h);
    }
    victim_alive(v);
}

static void test_from_client(void **state)
{
    struct victim *v = *state;
    const enum frame_type closes[] = { FRAME_HELLO, FRAME_ADOPT, FRAME_LEAVE, FRAME_REPLY,
                                       FRAME_NODES, FRAME_NAMES, FRAME_PONG,  FRAME_EXIT };

    for (size_t i = 0; i < sizeof(closes) / sizeof(closes[0]); i++) {
        struct hostile h = valid[closes[i]];
        h.outcome = CLOSE_MALFORMED;
        try(v, HELLO_CLIENT, true, &h);
    }
    const enum frame_type stays[] = { FRAME_RECEIPTS, FRAME_DRAINED, FRAME_REQUEST, FRAME_CANCEL,
                                      FRAME_PING };
    for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++) {
        try(v, HELLO_CLIENT, false, &valid[stays[i]]);
    }
    victim_alive(v);
}

/* "adam" sorts before "london", so adam must adopt the connection. He does not. */
static void test_before_adopt(void **state)
{
    struct victim *v = *state;
    const struct foe_options adam = { .name = "adam" };
    struct frame frame;
    struct foe f;

    for (size_t i = 1; i < VALID; i++) {
        bool closes = valid[i].type == FRAME_LEAVE || valid[i].type == FRAME_REPLY ||
                      valid[i].type == FRAME_NODES || valid[i].type == FRAME_NAMES ||
                      valid[i].type == FRAME_EXIT || valid[i].type == FRAME_REQUEST ||
                      valid[i].type == FRAME_CANCEL;
        foe_dial(&f, v, &adam);
        const struct hello hello = foe_hello_of(&f);
        foe_say_hello(&f, &hello);
        foe_await(&f, FRAME_HELLO, &frame);
        foe_frame(&f, valid[i].type, true, valid[i].body, valid[i].len);
        if (closes) {
            foe_closed(&f, CLOSE_MALFORMED, valid[i].what);
        } else {
            foe_open(&f, valid[i].what);
        }
        foe_stop(&f);
    }
    victim_alive(v);
}

/* ---- hello ---- */

static void hello_closes(const struct victim *v, const struct hello *hello, enum close_code code,
                         const char *what)
{
    uint8_t body[1024];
    ssize_t len = hello_encode(body, sizeof(body), hello);
    struct foe f;

    assert_true(len > 0);
    foe_dial(&f, v, &(struct foe_options){ .name = "zed" });
    foe_frame(&f, FRAME_HELLO, false, body, (size_t)len);
    foe_closed(&f, code, what);
    foe_stop(&f);
}

static void test_hello(void **state)
{
    struct victim *v = *state;
    const struct foe never_dialled = { .options = { .name = "zed" } };
    const struct hello good = foe_hello_of(&never_dialled);
    static const char *const names[] = { "", ".zed", "z d", "z/d", "z@d", "z\nd", "\xc3\xa9" };
    static const char *const addresses[] = { "nowhere", "host:", "host:99999", ":1", "a b:1" };
    char longest[65];
    struct hello h;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        h = good;
        h.name = names[i];
        h.name_len = strlen(names[i]);
        hello_closes(v, &h, CLOSE_MALFORMED, names[i]);
    }
    memset(longest, 'z', sizeof(longest));
    h = good;
    h.name = longest;
    h.name_len = RUSM_NODE_NAME_MAX + 1;
    hello_closes(v, &h, CLOSE_MALFORMED, "a name of 64 bytes");
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        h = good;
        h.advertise = addresses[i];
        h.advertise_len = strlen(addresses[i]);
        hello_closes(v, &h, CLOSE_MALFORMED, addresses[i]);
    }
    h = good;
    h.incarnation = 0;
    hello_closes(v, &h, CLOSE_MALFORMED, "incarnation 0");
    h = good;
    h.role = (enum hello_role)2;
    hello_closes(v, &h, CLOSE_MALFORMED, "role 2");
    h = good;
    h.version = 0;
    hello_closes(v, &h, CLOSE_VERSION, "version 0");
    h.version = VARINT_MAX;
    h.name_len = 0;
    hello_closes(v, &h, CLOSE_VERSION, "a version to come");
    victim_alive(v);
}

static void test_hello_cut(void **state)
{
    struct victim *v = *state;
    struct foe f;

    for (size_t len = 0; len < valid[0].len; len++) {
        foe_dial(&f, v, &(struct foe_options){ .name = "zed" });
        foe_frame(&f, FRAME_HELLO, false, valid[0].body, len);
        foe_closed(&f, CLOSE_MALFORMED, "a cut hello");
        foe_stop(&f);
    }
    victim_alive(v);
}

static void test_hello_twice(void **state)
{
    struct victim *v = *state;
    struct hostile h = valid[FRAME_HELLO];

    h.outcome = CLOSE_MALFORMED;
    try(v, HELLO_NODE, false, &h);
    try(v, HELLO_CLIENT, false, &h);
    victim_alive(v);
}

/* Each node belongs to one of the two schedulers, and clients to the first. The node closes a
 * connection that comes to the wrong scheduler, whatever it says. */
static void test_hello_share(void **state)
{
    struct victim *v = *state;
    const struct foe_options wrong[] = {
        { .name = "zed", .share = FOE_OTHER },
        { .name = "zoe", .share = FOE_OTHER },
        { .name = "", .role = HELLO_CLIENT, .share = FOE_OTHER },
        /* The one that belongs to the second scheduler, share 1 of 2. */
        { .name = id_node_share("zed", 3) % 2 ? "zed" : "zoe", .share = FOE_STRANGER },
    };
    struct foe f;

    assert_int_not_equal(id_node_share("zed", 3) % 2, id_node_share("zoe", 3) % 2);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        foe_dial(&f, v, &wrong[i]);
        const struct hello hello = foe_hello_of(&f);
        foe_say_hello(&f, &hello);
        foe_closed(&f, CLOSE_WRONG_SHARE, wrong[i].name);
        foe_stop(&f);
    }
    for (size_t i = 0; i < 2; i++) {
        const struct foe_options right = { .name = wrong[i].name };
        foe_start_with(&f, v, &right);
        foe_stop(&f);
    }
    victim_alive(v);
}

/* A peer calls itself what the node is called. Another seems to be the node itself. */
static void test_hello_own_name(void **state)
{
    struct victim *v = *state;
    const struct foe_options o = { .name = "london" };
    struct frame frame;
    struct hello theirs, mine;
    struct foe f;

    foe_start(&f, v, HELLO_CLIENT);
    foe_stop(&f);
    foe_dial(&f, v, &(struct foe_options){ .role = HELLO_CLIENT, .name = "" });
    mine = foe_hello_of(&f);
    foe_say_hello(&f, &mine);
    foe_await(&f, FRAME_HELLO, &frame);
    assert_int_equal(hello_decode(frame.body, frame.len, &theirs), 0);
    foe_stop(&f);

    foe_dial(&f, v, &o);
    mine = foe_hello_of(&f);
    mine.incarnation = theirs.incarnation;
    foe_say_hello(&f, &mine);
    foe_closed(&f, CLOSE_SELF, "our name and incarnation");
    foe_stop(&f);

    foe_dial(&f, v, &o);
    mine.incarnation = theirs.incarnation + 1;
    foe_say_hello(&f, &mine);
    foe_closed(&f, CLOSE_NAME_TAKEN, "our name");
    foe_stop(&f);
    victim_alive(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(test_before_hello),   VICTIM_TEST(test_oversized),
        VICTIM_TEST(test_truncated),      VICTIM_TEST(test_unknown),
        VICTIM_TEST(test_from_client),    VICTIM_TEST(test_before_adopt),
        VICTIM_TEST(test_hello),          VICTIM_TEST(test_hello_cut),
        VICTIM_TEST(test_hello_share),    VICTIM_TEST(test_hello_twice),
        VICTIM_TEST(test_hello_own_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
