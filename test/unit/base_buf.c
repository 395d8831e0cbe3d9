/* base/buf: a queue of bytes with a limit.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "base/rng.h"
#include "doubles/memory.h"
#include "rusm.h"

static void test_empty(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 100);
    assert_int_equal(buf_len(&b), 0);
    assert_int_equal(buf_append(&b, NULL, 0), 0);
    buf_consume(&b, 0);
    buf_clear(&b);
    buf_trim(&b);
    assert_null(b.base);
    buf_fini(&b);
}

/* Compares the queue with a plain counter: bytes come out in order, at every size. */
static void test_bytes_keep_their_order(void **state)
{
    (void)state;
    struct rng rng;
    struct buf b;
    uint8_t chunk[300];
    uint64_t in = 0, out = 0;

    rng_init(&rng, 1);
    buf_init(&b, 1000);
    for (unsigned i = 0; i < 100000; i++) {
        size_t n = (size_t)rng_below(&rng, sizeof(chunk));
        if (rng_below(&rng, 2) == 0) {
            for (size_t k = 0; k < n; k++) {
                chunk[k] = (uint8_t)((in + k) % 251);
            }
            int rc = buf_append(&b, chunk, n);
            assert_int_equal(rc, in - out + n > 1000 ? RUSM_ELIMIT : 0);
            in += rc == 0 ? n : 0;
        } else {
            n = n < buf_len(&b) ? n : buf_len(&b);
            for (size_t k = 0; k < n; k++) {
                assert_int_equal(buf_data(&b)[k], (out + k) % 251);
            }
            buf_consume(&b, n);
            out += n;
        }
        assert_int_equal(buf_len(&b), in - out);
        assert_true(b.cap <= 1000);
    }
    assert_true(out > 1000000);
    buf_fini(&b);
}

static void test_exactly_the_limit(void **state)
{
    (void)state;
    uint8_t bytes[1000] = { 0 };
    struct buf b;

    buf_init(&b, sizeof(bytes));
    assert_int_equal(buf_append(&b, bytes, sizeof(bytes)), 0);
    assert_int_equal(buf_append(&b, bytes, 1), RUSM_ELIMIT);
    assert_null(buf_reserve(&b, 1));
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_consume(&b, 1);
    assert_int_equal(buf_append(&b, bytes, 1), 0);
    assert_int_equal(buf_len(&b), sizeof(bytes));
    buf_fini(&b);

    buf_init(&b, 0);
    assert_null(buf_reserve(&b, 0));
    assert_int_equal(buf_append(&b, bytes, 1), RUSM_ELIMIT);
    buf_fini(&b);
}

static void test_reserve_then_wrote(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 100);
    assert_non_null(buf_reserve(&b, 0));
    uint8_t *room = buf_reserve(&b, 10);
    memcpy(room, "abcdefghij", 10);
    assert_int_equal(buf_len(&b), 0);
    buf_wrote(&b, 3);
    assert_int_equal(buf_len(&b), 3);
    assert_memory_equal(buf_data(&b), "abc", 3);
    buf_fini(&b);
}

/* A large buffer is freed once it is empty. */
static void test_trim(void **state)
{
    (void)state;
    uint8_t byte = 7;
    struct buf b;

    buf_init(&b, 1 << 20);
    assert_non_null(buf_reserve(&b, 1 << 20));
    assert_int_equal(buf_append(&b, &byte, 1), 0);
    buf_trim(&b);
    assert_int_equal(buf_len(&b), 1);
    buf_consume(&b, 1);
    buf_trim(&b);
    assert_null(b.base);
    assert_int_equal(b.cap, 0);
    assert_int_equal(buf_append(&b, &byte, 1), 0);
    buf_fini(&b);
}

static void test_no_memory(void **state)
{
    (void)state;
    uint8_t bytes[600] = { 1, 2, 3 };
    struct buf b;

    buf_init(&b, 10000);
    memory_fail_after(0);
    assert_int_equal(buf_append(&b, bytes, 3), RUSM_ENOMEM);
    assert_null(buf_reserve(&b, 1));
    memory_works();
    assert_int_equal(buf_append(&b, bytes, 3), 0);
    memory_fail_after(0);
    assert_int_equal(buf_append(&b, bytes, sizeof(bytes)), RUSM_ENOMEM);
    memory_works();
    assert_int_equal(buf_len(&b), 3);
    assert_memory_equal(buf_data(&b), bytes, 3);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_bytes_keep_their_order),
        cmocka_unit_test(test_exactly_the_limit),
        cmocka_unit_test(test_reserve_then_wrote),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
