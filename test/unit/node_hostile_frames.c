/* node: control frames that no honest peer sends, for each frame type. See node_hostile.c. Inputs
 * and outcomes: rusm-protocol(7), HOSTILE INPUT. */
#include "doubles/hostile.h"

/* ---- each frame type ---- */

static void test_adopt(void **state)
{
    struct victim *v = *state;
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    for (int i = 0; i < 1000; i++) {
        foe_frame(&f, FRAME_ADOPT, false, "noise", 5);
    }
    foe_open(&f, "ADOPT again and again");
    foe_stop(&f);
    victim_alive(v);
}

/* Two peers claim the same name. If `answers`, the first one answers the node's PING and stays, and
 * the node closes the second. Otherwise the node closes the first. */
static void contend(const struct victim *v, const char *name, bool answers, enum close_code code)
{
    const struct foe_options one = { .name = name, .incarnation = 7 };
    const struct foe_options two = { .name = name, .incarnation = 8 };
    uint64_t give_up_ms = victim_ms() + FOE_PATIENCE_MS;
    struct foe first, second;
    struct frame frame;
    bool decided = false;

    foe_dial(&first, v, &one);
    struct hello hello = foe_hello_of(&first);
    foe_say_hello(&first, &hello);
    foe_frame(&first, FRAME_ADOPT, false, "", 0);
    foe_open(&first, "the first");
    foe_dial(&second, v, &two);
    hello = foe_hello_of(&second);
    foe_say_hello(&second, &hello);
    foe_frame(&second, FRAME_ADOPT, false, "", 0);
    while (!decided) {
        assert_true(victim_ms() < give_up_ms);
        foe_tick(&first, 1);
        foe_tick(&second, 1);
        while (foe_next(&first, &frame)) {
            if (answers && frame.type == FRAME_PING) {
                foe_frame(&first, FRAME_PONG, true, frame.body, frame.len);
            }
        }
        decided = first.ended || second.ended;
    }
    if (answers) {
        foe_closed(&second, code, "the impostor");
        foe_open(&first, "the first");
    } else {
        foe_closed(&first, code, "the first");
        foe_open(&second, "the second");
    }
    foe_stop(&first);
    foe_stop(&second);
    victim_alive(v);
}

static void test_impostor(void **state)
{
    contend(*state, "adam", true, CLOSE_NAME_TAKEN);
    contend(*state, "zed", true, CLOSE_MALFORMED);
    contend(*state, "abel", false, CLOSE_REPLACED);
}

static void test_leave(void **state)
{
    struct victim *v = *state;
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    for (int i = 0; i < 1000; i++) {
        foe_frame(&f, FRAME_LEAVE, false, "noise", 5);
    }
    foe_open(&f, "LEAVE, and it does not");
    foe_stop(&f);
    victim_alive(v);
}

static void test_receipts(void **state)
{
    static const struct hostile list[] = {
        { "status 256", FRAME_RECEIPTS, BODY("\x01\x41\0"), CLOSE_MALFORMED },
        { "the largest id and status", FRAME_RECEIPTS,
          BODY("\xff\xff\xff\xff\xff\xff\xff\xff\x40\xff"), OPEN },
    };

    TRY_ALL(*state, HELLO_NODE, list);
}

static void test_drained(void **state)
{
    static const struct hostile list[] = {
        { "a lane that never was", FRAME_DRAINED, BODY("\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0"),
          OPEN },
    };

    TRY_ALL(*state, HELLO_NODE, list);
    TRY_ALL(*state, HELLO_CLIENT, list);
}

static void test_request_malformed(void **state)
{
    static const struct hostile list[] = {
        { "id 0", FRAME_REQUEST, BODY("\0\0\x05\x03zed"), CLOSE_MALFORMED },
        { "spawn: scope 3", FRAME_REQUEST,
          BODY("\x01\0\x01\x03\x04"
               "echo\0\0"),
          CLOSE_MALFORMED },
        { "spawn: no spawnable", FRAME_REQUEST, BODY("\x01\0\x01\0\0\0\0"), CLOSE_MALFORMED },
        { "spawn: a bad name", FRAME_REQUEST,
          BODY("\x01\0\x01\x01\x04"
               "echo\x03"
               "a b\0"),
          CLOSE_MALFORMED },
        { "spawn: 65 arguments", FRAME_REQUEST,
          BODY("\x01\0\x01\0\x04"
               "echo\0\x40\x41"),
          CLOSE_MALFORMED },
        { "spawn: more arguments than there are", FRAME_REQUEST,
          BODY("\x01\0\x01\0\x04"
               "echo\0\x02\x01x"),
          CLOSE_MALFORMED },
        { "spawn: NUL in an argument", FRAME_REQUEST,
          BODY("\x01\0\x01\0\x04"
               "echo\0\x01\x01\0"),
          CLOSE_MALFORMED },
        { "table: none", FRAME_REQUEST, BODY("\x01\0\x02"), CLOSE_MALFORMED },
        { "kill: no target", FRAME_REQUEST, BODY("\x01\0\x03"), CLOSE_MALFORMED },
        { "kill: pid 0", FRAME_REQUEST, BODY("\x01\0\x03\0\0\0\0\0\x01\0"), CLOSE_MALFORMED },
        { "kill: no reason", FRAME_REQUEST,
          BODY("\x01\0\x03\x01\x04"
               "echo"),
          CLOSE_MALFORMED },
        { "kill: a reason longer than the frame", FRAME_REQUEST,
          BODY("\x01\0\x03\x01\x04"
               "echo\x3fx"),
          CLOSE_MALFORMED },
        { "kill: a reason above RUSM_REASON_MAX", FRAME_REQUEST,
          BODY("\x01\0\x03\x01\x04"
               "echo\x7f\xff"),
          CLOSE_MALFORMED },
        { "whereis: no name", FRAME_REQUEST, BODY("\x01\0\x05"), CLOSE_MALFORMED },
        { "follow: nothing", FRAME_REQUEST, BODY("\x01\0\x07"), CLOSE_MALFORMED },
        { "follow: another mode", FRAME_REQUEST, BODY("\x01\0\x07\0\0\0\0\0\x03\0"),
          CLOSE_MALFORMED },
        { "follow: a bad type", FRAME_REQUEST, BODY("\x01\0\x07\0\0\0\0\0\x01\x01\x01 "),
          CLOSE_MALFORMED },
        { "trace: no target", FRAME_REQUEST, BODY("\x01\0\x08"), CLOSE_MALFORMED },
        { "trace: another payload", FRAME_REQUEST, BODY("\x01\0\x08\x01\x01g\0\x02"),
          CLOSE_MALFORMED },
        { "follow: 33 types", FRAME_REQUEST, BODY("\x01\0\x07\0\0\0\0\0\x01\x21\x01x"),
          CLOSE_MALFORMED },
    };

    TRY_ALL(*state, HELLO_NODE, list);
    TRY_ALL(*state, HELLO_CLIENT, list);
}

/* The node answers each of these with a status, and the connection goes on. */
static void test_request_refused(void **state)
{
    static const struct {
        const char *what;
        const uint8_t *body;
        size_t len;
        uint64_t status;
    } list[] = {
        { "op 0", BODY("\x07\0\0"), (uint64_t)-RUSM_EINVAL },
        { "op 63", BODY("\x07\0\x3f"), (uint64_t)-RUSM_EINVAL },
        { "table 6", BODY("\x07\0\x02\x06"), (uint64_t)-RUSM_EINVAL },
        { "table 2^62 - 1", BODY("\x07\0\x02\xff\xff\xff\xff\xff\xff\xff\xff"),
          (uint64_t)-RUSM_EINVAL },
        { "spawn: not taught", BODY("\x07\0\x01\0\x03ufo\0\0"), (uint64_t)-RUSM_ENOSPAWNABLE },
        { "spawn: the name is taken",
          BODY("\x07\0\x01\x01\x04"
               "echo\x04"
               "echo\0"),
          (uint64_t)-RUSM_EEXIST },
        { "kill: nobody", BODY("\x07\0\x03\x01\x03ufo\0"), (uint64_t)-RUSM_ENOPROC },
        { "kill: another incarnation", BODY("\x07\0\x03\0\x01\0\0\0\x01\0"),
          (uint64_t)-RUSM_ENOPROC },
        { "whereis: no name", BODY("\x07\0\x05\0"), (uint64_t)-RUSM_ENOPROC },
        { "whereis: noise", BODY("\x07\0\x05\x03\0\n\xff"), (uint64_t)-RUSM_ENOPROC },
    };
    struct victim *v = *state;
    struct frame frame;
    struct reply reply;
    struct foe f;

    foe_start(&f, v, HELLO_CLIENT);
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        foe_frame(&f, FRAME_REQUEST, false, list[i].body, list[i].len);
        foe_await(&f, FRAME_REPLY, &frame);
        assert_int_equal(reply_decode(frame.body, frame.len, &reply), 0);
        assert_int_equal(reply.id, 7);
        if (reply.status != list[i].status) {
            fail_msg("%s: status %lu", list[i].what, (unsigned long)reply.status);
        }
    }
    foe_open(&f, "refused requests");
    foe_stop(&f);
    victim_alive(v);
}

static void test_reply(void **state)
{
    static const struct hostile list[] = {
        { "unasked, a pid", FRAME_REPLY, BODY("\x01\0\0\x05\0\0\0\x07\0"), OPEN },
        { "unasked, a failure", FRAME_REPLY, BODY("\x01\x04\0no"), OPEN },
        { "unasked, more to follow", FRAME_REPLY, BODY("\x3f\0\x01"), OPEN },
        { "status 256", FRAME_REPLY, BODY("\x01\x41\0\0"), CLOSE_MALFORMED },
    };

    TRY_ALL(*state, HELLO_NODE, list);
}

static void test_nodes(void **state)
{
    static const struct hostile list[] = {
        { "a bad name", FRAME_NODES,
          BODY("\x03y a\0\0\0\x07\x0b"
               "127.0.0.1:9"),
          CLOSE_MALFORMED },
        { "no name", FRAME_NODES,
          BODY("\0\0\0\0\x07\x0b"
               "127.0.0.1:9"),
          CLOSE_MALFORMED },
        { "incarnation 0", FRAME_NODES,
          BODY("\x03yma\0\0\0\0\x0b"
               "127.0.0.1:9"),
          CLOSE_MALFORMED },
        { "no port", FRAME_NODES,
          BODY("\x03yma\0\0\0\x07\x09"
               "127.0.0.1"),
          CLOSE_MALFORMED },
        { "the node itself", FRAME_NODES,
          BODY("\x06london\0\0\0\x07\x0b"
               "127.0.0.1:9"),
          OPEN },
        { "the sender", FRAME_NODES,
          BODY("\x03zed\0\0\0\x08\x0b"
               "127.0.0.1:9"),
          OPEN },
        { "one that is good, one that is not", FRAME_NODES,
          BODY("\x03yma\0\0\0\x07\x0b"
               "127.0.0.1:9\x01"),
          CLOSE_MALFORMED },
    };

    TRY_ALL(*state, HELLO_NODE, list);
}

static void test_names(void **state)
{
    static const struct hostile list[] = {
        { "a bad name", FRAME_NAMES, BODY("\x03\0\x01\0\0\0\0\0\0\0\x07\x03j e"), CLOSE_MALFORMED },
        { "a pid for a name", FRAME_NAMES,
          BODY("\x03\0\x01\0\0\0\0\0\0\0\x07\x03"
               "123"),
          CLOSE_MALFORMED },
        { "no name", FRAME_NAMES, BODY("\x03\0\x01\0\0\0\0\0\0\0\x07\0"), CLOSE_MALFORMED },
        { "live, process 0", FRAME_NAMES, BODY("\x03\0\0\0\0\0\0\0\0\0\x07\x03joe"),
          CLOSE_MALFORMED },
        { "a tombstone of what never was", FRAME_NAMES, BODY("\0\x01\0\0\0\0\0\0\0\0\x07\x03joe"),
          OPEN },
        { "unknown flags", FRAME_NAMES, BODY("\x3f\x3e\x01\0\0\0\0\0\0\0\x07\x03joe"), OPEN },
        { "from the end of time", FRAME_NAMES,
          BODY("\x03\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\x03joe"), OPEN },
    };

    TRY_ALL(*state, HELLO_NODE, list);
    victim_counts(*state, "clock_ahead", 1);
}

/* ---- the control stream itself ---- */

static void test_control_ends(void **state)
{
    struct victim *v = *state;
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    foe_send(&f, f.control, "", 0, true);
    foe_closed(&f, CLOSE_MALFORMED, "FIN");
    foe_stop(&f);
    foe_start(&f, v, HELLO_NODE);
    foe_send(&f, f.control, "\x0a\x3f", 2, true);
    foe_closed(&f, CLOSE_MALFORMED, "FIN in a frame");
    foe_stop(&f);
    foe_dial(&f, v, &(struct foe_options){ .name = "zed" });
    foe_send(&f, f.control, "", 0, true);
    foe_closed(&f, CLOSE_MALFORMED, "FIN before hello");
    foe_stop(&f);
    foe_start(&f, v, HELLO_NODE);
    conn_reset(f.c, f.control, 77);
    foe_closed(&f, CLOSE_MALFORMED, "a reset");
    foe_stop(&f);
    foe_start(&f, v, HELLO_NODE);
    conn_stop(f.c, f.control, 77);
    foe_closed(&f, CLOSE_MALFORMED, "STOP_SENDING");
    foe_stop(&f);
    victim_alive(v);
}

static void test_second_bidi(void **state)
{
    struct victim *v = *state;
    int64_t stream;
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    assert_int_equal(conn_open_bidi(f.c, &stream, &f), RUSM_BUSY);
    foe_open(&f, "no second stream");
    foe_stop(&f);
    victim_alive(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(test_adopt),           VICTIM_TEST(test_impostor),
        VICTIM_TEST(test_leave),           VICTIM_TEST(test_receipts),
        VICTIM_TEST(test_drained),         VICTIM_TEST(test_request_malformed),
        VICTIM_TEST(test_request_refused), VICTIM_TEST(test_reply),
        VICTIM_TEST(test_nodes),           VICTIM_TEST(test_names),
        VICTIM_TEST(test_control_ends),    VICTIM_TEST(test_second_bidi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
