/* wire/follow: what a follower wants, and events. */
#include "wire/follow.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "doubles/vectors.h"
#include "wire/limits.h"

static ssize_t show_follow(struct vector *v)
{
    static const char *const mode[] = { "all", "only", "but" };
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct follow f;
    int rc = follow_read(&r, &f);

    assert_int_equal(rc < 0, r.bad);
    if (rc != 0) {
        return rc;
    }
    vector_say(v, "%" PRIx32 "-%" PRIu64 " %s", f.incarnation, f.since, mode[f.mode]);
    for (size_t i = 0; i < f.count; i++) {
        vector_say(v, " %s", f.type[i]);
    }
    follow_write(&w, &f);
    v->again_len = writer_len(&w);
    return 1;
}

static ssize_t show_event(struct vector *v)
{
    static struct follow_event e;
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    char texts[1024];
    int rc = follow_event_read(&r, &e, texts, sizeof(texts));

    if (rc <= 0) {
        assert_int_equal(rc < 0, r.bad);
        return rc;
    }
    vector_say(v, "%" PRIu64 " %" PRIu64 " %s", e.id, e.time_ms, e.type);
    follow_event_write(&w, e.id, e.time_ms, e.type, e.count);
    for (size_t i = 0; i < e.count; i++) {
        const struct rusm_field *field = &e.field[i];
        if (field->type == RUSM_TYPE_TEXT) {
            vector_say(v, " %s=\"%s\"", field->column, field->text);
            follow_text_write(&w, field->column, field->text);
        } else {
            vector_say(v, " %s=%" PRIu64, field->column, field->number);
            follow_number_write(&w, field->column, field->number);
        }
    }
    v->again_len = writer_len(&w);
    return 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("follow", show_follow, 0) >= 8);
    assert_true(vectors_check("event", show_event, 0) >= 8);
}

static void test_wants(void **state)
{
    struct follow f = { .mode = FOLLOW_ALL };

    (void)state;
    assert_true(follow_wants(&f, "node_up"));
    f = (struct follow){ .mode = FOLLOW_ONLY, .count = 2, .type = { "node_up", "node_down" } };
    assert_true(follow_wants(&f, "node_down"));
    assert_false(follow_wants(&f, "counters"));
    f.mode = FOLLOW_BUT;
    assert_false(follow_wants(&f, "node_up"));
    assert_true(follow_wants(&f, "counters"));
}

/* Texts that do not fit are no reason to write behind the room. */
static void test_texts_too_long(void **state)
{
    static struct follow_event e;
    uint8_t body[64];
    struct writer w = writer_on(body, sizeof(body));
    char texts[6];

    (void)state;
    follow_event_write(&w, 1, 2, "x", 2);
    follow_text_write(&w, "a", "abc");
    follow_text_write(&w, "b", "d");
    for (size_t cap = 0; cap <= sizeof(texts); cap++) {
        struct reader r = reader_on(body, writer_len(&w));
        assert_int_equal(follow_event_read(&r, &e, texts, cap), cap < 6 ? RUSM_EMALFORMED : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_texts_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
