/* node: too much of what would be harmless in small amounts, from a peer that has the certificate.
 * See node_hostile.c. The tests check the node's memory: each bound is that of limits.h plus some
 * slack. Inputs and outcomes: rusm-protocol(7), HOSTILE INPUT. Mostly waits. */
#include "doubles/foe.h"
#include "base/limits.h"
#include "node/limits.h"
#include "peer/limits.h"
#include "wire/limits.h"

#define RECORDS 1000000u
#define KIB_OF(bytes) ((long)((bytes) / 1024))
#define SLACK_KIB 16384L

/* ---- too little, too slowly ---- */

static void test_slow_loris(void **state)
{
    static const uint8_t hello[] = { FRAME_HELLO << 1, 0x40, 0x30, CONTROL_VERSION, HELLO_NODE };
    static const uint8_t frame[] = { FRAME_NAMES << 1, 0x80, 0, 0xff, 0xff, NAMES_FIRST };
    struct victim *v = *state;
    struct foe silent, half, shy, slow;
    uint64_t since_ms = victim_ms();

    foe_dial(&silent, v, &(struct foe_options){ .name = "zed" });
    foe_dial(&half, v, &(struct foe_options){ .name = "zed" });
    foe_send(&half, half.control, hello, sizeof(hello), false);
    foe_dial(&shy, v, &(struct foe_options){ .name = "adam" });
    const struct hello good = foe_hello_of(&shy);
    foe_say_hello(&shy, &good);
    foe_start(&slow, v, HELLO_NODE);
    foe_send(&slow, slow.control, frame, sizeof(frame), false);
    while (!silent.ended || !half.ended || !shy.ended) {
        assert_in_range(victim_ms() - since_ms, 0, VICTIM_PATIENCE_MS);
        foe_tick(&silent, 1);
        foe_tick(&half, 1);
        foe_tick(&shy, 1);
        foe_tick(&slow, 1);
        victim_alive(v);
    }
    assert_in_range(victim_ms() - since_ms, LIMIT_HANDSHAKE_NS / 1000000 - 500, VICTIM_PATIENCE_MS);
    foe_closed(&silent, CLOSE_TIMEOUT, "no hello");
    foe_closed(&half, CLOSE_TIMEOUT, "half a hello");
    foe_closed(&shy, CLOSE_TIMEOUT, "no ADOPT");
    assert_false(slow.ended);
    foe_stop(&silent);
    foe_stop(&half);
    foe_stop(&shy);
    foe_stop(&slow);
}

/* ---- frames without end ---- */

static void test_pings(void **state)
{
    struct victim *v = *state;
    const size_t pings = 200000, each = 10;
    struct frame frame;
    struct foe f;
    size_t pongs = 0;

    foe_start(&f, v, HELLO_NODE);
    bystander_start(v);
    uint8_t *bytes = foe_queue(&f, f.control, NULL, pings * each, false);
    for (size_t i = 0; i < pings; i++) {
        memcpy(bytes + i * each,
               "\x14\x08"
               "12345678",
               each);
    }
    foe_until(&f, f.ended || ({
                      while (foe_next(&f, &frame)) {
                          pongs += frame.type == FRAME_PONG;
                      }
                      pongs == pings;
                  }));
    assert_false(f.ended);
    bystander_stop(v, "pings");
    foe_stop(&f);
}

/* Sends the same bytes again and again, and never takes the answers. */
static void deaf_flood(struct victim *v, const uint8_t *unit, size_t len, size_t held,
                       const char *what)
{
    const struct foe_options o = { .role = HELLO_CLIENT, .control_window = UINT64_MAX };
    const size_t units = 65536 / len;
    uint8_t *bytes = malloc(units * len);
    struct foe f;

    for (size_t i = 0; i < units; i++) {
        memcpy(bytes + i * len, unit, len);
    }
    foe_start_with(&f, v, &o);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    foe_until(&f, f.ended || ({
                      if (f.waiting < 4 * 65536) {
                          foe_queue(&f, f.control, bytes, units * len, false);
                      }
                      false;
                  }));
    victim_grew(v, before, KIB_OF(held) + SLACK_KIB, what);
    bystander_stop(v, what);
    foe_closed(&f, CLOSE_LIMIT, what);
    foe_stop(&f);
    free(bytes);
}

static void test_pings_unread(void **state)
{
    deaf_flood(*state,
               (const uint8_t *)"\x14\x08"
                                "12345678",
               10, LIMIT_CONTROL_QUEUE, "pings, unread");
}

static void test_tables_unread(void **state)
{
    deaf_flood(*state, (const uint8_t *)"\x0a\x04\x01\0\x02\x05", 6, LIMIT_CONTROL_ROOM,
               "tables, unread");
}

/* ---- receipts ---- */

/* Sends records on a lane to `to`, each asking for a receipt. */
static void queue_asking(struct foe *f, const char *to, size_t count)
{
    uint8_t head[LIMIT_LANE_HEADER];
    const struct lane_header header = {
        .to = { .kind = TARGET_NAME, .name = to, .name_len = strlen(to) }
    };
    const struct record record = { .kind = RECORD_SEND, .has_receipt = true, .receipt = 63 };
    int64_t stream = foe_open_lane(f);
    size_t len = (size_t)lane_header_encode(head, sizeof(head), &header);

    foe_send(f, stream, head, len, false);
    len = record_head_encode(head, &record);
    uint8_t *bytes = foe_queue(f, stream, NULL, count * len, false);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + i * len, head, len);
    }
}

static void test_receipts(void **state)
{
    struct victim *v = *state;
    uint64_t told[2] = { 0 };
    struct frame frame;
    struct foe f;

    foe_start(&f, v, HELLO_CLIENT);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    queue_asking(&f, "sink", RECORDS / 2);
    queue_asking(&f, "nobody", RECORDS / 2);
    uint64_t give_up_ms = victim_ms() + 300000;
    while (told[0] + told[1] < RECORDS && !f.ended && victim_ms() < give_up_ms) {
        foe_tick(&f, 1);
        while (foe_next(&f, &frame)) {
            struct reader r = reader_on(frame.body, frame.len);
            struct receipt receipt;
            while (frame.type == FRAME_RECEIPTS && receipt_read(&r, &receipt) == 1) {
                told[receipt.status != 0]++;
            }
        }
    }
    assert_int_equal(told[0], RECORDS / 2);
    assert_int_equal(told[1], RECORDS / 2);
    victim_grew(v, before, SLACK_KIB, "a million receipts");
    bystander_stop(v, "a million receipts");
    victim_counts(v, "undelivered_noproc", RECORDS / 2);
    foe_stop(&f);
}

static void test_receipts_unread(void **state)
{
    const struct foe_options o = { .role = HELLO_CLIENT, .control_window = UINT64_MAX };
    struct victim *v = *state;
    struct foe f;

    foe_start_with(&f, v, &o);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (int i = 0; i < 10; i++) {
        queue_asking(&f, "nobody", RECORDS);
    }
    uint64_t give_up_ms = victim_ms() + 300000;
    while (!f.ended && victim_ms() < give_up_ms) {
        foe_tick(&f, 1);
    }
    victim_grew(v, before, KIB_OF(LIMIT_CONTROL_QUEUE) + SLACK_KIB, "receipts, unread");
    bystander_stop(v, "receipts, unread");
    foe_closed(&f, CLOSE_LIMIT, "receipts, unread");
    foe_stop(&f);
}

/* ---- nodes and names ---- */

/* Makes a socket that never answers. */
static int black_hole(char address[32])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(address, 32, "127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void test_nodes(void **state)
{
    struct victim *v = *state;
    static uint8_t body[LIMIT_FRAME];
    char address[32], name[16];
    struct rusm_client *late;
    struct rusm_why why;
    struct foe f;
    int hole = black_hole(address);

    foe_start(&f, v, HELLO_NODE);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (unsigned i = 0; i < 10000;) {
        struct writer w = writer_on(body, sizeof(body));
        for (int j = 0; j < 1000; j++, i++) {
            const struct node_entry e = { .name = name,
                                          .name_len = (size_t)sprintf(name, "fake%u", i),
                                          .incarnation = 7,
                                          .address = address,
                                          .address_len = strlen(address) };
            node_entry_write(&w, &e);
        }
        foe_frame(&f, FRAME_NODES, true, body, writer_len(&w));
    }
    foe_for(&f, 3000);
    foe_open(&f, "10,000 nodes");
    assert_in_range(victim_counter(v, "connections"), 0, LIMIT_DIALS + 8);
    victim_grew(v, before, LIMIT_TOLD * 4 + LIMIT_DIALS * 128 + SLACK_KIB, "10,000 nodes");
    struct victim_time since = victim_time(v);
    if (victim_open(v, &late, &why) != 0) {
        fail_msg("a new client: %s", why.text);
    }
    victim_in_time(victim_since(v, since));
    rusm_client_close(late);
    bystander_stop(v, "10,000 nodes");
    foe_stop(&f);
    close(hole);
}

static void test_hellos(void **state)
{
    struct victim *v = *state;
    char name[16];
    struct foe f;

    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "zz%u", i);
        foe_start_with(&f, v, &(struct foe_options){ .name = name });
        foe_stop(&f);
    }
    victim_grew(v, before, 1000 * 16 + SLACK_KIB, "1,000 hellos");
    bystander_stop(v, "1,000 hellos");
    foe_start(&f, v, HELLO_NODE);
    foe_open(&f, "one more");
    foe_stop(&f);
}

static void test_names(void **state)
{
    struct victim *v = *state;
    const unsigned count = LIMIT_NAMES + 100;
    static uint8_t body[LIMIT_FRAME];
    struct foe f;

    foe_start(&f, v, HELLO_NODE);
    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (unsigned i = 0; i < count;) {
        struct writer w = writer_on(body, sizeof(body));
        writer_varint(&w, 0);
        for (; i < count && writer_len(&w) < sizeof(body) - 64; i++) {
            char name[16];
            const struct claim claim = { .serial = 1 + i,
                                         .time = 7,
                                         .name = name,
                                         .name_len = (size_t)sprintf(name, "n%u", i) };
            claim_write(&w, &claim);
        }
        foe_frame(&f, FRAME_NAMES, false, body, writer_len(&w));
    }
    uint64_t give_up_ms = victim_ms() + 300000;
    while (f.waiting > 0 && !f.ended && victim_ms() < give_up_ms) {
        foe_tick(&f, 1);
    }
    foe_open(&f, "a million names");
    victim_grew(v, before, KIB_OF(LIMIT_NAMES * 384) + SLACK_KIB, "a million names");
    victim_counts(v, "names_refused", 100);
    assert_int_equal(victim_counter(v, "names_global"), LIMIT_NAMES);
    bystander_stop(v, "a million names");
    foe_stop(&f);
    give_up_ms = victim_ms() + VICTIM_PATIENCE_MS;
    while (victim_counter(v, "names_global") > 0) {
        assert_true(victim_ms() < give_up_ms);
        usleep(50000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(test_slow_loris),   VICTIM_TEST(test_pings),
        VICTIM_TEST(test_pings_unread), VICTIM_TEST(test_tables_unread),
        VICTIM_TEST(test_receipts),     VICTIM_TEST(test_receipts_unread),
        VICTIM_TEST(test_nodes),        VICTIM_TEST(test_hellos),
        VICTIM_TEST(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
