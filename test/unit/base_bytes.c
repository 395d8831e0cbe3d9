/* base/bytes: reads and writes never pass the end. */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const uint8_t digits[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void test_reads_big_endian(void **state)
{
    (void)state;
    struct reader r = reader_on(digits, sizeof(digits));

    assert_int_equal(reader_u8(&r), 0x01);
    assert_int_equal(reader_u16(&r), 0x0203);
    assert_int_equal(reader_u32(&r), 0x04050607);
    assert_true(reader_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(reader_left(&r), 0);
    assert_false(r.bad);
}

/* With one byte too few, each read returns 0, moves nothing, and leaves the reader bad. */
static void test_reads_nothing_beyond_the_end(void **state)
{
    (void)state;
    struct reader r;

    r = reader_on(digits, 0);
    assert_int_equal(reader_u8(&r), 0);
    assert_true(r.bad);
    r = reader_on(digits, 1);
    assert_int_equal(reader_u16(&r), 0);
    assert_true(r.bad);
    assert_ptr_equal(r.at, digits);
    assert_int_equal(reader_u8(&r), 0);
    assert_int_equal(reader_left(&r), 0);
    r = reader_on(digits, 3);
    assert_int_equal(reader_u32(&r), 0);
    assert_true(r.bad);
    r = reader_on(digits, 7);
    assert_true(reader_u64(&r) == 0);
    assert_true(r.bad);
    r = reader_on(digits, 7);
    assert_null(reader_bytes(&r, 8));
    assert_true(r.bad);
    r = reader_on(digits, 7);
    assert_null(reader_bytes(&r, SIZE_MAX));
    assert_true(r.bad);
}

static void test_reads_bytes_where_they_are(void **state)
{
    (void)state;
    struct reader r = reader_on(digits, 7);

    assert_ptr_equal(reader_bytes(&r, 0), digits);
    assert_ptr_equal(reader_bytes(&r, 3), digits);
    assert_int_equal(reader_left(&r), 4);
    assert_ptr_equal(reader_bytes(&r, 4), digits + 3);
    assert_false(r.bad);
    assert_int_equal(reader_left(&r), 0);
}

static void test_nothing_at_all(void **state)
{
    (void)state;
    struct reader r = reader_on(NULL, 0);
    struct writer w = writer_on(NULL, 0);

    assert_int_equal(reader_left(&r), 0);
    reader_bytes(&r, 0);
    assert_false(r.bad);
    reader_u8(&r);
    assert_true(r.bad);
    writer_bytes(&w, NULL, 0);
    assert_false(w.bad);
    assert_int_equal(writer_len(&w), 0);
    writer_u8(&w, 1);
    assert_true(w.bad);
}

static void test_writes_what_is_read(void **state)
{
    (void)state;
    uint8_t out[16] = { 0 };
    struct writer w = writer_on(out, 15);

    writer_u8(&w, 0x01);
    writer_u16(&w, 0x0203);
    writer_u32(&w, 0x04050607);
    writer_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    assert_false(w.bad);
    assert_int_equal(writer_len(&w), 15);
    assert_memory_equal(out, digits, 15);
    writer_bytes(&w, digits, 1);
    assert_true(w.bad);
    assert_int_equal(writer_len(&w), 15);
    assert_int_equal(out[15], 0);
}

static void test_writes_nothing_after_bad(void **state)
{
    (void)state;
    uint8_t out[4] = { 0 };
    struct writer w = writer_on(out, sizeof(out));

    writer_bytes(&w, digits, 5);
    assert_true(w.bad);
    writer_u8(&w, 7);
    writer_bytes(&w, digits, 2);
    assert_int_equal(writer_len(&w), 0);
    assert_int_equal(out[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_big_endian),
        cmocka_unit_test(test_reads_nothing_beyond_the_end),
        cmocka_unit_test(test_reads_bytes_where_they_are),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_writes_what_is_read),
        cmocka_unit_test(test_writes_nothing_after_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
