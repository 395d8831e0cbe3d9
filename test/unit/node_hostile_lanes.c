/* node: hostile lanes from a peer that has the certificate. See node_hostile.c. Inputs and
 * outcomes: rusm-protocol(7), HOSTILE INPUT. */
#include "doubles/foe.h"
#include "peer/limits.h"
#include "wire/limits.h"

#define BODY(bytes) (const uint8_t *)("" bytes), sizeof(bytes) - 1
#define OPEN (-1)

/* The header of an ordered lane to "echo" that has no sending process. */
#define TO_ECHO                \
    "\x00\x08\x00\x00\x01\x04" \
    "echo"

/* The same header, from process 5. */
#define TO_ECHO_FROM           \
    "\x00\x08\x00\x05\x01\x04" \
    "echo"

struct lane_case {
    const char *what;
    const uint8_t *bytes;
    size_t len;
    bool fin;
    int outcome; /* enum close_code or OPEN */
};

static void try(const struct victim *v, const struct lane_case *l)
{
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    foe_send(&f, foe_open_lane(&f), l->bytes, l->len, l->fin);
    if (l->outcome == OPEN) {
        foe_open(&f, l->what);
    } else {
        foe_closed(&f, (enum close_code)l->outcome, l->what);
    }
    foe_stop(&f);
}

static void test_header(void **state)
{
    static const struct lane_case list[] = {
        { "type 2",
          BODY("\x02\x08\0\0\x01\x04"
               "echo"),
          false, CLOSE_MALFORMED },
        { "type 2^62 - 1", BODY("\xff\xff\xff\xff\xff\xff\xff\xff"), false, CLOSE_MALFORMED },
        { "513 bytes", BODY("\0\x42\x01"), false, CLOSE_MALFORMED },
        { "2^62 - 1 bytes", BODY("\0\xff\xff\xff\xff\xff\xff\xff\xff"), false, CLOSE_MALFORMED },
        { "0 bytes", BODY("\0\0"), false, CLOSE_MALFORMED },
        { "no target", BODY("\0\x02\0\0"), false, CLOSE_MALFORMED },
        { "target kind 3",
          BODY("\0\x08\0\0\x03\x04"
               "echo"),
          false, CLOSE_MALFORMED },
        { "pid 0", BODY("\0\x08\0\0\0\0\0\0\0\x01"), false, CLOSE_MALFORMED },
        { "incarnation 0", BODY("\0\x08\0\0\0\x01\0\0\0\0"), false, CLOSE_MALFORMED },
        { "no name", BODY("\0\x04\0\0\x01\0"), false, CLOSE_MALFORMED },
        { "a bad name",
          BODY("\0\x08\0\0\x01\x04"
               "e ho"),
          false, CLOSE_MALFORMED },
        { "a name beyond the header",
          BODY("\0\x08\0\0\x01\x05"
               "echo"),
          false, CLOSE_MALFORMED },
        { "after itself",
          BODY("\0\x08\x01\0\x01\x04"
               "echo"),
          false, CLOSE_MALFORMED },
        { "after a later one",
          BODY("\0\x0b\x80\0\x40\0\0\x01\x04"
               "echo"),
          false, CLOSE_MALFORMED },
        { "more than is known of",
          BODY("\0\x0b\0\0\x01\x04"
               "echonew"),
          false, OPEN },
        { "cut by FIN", BODY("\0\x08\0"), true, CLOSE_MALFORMED },
        { "FIN alone", BODY(""), true, CLOSE_MALFORMED },
        { "held", BODY("\0\x08\0"), false, OPEN },
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        try(*state, &list[i]);
    }
    victim_alive(*state);
}

static void test_record(void **state)
{
    static const struct lane_case list[] = {
        { "kind 11", BODY(TO_ECHO "\x02\x0bx"), false, CLOSE_MALFORMED },
        { "kind 31", BODY(TO_ECHO "\x02\x1fx"), false, CLOSE_MALFORMED },
        { "kind 11, skip", BODY(TO_ECHO "\x02\x8bx"), false, OPEN },
        { "kind 31, skip, with ref and receipt", BODY(TO_ECHO "\x04\xff\x01\x02x"), false, OPEN },
        { "SEND with a ref", BODY(TO_ECHO "\x03\x20\x01x"), false, CLOSE_MALFORMED },
        { "CALL without", BODY(TO_ECHO "\x02\x01x"), false, CLOSE_MALFORMED },
        { "DOWN without", BODY(TO_ECHO "\x01\x08"), false, CLOSE_MALFORMED },
        { "MONITOR without", BODY(TO_ECHO "\x01\x06"), false, CLOSE_MALFORMED },
        { "a ref longer than the body", BODY(TO_ECHO "\x02\x21\x40\x01"), false, CLOSE_MALFORMED },
        { "a receipt longer than the body", BODY(TO_ECHO "\x01\x40\x01"), false, CLOSE_MALFORMED },
        { "a record of nothing", BODY(TO_ECHO "\0"), false, CLOSE_MALFORMED },
        { "a signal of 1,025 bytes", BODY(TO_ECHO "\x44\x02\x03"), false, CLOSE_MALFORMED },
        { "cut in the head", BODY(TO_ECHO "\x40"), true, CLOSE_MALFORMED },
        { "cut in the payload", BODY(TO_ECHO "\x06\0x"), true, CLOSE_MALFORMED },
        { "cut in a large payload", BODY(TO_ECHO "\x80\x01\0\0\0x"), true, CLOSE_MALFORMED },
        { "cut in what is skipped", BODY(TO_ECHO "\x06\x8bx"), true, CLOSE_MALFORMED },
        { "held in the head", BODY(TO_ECHO "\x40"), false, OPEN },
        { "held in the payload", BODY(TO_ECHO "\x06\0x"), false, OPEN },
        { "whole, then FIN", BODY(TO_ECHO "\x02\0x"), true, OPEN },
        { "LINK", BODY(TO_ECHO_FROM "\x01\x04"), false, OPEN },
        { "UNLINK", BODY(TO_ECHO_FROM "\x02\x25\x01"), false, OPEN },
        { "CALL from nobody", BODY(TO_ECHO "\x02\x21\x01"), false, CLOSE_MALFORMED },
        { "LINK from nobody", BODY(TO_ECHO "\x01\x04"), false, CLOSE_MALFORMED },
        { "UNLINK from nobody", BODY(TO_ECHO "\x02\x25\x01"), false, CLOSE_MALFORMED },
        { "MONITOR from nobody", BODY(TO_ECHO "\x02\x26\x01"), false, CLOSE_MALFORMED },
        { "DOWN of no monitor", BODY(TO_ECHO "\x02\x28\x01"), false, OPEN },
        { "LINK_EXIT of no link", BODY(TO_ECHO_FROM "\x01\x09"), false, OPEN },
        { "UNLINKED of none", BODY(TO_ECHO_FROM "\x02\x2a\x01"), false, OPEN },
        { "REPLY to no call", BODY(TO_ECHO "\x02\x22\x01"), false, OPEN },
        { "DEMONITOR of none", BODY(TO_ECHO "\x02\x27\x01"), false, OPEN },
        { "unordered, two",
          BODY("\x01\x08\0\0\x01\x04"
               "echo\x02\0x\x02\0x"),
          false, CLOSE_MALFORMED },
        { "unordered, half of a second",
          BODY("\x01\x08\0\0\x01\x04"
               "echo\x02\0x\x02"),
          true, CLOSE_MALFORMED },
        { "unordered, none",
          BODY("\x01\x08\0\0\x01\x04"
               "echo"),
          true, OPEN },
    };
    struct victim *v = *state;

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        try(v, &list[i]);
    }
    assert_int_equal(victim_counter(v, "undelivered_malformed"), 0);
    victim_alive(v);
}

/* The node stops only the lane, not the connection. */
static void test_too_large(void **state)
{
    static const struct lane_case list[] = {
        { "LIMIT_RECORD and one", BODY(TO_ECHO "\x84\0\0\x41\0"), false, OPEN },
        { "the largest message and one", BODY(TO_ECHO "\x84\0\0\x02\0"), false, OPEN },
        { "2^62 - 1", BODY(TO_ECHO "\xff\xff\xff\xff\xff\xff\xff\xff\0"), false, OPEN },
    };
    struct victim *v = *state;
    struct foe f;

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        foe_start(&f, v, HELLO_NODE);
        foe_send(&f, foe_open_lane(&f), list[i].bytes, list[i].len, false);
        foe_until(&f, f.stops > 0 || f.ended);
        foe_open(&f, list[i].what);
        assert_int_equal(f.stop_code, STREAM_TOO_LARGE);
        foe_stop(&f);
    }
    victim_counts(v, "undelivered_too_large", 3);
    victim_alive(v);
}

static void test_resets(void **state)
{
    static const struct lane_case list[] = {
        { "in the header", BODY("\0\x08\0"), false, OPEN },
        { "in the head", BODY(TO_ECHO "\x40"), false, OPEN },
        { "in the payload", BODY(TO_ECHO "\x06\0x"), false, OPEN },
        { "in a large payload", BODY(TO_ECHO "\x81\0\0\0\0x"), false, OPEN },
        { "in what is skipped", BODY(TO_ECHO "\x06\x8bx"), false, OPEN },
        { "after a record", BODY(TO_ECHO "\x02\0x"), false, OPEN },
    };
    struct victim *v = *state;
    struct foe f;

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        foe_start(&f, v, HELLO_NODE);
        int64_t stream = foe_open_lane(&f);
        foe_send(&f, stream, list[i].bytes, list[i].len, false);
        foe_open(&f, list[i].what);
        conn_reset(f.c, stream, 77);
        foe_open(&f, list[i].what);
        foe_stop(&f);
    }
    victim_counts(v, "undelivered_noconnection", 6);
    victim_alive(v);
}

/* Sends "x" to "sink" on a lane of its own. The lane comes after the lane with the ordinal `after`
 * - 1. 0: after none. */
static void send_after(struct foe *f, uint64_t after, bool fin)
{
    uint8_t bytes[64];
    const struct lane_header header = {
        .after = after, .from = 5, .to = { .kind = TARGET_NAME, .name = "sink", .name_len = 4 }
    };
    size_t len = (size_t)lane_header_encode(bytes, sizeof(bytes), &header);

    memcpy(bytes + len, "\x02\0x", 3);
    foe_send(f, foe_open_lane(f), bytes, len + 3, fin);
}

static void test_successors(void **state)
{
    struct victim *v = *state;
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    send_after(&f, 0, false);
    send_after(&f, 1, false);
    foe_open(&f, "one successor");
    send_after(&f, 1, false);
    foe_closed(&f, CLOSE_MALFORMED, "two successors");
    foe_stop(&f);

    /* A long chain whose first lane does not end. Only the pair waits. */
    foe_start(&f, v, HELLO_NODE);
    uint64_t before = victim_counter(v, "messages_handled");
    for (uint64_t i = 0; i < 1000; i++) {
        send_after(&f, i, i > 0);
    }
    foe_open(&f, "a chain");
    victim_counts(v, "messages_handled", before + 1);
    foe_send(&f, 2, "", 0, true); /* the first lane that the foe opened */
    foe_open(&f, "a chain's first link");
    victim_counts(v, "messages_handled", before + 1000);
    foe_stop(&f);
    victim_alive(v);
}

/* Lanes 0 to 16382 are skipped and never come. */
static void test_last_lane_first(void **state)
{
    struct victim *v = *state;
    int64_t stream = 0;
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    for (uint64_t i = 0; i < LIMIT_LANES; i++) {
        stream = foe_open_lane(&f);
    }
    foe_send(&f, stream, BODY(TO_ECHO "\x02\0x"), true);
    assert_int_equal(conn_open_uni(f.c, &stream, &f), RUSM_BUSY);
    foe_open(&f, "the last lane first");
    foe_stop(&f);
    victim_alive(v);
}

static void test_nobody(void **state)
{
    struct victim *v = *state;
    const size_t count = 100000;
    struct foe f;

    foe_start(&f, v, HELLO_CLIENT);
    int64_t stream = foe_open_lane(&f);
    foe_send(&f, stream, BODY("\0\x0a\0\0\x01\x06nobody"), false);
    uint8_t *bytes = foe_queue(&f, stream, NULL, count * 3, false);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + 3 * i, "\x02\0x", 3);
    }
    /* The same with a large record, of which the node keeps nothing. */
    stream = foe_open_lane(&f);
    foe_send(&f, stream, BODY("\0\x0a\0\0\x01\x06nobody\x84\0\0\0\0"), false);
    foe_until(&f, f.waiting == 0 || f.ended);
    foe_open(&f, "records to nobody");
    victim_counts(v, "undelivered_noproc", count + 1);
    foe_stop(&f);
    victim_alive(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(test_header), VICTIM_TEST(test_record),     VICTIM_TEST(test_too_large),
        VICTIM_TEST(test_resets), VICTIM_TEST(test_successors), VICTIM_TEST(test_last_lane_first),
        VICTIM_TEST(test_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
