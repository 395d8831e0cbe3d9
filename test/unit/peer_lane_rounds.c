/* peer/lane_rounds: small messages before large ones, shares by bytes, and every byte on its way is
 * counted. Bytes pulled by hand here are not sent, and are acknowledged at once: how much bulk may
 * be on its way depends on round trip times. */
#include "doubles/peer_raw.h"
#include "peer/peer_state.h"

/* Pulls what the next lane may send. Returns how many bytes, and its sender in `from`. */
static size_t pull(struct lanes_out *o, uint64_t *from)
{
    struct iovec vec[16];
    int64_t stream;
    size_t len = 0;
    bool fin;
    int n = lanes_out_pull(o, &stream, vec, 16, &fin);
    assert_true(n > 0);
    list_each(link, &o->all) {
        struct lane_out *l = container_of(link, struct lane_out, all);
        if (l->stream != stream) {
            continue;
        }
        for (int i = 0; i < n; i++) {
            len += vec[i].iov_len;
        }
        *from = l->from;
        lane_out_pulled(o, l, len, fin);
        lane_out_acked(o, l, len);
        return len;
    }
    fail_msg("no lane has stream %lld", (long long)stream);
    return 0;
}

static void test_small_before_many_large(void **state)
{
    enum { LARGE = 50, LEN = 100000 };
    struct duo *p = *state;
    struct lanes_out *o = &p->a.peer->out;
    uint64_t from;

    for (uint64_t i = 1; i <= LARGE; i++) {
        assert_int_equal(host_send(&p->a, i, 5, LEN, 0), 0);
    }
    for (int i = 0; i < LARGE; i++) { /* the first slice of each */
        pull(o, &from);
    }
    for (int round = 0; round < 5; round++) {
        assert_int_equal(host_send(&p->a, 1000, 6, 100, (uint64_t)round), 0);
        assert_in_range(pull(o, &from), 100, 200);
        assert_int_equal(from, 1000);
        pull(o, &from);
        assert_int_not_equal(from, 1000);
    }
}

/* A pair that always has another small message gets no larger share than the large message. */
static void test_small_ones_share_by_bytes(void **state)
{
    enum { PULLS = 2000 };
    struct duo *p = *state;
    struct lanes_out *o = &p->a.peer->out;
    uint64_t bytes[3] = { 0 }, from;

    assert_int_equal(host_send(&p->a, 1, 5, 32 * 1024 * 1024, 0), 0);
    for (uint64_t i = 0; i < PULLS; i++) {
        int error = host_send(&p->a, 2, 6, 1000, i);
        assert_true(error == 0 || error == RUSM_BUSY);
        size_t len = pull(o, &from);
        assert_in_range(from, 1, 2);
        bytes[from] += len;
    }
    assert_true(bytes[2] > 100000);
    assert_in_range(bytes[1], bytes[2] / 2, bytes[2] * 2);
}

static void test_all_under_way_is_counted(void **state)
{
    struct duo *p = *state;
    struct lanes_out *o = &p->a.peer->out;

    box_open(&p->b, 5, 1, 1, 1);
    box_open(&p->b, 6, 1, 1, 1);
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(host_send(&p->a, 10 + i, 5, 1000000, 0), 0);
    }
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(host_send(&p->a, 2, 6, 100, i), 0);
    }
    /* There is no such process: the lane is broken off while much of it is on its way. */
    assert_int_equal(host_send(&p->a, 3, 99, 1000000, 0), 0);
    pair_until(&p->a, &p->b, NULL, o->turns.flight > 0);
    pair_until(&p->a, &p->b, NULL, p->b.box[5].taken == 4 && p->b.box[6].taken == 20);
    pair_until(&p->a, &p->b, NULL, o->turns.flight == 0);
    assert_true(list_empty(&o->turns.held));
    assert_int_equal(o->queued, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_small_before_many_large, duo_connected, duo_teardown),
        cmocka_unit_test_setup_teardown(test_small_ones_share_by_bytes, duo_connected,
                                        duo_teardown),
        cmocka_unit_test_setup_teardown(test_all_under_way_is_counted, duo_connected, duo_teardown),
    };
    return cmocka_run_group_tests(tests, pair_identity, pair_no_identity);
}
