/* wire/varint: the forms of RFC 9000, and texts on readers and writers. */
#include "wire/varint.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "doubles/vectors.h"

static ssize_t show_varint(struct vector *v)
{
    uint64_t value;
    size_t n = varint_decode(v->in, v->len, &value);

    if (n > 0) {
        vector_say(v, "%" PRIu64, value);
        v->again_len = varint_encode(v->again, value);
        assert_int_equal(varint_len(value), v->again_len);
    }
    return (ssize_t)n;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("varint", show_varint, 1) >= 20);
}

static void test_every_length_at_its_bounds(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 62; bit++) {
        for (uint64_t v = (UINT64_C(1) << bit) - 1, i = 0; i < 3; v++, i++) {
            uint8_t bytes[VARINT_LEN_MAX];
            uint64_t back = ~v;
            size_t n = varint_encode(bytes, v);
            assert_int_equal(n, v < 64 ? 1 : v < 16384 ? 2 : v < 1 << 30 ? 4 : 8);
            assert_int_equal(varint_decode(bytes, n, &back), n);
            assert_true(back == v);
        }
    }
}

static void test_reader_is_bad_for_good(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 5, 0x40 };
    struct reader r = reader_on(bytes, sizeof(bytes));

    assert_int_equal(reader_varint(&r), 5);
    assert_false(r.bad);
    assert_int_equal(reader_varint(&r), 0);
    assert_true(r.bad);
    assert_int_equal(reader_varint(&r), 0);
    assert_int_equal(reader_left(&r), 0);
}

static void test_writer_refuses_what_does_not_fit(void **state)
{
    (void)state;
    uint8_t bytes[4];
    struct writer w = writer_on(bytes, sizeof(bytes));

    writer_varint(&w, 16383);
    assert_int_equal(writer_len(&w), 2);
    writer_varint(&w, 16384);
    assert_true(w.bad);
    assert_int_equal(writer_len(&w), 2);
    writer_varint(&w, 1);
    assert_int_equal(writer_len(&w), 2);

    w = writer_on(bytes, sizeof(bytes));
    writer_varint(&w, VARINT_MAX + 1);
    assert_true(w.bad);
}

static void test_text(void **state)
{
    (void)state;
    uint8_t bytes[16];
    struct writer w = writer_on(bytes, sizeof(bytes));
    size_t len = 99;

    writer_text(&w, "abc", 3);
    writer_text(&w, NULL, 0);
    assert_false(w.bad);
    struct reader r = reader_on(bytes, writer_len(&w));
    assert_memory_equal(reader_text(&r, &len, 3), "abc", 3);
    assert_int_equal(len, 3);
    assert_ptr_equal(reader_text(&r, &len, 3), bytes + 5);
    assert_int_equal(len, 0);
    assert_false(r.bad);

    /* A text too long for the caller, too long for the bytes, and long enough to overflow a
     * size_t. */
    r = reader_on(bytes, writer_len(&w));
    assert_null(reader_text(&r, &len, 2));
    assert_true(r.bad);
    assert_int_equal(len, 0);
    r = reader_on(bytes, 3);
    assert_null(reader_text(&r, &len, 3));
    assert_true(r.bad);
    memset(bytes, 0xff, 8);
    r = reader_on(bytes, sizeof(bytes));
    assert_null(reader_text(&r, &len, SIZE_MAX));
    assert_true(r.bad);
    assert_int_equal(len, 0);

    w = writer_on(bytes, 3);
    writer_text(&w, "abc", 3);
    assert_true(w.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_length_at_its_bounds),
        cmocka_unit_test(test_reader_is_bad_for_good),
        cmocka_unit_test(test_writer_refuses_what_does_not_fit),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
