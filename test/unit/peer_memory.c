/* peer, quic: memory runs out at each allocation of a connection in turn. The connection goes on,
 * or ends with a reason and frees all that it held. Nothing is delivered twice or out of order. The
 * address sanitizer finds leaks and wrong accesses. The router here allocates nothing itself.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "doubles/memory.h"
#include "doubles/quic_pair.h"
#include "peer/peers.h"

#define LARGE 60000 /* needs a grant */

struct end {
    struct endpoint *e;
    struct peer *peer;
    struct peers peers;
    struct lane_budget budget;
    struct lane_pools pools;
    bool lower;            /* this end adopts */
    uint64_t next_from[4]; /* the least number that a sender's next ordered record may have */
    size_t readies, closes, got, lost;
};

/* ---- a router that allocates nothing --------------------------------------------------------- */

static enum close_code on_hello(void *context, struct peer *p, const struct hello *hello)
{
    const struct end *end = context;
    (void)hello;
    if (end->lower) {
        peer_adopt(p);
    }
    return CLOSE_NONE;
}

static void on_ready(void *context, struct peer *p)
{
    (void)p;
    ((struct end *)context)->readies++;
}

static int on_frame(void *context, struct peer *p, const struct frame *frame)
{
    (void)context, (void)p, (void)frame;
    return 0;
}

static void on_receipt(void *context, struct peer *p, const struct receipt *receipt)
{
    (void)context, (void)p, (void)receipt;
}

static void on_lane(void *context, struct peer *p, struct lane_in *lane)
{
    (void)context, (void)p, (void)lane;
}

/* Takes each record at once. */
static enum delivery on_deliver(void *context, struct peer *p, struct lane_in *lane,
                                const struct record *record, const uint8_t *payload, void *block,
                                uint32_t wire)
{
    struct end *end = context;
    struct credit *credit = peer_lane_credit(lane);
    if (record->kind == RECORD_SEND && !lane->unordered) {
        uint64_t said;
        assert_true(record->payload_len >= sizeof(said) && lane->from < 4);
        memcpy(&said, payload, sizeof(said));
        assert_true(said >= end->next_from[lane->from]); /* a missing record was never taken */
        end->next_from[lane->from] = said + 1;
    }
    if (record->has_receipt) {
        peer_send_receipt(p, record->receipt, 0);
    }
    end->got++;
    credit_hold(credit);
    credit_give(credit, wire);
    free(block);
    return DELIVERY_TAKEN;
}

static int on_grant(void *context, struct peer *p, struct lane_in *lane,
                    const struct record *record)
{
    (void)context, (void)p, (void)lane, (void)record;
    return 1;
}

static void on_grant_done(void *context, struct peer *p, struct lane_in *lane)
{
    (void)context, (void)p, (void)lane;
}

static void on_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause)
{
    (void)p, (void)lane, (void)cause;
    ((struct end *)context)->lost++;
}

static void on_writable(void *context, struct peer *p, uint64_t from)
{
    (void)context, (void)p, (void)from;
}

static void on_refused(void *context, struct peer *p, uint64_t from, uint64_t records, int cause)
{
    (void)context, (void)p, (void)from, (void)records, (void)cause;
}

static const struct peer_events router = {
    .hello = on_hello,
    .ready = on_ready,
    .frame = on_frame,
    .receipt = on_receipt,
    .lane_opened = on_lane,
    .deliver = on_deliver,
    .grant = on_grant,
    .grant_done = on_grant_done,
    .lane_closed = on_lane,
    .lane_lost = on_lane_lost,
    .writable = on_writable,
    .refused = on_refused,
};

/* ---- the two ends ---------------------------------------------------------------------------- */

static int on_conn(void *context, struct conn *c)
{
    struct end *end = context;
    struct peer_options options = {
        .conn = c,
        .events = &router,
        .context = end,
        .hello = { .version = CONTROL_VERSION,
                   .incarnation = 1,
                   .max_message = RUSM_MESSAGE_MAX,
                   .name = end->lower ? "amber" : "bronze",
                   .name_len = end->lower ? 5 : 6 },
        .budget = &end->budget,
        .pools = &end->pools,
        .peers = &end->peers,
        .seed = 7,
        .now_ns = endpoint_now_ns(),
    };
    int error = peer_new(&end->peer, &options);
    if (error) {
        conn_close(c, CLOSE_INTERNAL, rusm_strerror(error));
    }
    return error;
}

static void on_closed(void *context, struct conn *c, const struct conn_end *how)
{
    struct end *end = context;
    (void)c, (void)how;
    end->closes++;
    peer_free(end->peer);
    end->peer = NULL;
}

static void end_start(struct end *end, bool lower)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct endpoint_options o = side_options(identity, true);
    struct endpoint_events events = { .ready = on_conn, .closed = on_closed };
    struct rusm_why why;
    peer_fill_events(&events);
    o.bind = (struct sockaddr *)&at;
    o.bind_len = sizeof(at);
    *end = (struct end){ .lower = lower };
    lane_budget_init(&end->budget, 1);
    lane_pools_init(&end->pools);
    peers_init(&end->peers);
    assert_int_equal(endpoint_new(&end->e, &o, &events, end, &why), 0);
}

static void end_stop(struct end *end)
{
    peer_free(end->peer);
    endpoint_free(end->e);
    lane_pools_fini(&end->pools);
}

static void tick(struct end ends[2])
{
    struct pollfd fds[2];
    bool more = false;
    for (int i = 0; i < 2; i++) {
        bool full = false;
        more = endpoint_receive(ends[i].e) || more;
        endpoint_tick(ends[i].e, endpoint_now_ns());
        peers_run(&ends[i].peers, endpoint_now_ns());
        more = endpoint_flush(ends[i].e, &full) || more;
        more = peers_due(&ends[i].peers) || more;
        fds[i] = (struct pollfd){ .fd = endpoint_fd(ends[i].e), .events = POLLIN };
    }
    poll(fds, 2, more ? 0 : 1);
}

static void dial(struct end ends[2])
{
    socklen_t len;
    const struct sockaddr *to = endpoint_address(ends[1].e, &len);
    struct conn *c;
    (void)endpoint_dial(ends[0].e, to, len, NULL, &c);
}

static bool send_one(struct end *end, enum record_kind kind, uint64_t from, bool unordered,
                     size_t len, uint64_t number)
{
    static uint8_t data[LARGE];
    struct parcel p = { .from = from,
                        .to = { .kind = TARGET_NAME,
                                .name = "a-name-that-does-not-fit-in-the-lane",
                                .name_len = 36 },
                        .kind = (uint8_t)kind,
                        .unordered = unordered,
                        .has_receipt = kind == RECORD_SEND,
                        .receipt = number,
                        .data = data,
                        .len = len };
    memcpy(data, &number, sizeof(number));
    return end->peer && peer_send(end->peer, &p, endpoint_now_ns()) == 0;
}

/* Sends one round of messages of every kind from `end`. Returns how many were taken. */
static size_t say(struct end *end, uint64_t number)
{
    return (size_t)send_one(end, RECORD_SEND, 1, false, 100, number) +
           send_one(end, RECORD_SEND, 2, false, LARGE, number) +
           send_one(end, RECORD_SEND, 3, false, 6000, number) +
           send_one(end, RECORD_SEND, 1, true, 1000, number) +
           send_one(end, RECORD_EXIT, 4 + number, false, 10, number);
}

static bool settled(const struct end ends[2])
{
    return (!ends[0].peer || peer_quiet(ends[0].peer)) &&
           (!ends[1].peer || peer_quiet(ends[1].peer));
}

/* ---- the tests ------------------------------------------------------------------------------- */

/* Runs a connection that has only `allowed` more allocations. Returns whether it lived. Then all
 * that was sent has arrived. */
static bool lives_without(size_t allowed)
{
    struct end ends[2];
    size_t said = 0;
    end_start(&ends[0], true);
    end_start(&ends[1], false);
    dial(ends);
    for (int i = 0; i < 1000 && !(ends[0].readies && ends[1].readies); i++) {
        tick(ends);
    }
    assert_true(ends[0].readies && ends[1].readies);
    said += say(&ends[0], 0);
    memory_fail_after(allowed);
    for (uint64_t i = 1; i < 6; i++) {
        said += say(&ends[i % 2], i);
        tick(ends);
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i].peer) {
            peer_finish(ends[i].peer);
            peer_tick(ends[i].peer, endpoint_now_ns());
        }
    }
    tick(ends);
    memory_works();
    for (int i = 0; i < 3000 && !settled(ends); i++) {
        tick(ends);
    }
    bool lived = ends[0].closes + ends[1].closes == 0;
    if (lived) {
        assert_true(settled(ends));
        for (int i = 0; i < 3000 && ends[0].got + ends[1].got < said; i++) {
            tick(ends);
        }
        assert_int_equal(ends[0].got + ends[1].got, said);
    }
    end_stop(&ends[0]);
    end_stop(&ends[1]);
    return lived;
}

/* Returns whether both ends became ready with only `allowed` allocations. */
static bool joins_without(size_t allowed)
{
    struct end ends[2];
    end_start(&ends[0], true);
    end_start(&ends[1], false);
    memory_fail_after(allowed);
    dial(ends);
    for (int i = 0; i < 30 && !(ends[0].readies && ends[1].readies); i++) {
        tick(ends);
    }
    memory_works();
    bool joined = ends[0].readies && ends[1].readies;
    end_stop(&ends[0]);
    end_stop(&ends[1]);
    return joined;
}

static void test_no_memory_to_join(void **state)
{
    size_t joined = 0, tries = 0;
    (void)state;
    for (size_t allowed = 0; joined < 3; allowed += 7) {
        joined += joins_without(allowed);
        tries++;
    }
    assert_true(tries > 50);
}

static void test_no_memory(void **state)
{
    size_t lived = 0, tries = 0;
    (void)state;
    for (size_t allowed = 0; lived < 3; allowed++) {
        lived += lives_without(allowed);
        tries++;
    }
    assert_true(tries > 50);
}

static int setup(void **state)
{
    (void)state;
    identity = side_identity();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    identity_free(identity);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory_to_join),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
