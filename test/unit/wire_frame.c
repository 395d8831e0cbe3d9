/* wire/frame: frame heads, receipts, and the frames that are one or two numbers. */
#include "wire/frame.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "wire/limits.h"
#include "doubles/vectors.h"

static unsigned types_seen;

static ssize_t show_frame(struct vector *v)
{
    struct frame f;
    ssize_t n = frame_decode(v->in, v->len, &f);

    if (n > 0) {
        vector_say(v, "type=%" PRIu64 "%s body=", f.type, f.skip ? " skip" : "");
        vector_say_hex(v, f.body, f.len);
        size_t head = frame_head_encode(v->again, f.type, f.skip, f.len);
        assert_true(head <= FRAME_HEAD_MAX);
        memcpy(v->again + head, f.body, f.len);
        v->again_len = head + f.len;
        types_seen |= f.type < FRAME_TYPES ? 1u << f.type : 0;
    }
    return n;
}

static ssize_t show_receipts(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct receipt receipt;
    int rc;

    while ((rc = receipt_read(&r, &receipt)) == 1) {
        vector_say(v, "%s%" PRIu64 ":%" PRIu64, v->text[0] ? " " : "", receipt.id, receipt.status);
        receipt_write(&w, &receipt);
    }
    v->again_len = writer_len(&w);
    /* At the end, and after an error, a further read returns the same. */
    assert_int_equal(receipt_read(&r, &receipt), rc);
    return rc < 0 ? rc : 1;
}

static ssize_t show_drained(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));

    while (!r.bad && reader_left(&r) > 0) {
        uint64_t ordinal = reader_varint(&r);
        vector_say(v, "%s%" PRIu64, v->text[0] ? " " : "", ordinal);
        writer_varint(&w, ordinal);
    }
    v->again_len = writer_len(&w);
    return r.bad ? RUSM_EMALFORMED : 1;
}

static ssize_t show_cancel(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    uint64_t id = reader_varint(&r);

    vector_say(v, "%" PRIu64, id);
    writer_varint(&w, id);
    v->again_len = writer_len(&w);
    return r.bad ? RUSM_EMALFORMED : 1;
}

static ssize_t show_ping(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    uint64_t id = reader_u64(&r);

    vector_say(v, "%016" PRIx64, id);
    writer_u64(&w, id);
    v->again_len = writer_len(&w);
    return r.bad ? RUSM_EMALFORMED : 1;
}

static void test_frame_vectors(void **state)
{
    (void)state;
    types_seen = 0;
    assert_true(vectors_check("frame", show_frame, 1) >= 23);
    assert_int_equal(types_seen, (1u << FRAME_TYPES) - 1);
}

static void test_body_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("receipts", show_receipts, 0) >= 8);
    assert_true(vectors_check("drained", show_drained, 0) >= 3);
    assert_true(vectors_check("cancel", show_cancel, 0) >= 3);
    assert_true(vectors_check("ping", show_ping, 0) >= 3);
}

static void test_longest_body(void **state)
{
    (void)state;
    static uint8_t bytes[FRAME_HEAD_MAX + LIMIT_FRAME];
    struct frame f;
    size_t head = frame_head_encode(bytes, FRAME_NAMES, false, LIMIT_FRAME);

    assert_int_equal(frame_decode(bytes, head + LIMIT_FRAME - 1, &f), 0);
    assert_int_equal(frame_decode(bytes, head + LIMIT_FRAME, &f), head + LIMIT_FRAME);
    assert_ptr_equal(f.body, bytes + head);
    assert_int_equal(f.len, LIMIT_FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_vectors),
        cmocka_unit_test(test_body_vectors),
        cmocka_unit_test(test_longest_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
