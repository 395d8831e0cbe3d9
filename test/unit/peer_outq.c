/* peer/outq: keeps the bytes of a stream until they are acknowledged.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "peer/outq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/rng.h"
#include "doubles/memory.h"
#include "rusm.h"

/* Gathers what is unsent now. Returns its length. */
static size_t peeked(const struct outq *q, uint8_t *out, size_t cap, size_t vecs)
{
    struct iovec vec[64];
    int n = outq_peek(q, vec, vecs, cap);
    size_t len = 0;

    for (int i = 0; i < n; i++) {
        assert_true(vec[i].iov_len > 0);
        memcpy(out + len, vec[i].iov_base, vec[i].iov_len);
        len += vec[i].iov_len;
    }
    assert_true(len <= cap);
    return len;
}

static void test_empty(void **state)
{
    struct outq_pool pool;
    struct outq q;
    struct iovec vec[4];

    (void)state;
    outq_pool_init(&pool, NULL);
    outq_init(&q);
    assert_int_equal(outq_peek(&q, vec, 4, 1000), 0);
    assert_int_equal(outq_append(&q, &pool, NULL, 0, NULL, 0, 0), 0);
    assert_int_equal(q.len, 0);
    outq_sent(&q, 0);
    outq_acked(&q, &pool, 0);
    outq_fini(&q, &pool);
    outq_pool_fini(&pool);
}

static void test_head_and_body(void **state)
{
    struct outq_pool pool;
    struct outq q;
    uint8_t got[64];

    (void)state;
    outq_pool_init(&pool, NULL);
    outq_init(&q);
    assert_int_equal(outq_append(&q, &pool, "head", 4, "body", 4, 1), 0);
    assert_int_equal(outq_append(&q, &pool, "more", 4, NULL, 0, 0), 0);
    assert_int_equal(q.len, 12);
    assert_int_equal(q.unsent, 12);
    assert_int_equal(q.records, 1);
    assert_int_equal(peeked(&q, got, 64, 64), 12);
    assert_memory_equal(got, "headbodymore", 12);
    assert_int_equal(peeked(&q, got, 5, 64), 5);
    outq_sent(&q, 5);
    assert_int_equal(peeked(&q, got, 64, 64), 7);
    assert_memory_equal(got, "odymore", 7);
    outq_acked(&q, &pool, 5);
    assert_int_equal(q.len, 7);
    assert_int_equal(q.records, 1); /* not all of it is acknowledged */
    outq_sent(&q, 7);
    outq_acked(&q, &pool, 7);
    assert_int_equal(q.len, 0);
    assert_int_equal(q.records, 0);
    outq_fini(&q, &pool);
    outq_pool_fini(&pool);
}

/* Bytes on their way stay where they are, whatever is appended. */
static void test_bytes_do_not_move(void **state)
{
    struct outq_pool pool;
    struct outq q;
    struct iovec before, after;
    static uint8_t large[300000];

    (void)state;
    outq_pool_init(&pool, NULL);
    outq_init(&q);
    assert_int_equal(outq_append(&q, &pool, "first", 5, NULL, 0, 1), 0);
    assert_int_equal(outq_peek(&q, &before, 1, 100), 1);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(outq_append(&q, &pool, "xyz", 3, large, i == 1000 ? sizeof(large) : 7, 1),
                         0);
    }
    assert_int_equal(outq_peek(&q, &after, 1, 5), 1);
    assert_ptr_equal(before.iov_base, after.iov_base);
    assert_memory_equal(after.iov_base, "first", 5);
    assert_int_equal(q.records, 2001);
    outq_fini(&q, &pool);
    assert_int_equal(q.len, 0);
    outq_pool_fini(&pool);
}

static void test_join(void **state)
{
    struct outq_pool pool;
    struct outq a, b;
    uint8_t got[64];

    (void)state;
    outq_pool_init(&pool, NULL);
    outq_init(&a);
    outq_init(&b);
    outq_join(&a, &b);
    assert_int_equal(outq_append(&b, &pool, "signal", 6, NULL, 0, 1), 0);
    outq_join(&a, &b); /* to an empty queue */
    assert_int_equal(b.len, 0);
    assert_int_equal(peeked(&a, got, 64, 64), 6);
    outq_sent(&a, 6);
    assert_int_equal(outq_append(&b, &pool, "two", 3, NULL, 0, 1), 0);
    outq_join(&a, &b); /* all was sent, nothing is acknowledged */
    assert_int_equal(outq_append(&b, &pool, "three", 5, NULL, 0, 1), 0);
    outq_join(&a, &b);
    assert_int_equal(peeked(&a, got, 64, 64), 8);
    assert_memory_equal(got, "twothree", 8);
    assert_int_equal(a.records, 3);
    outq_sent(&a, 8);
    outq_acked(&a, &pool, 14);
    assert_int_equal(a.records, 0);
    assert_int_equal(outq_append(&b, &pool, "four", 4, NULL, 0, 1), 0);
    outq_join(&a, &b); /* all was acknowledged */
    assert_int_equal(peeked(&a, got, 64, 64), 4);
    outq_fini(&a, &pool);
    outq_fini(&b, &pool);
    outq_pool_fini(&pool);
}

static void test_no_memory(void **state)
{
    struct outq_pool pool;
    struct outq q;
    static uint8_t large[100000];
    uint8_t got[16];

    (void)state;
    outq_pool_init(&pool, NULL);
    outq_init(&q);
    memory_fail_after(0);
    assert_int_equal(outq_append(&q, &pool, "a", 1, NULL, 0, 1), RUSM_ENOMEM);
    memory_works();
    assert_int_equal(q.len, 0);
    assert_int_equal(outq_append(&q, &pool, "a", 1, NULL, 0, 1), 0);
    memory_fail_after(0);
    assert_int_equal(outq_append(&q, &pool, "b", 1, large, sizeof(large), 1), RUSM_ENOMEM);
    memory_works();
    assert_int_equal(q.len, 1); /* not even the head */
    assert_int_equal(q.records, 1);
    assert_int_equal(peeked(&q, got, 16, 16), 1);
    outq_fini(&q, &pool);
#ifndef __SANITIZE_ADDRESS__ /* with it there are no spare chunks */
    /* A spare chunk needs no memory. */
    memory_fail_after(0);
    assert_int_equal(outq_append(&q, &pool, "c", 1, NULL, 0, 1), 0);
    memory_works();
    outq_fini(&q, &pool);
#endif
    outq_pool_fini(&pool);
}

/* Calls in random order, compared with a plain array. */
static void test_model(void **state)
{
    enum { BYTES = 4 * 1024 * 1024 };
    static uint8_t bytes[BYTES], got[20000];
    struct outq_pool pool;
    struct outq q;
    struct rng rng;
    size_t end = 0, sent = 0, acked = 0;
    uint64_t ends[4096];
    size_t records = 0, confirmed = 0;

    (void)state;
    rng_init(&rng, 11);
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (uint8_t)rng_u64(&rng);
    }
    outq_pool_init(&pool, NULL);
    outq_init(&q);
    while (end + 20000 < BYTES && records < 4096) {
        size_t n;
        switch (rng_below(&rng, 5)) {
        case 0:
        case 1:
            n = rng_below(&rng, rng_below(&rng, 8) == 0 ? 20000 : 60);
            if (n > 0) {
                size_t head = rng_below(&rng, n);
                assert_int_equal(outq_append(&q, &pool, bytes + end, head, bytes + end + head,
                                             n - head, 1),
                                 0);
                end += n;
                ends[records++] = end;
            }
            break;
        case 2:
        case 3:
            n = peeked(&q, got, rng_below(&rng, sizeof(got)), 1 + rng_below(&rng, 8));
            assert_memory_equal(got, bytes + sent, n);
            n = rng_below(&rng, n + 1); /* the transport may take less */
            outq_sent(&q, n);
            sent += n;
            break;
        default:
            n = rng_below(&rng, sent - acked + 1);
            outq_acked(&q, &pool, n);
            acked += n;
            while (confirmed < records && ends[confirmed] <= acked) {
                confirmed++;
            }
        }
        assert_int_equal(q.len, end - acked);
        assert_int_equal(q.unsent, end - sent);
        /* Records are counted off when their chunk is freed, never too early. */
        assert_true(q.records >= records - confirmed);
        assert_true(acked != end || q.records == 0);
    }
    assert_true(records > 300);
    outq_fini(&q, &pool);
    outq_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_head_and_body),
        cmocka_unit_test(test_bytes_do_not_move),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
