/* node: how much memory the lanes of a hostile peer can make the node hold. See node_hostile.c. The
 * bounds are those of limits.h plus some slack: LANE_KIB for each lane, and a quarter for growing
 * buffers. Inputs and outcomes: rusm-protocol(7), HOSTILE INPUT. */
#include "doubles/foe.h"
#include "actor/limits.h"
#include "peer/limits.h"
#include "wire/limits.h"

#define KIB_OF(bytes) ((long)((bytes) / 1024))
#define SLACK_KIB 16384L
#define LANE_KIB 3
#define FULL_LANE_KIB (KIB_OF(LIMIT_LANE_WINDOW) * 5 / 4 + LANE_KIB)

static size_t put_header(uint8_t *bytes, const char *to, enum lane_type type)
{
    const struct lane_header header = {
        .type = type,
        .from = 5,
        .to = { .kind = TARGET_NAME, .name = to, .name_len = strlen(to) },
    };

    return (size_t)lane_header_encode(bytes, LIMIT_LANE_HEADER, &header);
}

static void repeat(uint8_t *bytes, size_t len, const uint8_t *unit, size_t unit_len)
{
    for (; len >= unit_len; len -= unit_len, bytes += unit_len) {
        memcpy(bytes, unit, unit_len);
    }
    memcpy(bytes, unit, len);
}

static void send_all(struct foe *f)
{
    uint64_t give_up_ms = victim_ms() + 300000;

    while (f->waiting > 0 && !f->ended && victim_ms() < give_up_ms) {
        foe_tick(f, 1);
    }
}

/* Sends the same bytes on `count` lanes, while the node serves another client. */
static void fill(struct victim *v, const uint8_t *bytes, size_t len, size_t count, long bound_kib,
                 const char *what)
{
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (size_t i = 0; i < count; i++) {
        foe_queue(&f, foe_open_lane(&f), bytes, len, false);
    }
    send_all(&f);
    foe_open(&f, what);
    victim_grew(v, before, bound_kib, what);
    bystander_stop(v, what);
    foe_stop(&f);
    victim_alive(v);
}

static void test_empty_lanes(void **state)
{
    fill(*state, (const uint8_t *)"", 1, LIMIT_LANES, LIMIT_LANES * LANE_KIB + SLACK_KIB,
         "empty lanes");
}

static void test_full_lanes(void **state)
{
    static uint8_t bytes[LIMIT_LANE_WINDOW];
    size_t head = put_header(bytes, "stuck", LANE_ORDERED);

    repeat(bytes + head, sizeof(bytes) - head, (const uint8_t *)"\x02\0x", 3);
    fill(*state, bytes, sizeof(bytes), LIMIT_LANES, LIMIT_LANES * FULL_LANE_KIB + SLACK_KIB,
         "full lanes");
}

static void test_large_records(void **state)
{
    static uint8_t bytes[LIMIT_LANE_WINDOW];
    size_t head = put_header(bytes, "stuck", LANE_ORDERED);

    memcpy(bytes + head, "\x84\0\0\0\0", 5);
    fill(*state, bytes, sizeof(bytes), LIMIT_LANES, LIMIT_LANES * FULL_LANE_KIB + SLACK_KIB,
         "large records");
}

/* Begins as many of the largest records as the node grants at once, and never finishes them. Large
 * messages of another connection still arrive, even at one of the same processes. */
static void test_left_large_records(void **state)
{
    struct victim *v = *state;
    struct rusm_why why;
    struct foe f;
    char pid[RUSM_PID_TEXT_MAX];
    static uint8_t big[1000 * 1000], begun[5][LIMIT_LANE_HEADER + 6];

    foe_start(&f, v, HELLO_NODE);
    for (int i = 0; i < 5; i++) {
        uint8_t *bytes = begun[i];
        char name[16];
        snprintf(name, sizeof(name), "left%d", i);
        assert_int_equal(rusm_client_spawn(v->client, "sink", NULL, name, false, pid, &why), 0);
        size_t head = put_header(bytes, i > 0 ? name : "echo", LANE_ORDERED);
        memcpy(bytes + head, "\x84\0\0\0\0x", 6);
        foe_queue(&f, foe_open_lane(&f), bytes, head + 6, false);
    }
    send_all(&f);
    foe_open(&f, "left large records");
    for (size_t len = sizeof(big); len > 10000; len /= 10) {
        void *reply;
        size_t reply_len;
        if (rusm_client_call(v->client, "echo", false, big, len, &reply, &reply_len, &why) != 0) {
            fail_msg("%zu bytes: %s", len, why.text);
        }
        assert_int_equal(reply_len, len);
        free(reply);
    }
    foe_open(&f, "left large records of others"); /* the node has not given the connection up */
    foe_stop(&f);
    victim_alive(v);
}

static void test_replies(void **state)
{
    static uint8_t bytes[LIMIT_LANE_WINDOW];
    const size_t lanes = 1000;
    size_t head = put_header(bytes, "stuck", LANE_ORDERED);

    repeat(bytes + head, sizeof(bytes) - head, (const uint8_t *)"\x02\x22\x01", 3);
    fill(*state, bytes, sizeof(bytes), lanes,
         (long)lanes * FULL_LANE_KIB + KIB_OF(LIMIT_MAILBOX_REPLIES * 256) + SLACK_KIB, "replies");
}

static void test_unordered(void **state)
{
    struct victim *v = *state;
    static uint8_t bytes[LIMIT_LANE_HEADER + 8];
    const unsigned count = LIMIT_LANES;
    size_t head = put_header(bytes, "stuck", LANE_UNORDERED);
    struct foe f;

    memcpy(bytes + head, "\x02\0x", 3);
    foe_start(&f, v, HELLO_NODE);
    victim_alive(v);
    long before = victim_peak_kib(v);
    for (unsigned i = 0; i < count; i++) {
        foe_queue(&f, foe_open_lane(&f), bytes, head + 3, true);
    }
    send_all(&f);
    foe_open(&f, "unordered");
    victim_counts(v, "undelivered_overflow", count - LIMIT_MAILBOX_MESSAGES);
    victim_grew(v, before, SLACK_KIB, "unordered");
    foe_stop(&f);
    victim_alive(v);
}

/* ---- monitors ---- */

static void test_monitors(void **state)
{
    struct victim *v = *state;
    const uint64_t count = LIMIT_MONITORS + 1000;
    uint8_t *bytes = malloc(count * 16 + LIMIT_LANE_HEADER);
    size_t len = put_header(bytes, "sink", LANE_ORDERED);
    uint64_t limited = 0;
    struct frame frame;
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (uint64_t i = 1; i <= count; i++) {
        const struct record record = { .kind = RECORD_MONITOR,
                                       .has_ref = true,
                                       .ref = i,
                                       .has_receipt = i > LIMIT_MONITORS,
                                       .receipt = 7 };
        len += record_head_encode(bytes + len, &record);
    }
    foe_queue(&f, foe_open_lane(&f), bytes, len, false);
    send_all(&f);
    foe_until(&f, f.ended || ({
                      while (foe_next(&f, &frame)) {
                          struct reader r = reader_on(frame.body, frame.len);
                          struct receipt receipt;
                          while (frame.type == FRAME_RECEIPTS && receipt_read(&r, &receipt) == 1) {
                              assert_int_equal(receipt.status, -RUSM_ELIMIT);
                              limited++;
                          }
                      }
                      limited == 1000;
                  }));
    foe_open(&f, "monitors");
    victim_grew(v, before, KIB_OF(LIMIT_MONITORS * 224) + SLACK_KIB, "monitors");
    bystander_stop(v, "monitors");
    foe_stop(&f);
    victim_alive(v);
    free(bytes);
}

/* The peer allows the node no lanes, so each "noproc" has to wait. */
static void test_downs_not_taken(void **state)
{
    const struct foe_options o = { .name = "zed", .max_streams = UINT64_MAX };
    struct victim *v = *state;
    static uint8_t bytes[10 * 6500];
    uint8_t head[LIMIT_LANE_HEADER];
    struct foe f;

    if (VICTIM_SANITIZED) {
        skip();
    }
    repeat(bytes, sizeof(bytes), (const uint8_t *)"\x09\x26\xff\xff\xff\xff\xff\xff\xff\xff", 10);
    foe_start_with(&f, v, &o);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    int64_t stream = foe_open_lane(&f);
    foe_send(&f, stream, head, put_header(head, "nobody", LANE_ORDERED), false);
    uint64_t give_up_ms = victim_ms() + 300000;
    while (!f.ended && victim_ms() < give_up_ms) {
        while (f.waiting < 1024 * 1024) {
            foe_queue(&f, stream, bytes, sizeof(bytes), false);
        }
        foe_tick(&f, 1);
    }
    foe_closed(&f, CLOSE_LIMIT, "DOWNs not taken");
    victim_grew(v, before, KIB_OF(LIMIT_CONN_SIGNALS) + SLACK_KIB, "DOWNs not taken");
    bystander_stop(v, "DOWNs not taken");
    foe_stop(&f);
    victim_alive(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(test_empty_lanes),     VICTIM_TEST(test_full_lanes),
        VICTIM_TEST(test_large_records),   VICTIM_TEST(test_replies),
        VICTIM_TEST(test_unordered),       VICTIM_TEST(test_monitors),
        VICTIM_TEST(test_downs_not_taken), VICTIM_TEST(test_left_large_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
