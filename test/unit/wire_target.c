/* wire/target: the target of a lane or a request. */
#include "wire/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "doubles/target.h"
#include "rusm.h"

static ssize_t show_target(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct target t;

    target_read(&r, &t);
    if (r.bad) {
        return RUSM_EMALFORMED;
    }
    assert_int_equal(reader_left(&r), 0);
    target_say(v, &t);
    target_write(&w, &t);
    v->again_len = writer_len(&w);
    return 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("target", show_target, 0) >= 28);
}

static void test_every_part_is_malformed(void **state)
{
    (void)state;
    const struct target whole[] = {
        { .kind = TARGET_PID, .serial = 17, .incarnation = 0x5f3a1c },
        { .kind = TARGET_GLOBAL, .name = "abc", .name_len = 3 },
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[32];
        struct writer w = writer_on(bytes, sizeof(bytes));
        target_write(&w, &whole[i]);
        for (size_t part = 0; part < writer_len(&w); part++) {
            struct reader r = reader_on(bytes, part);
            struct target t;
            target_read(&r, &t);
            assert_true(r.bad);
        }
    }
}

static void test_a_bad_reader_stays_bad(void **state)
{
    (void)state;
    const uint8_t bytes[] = { 1, 1, 'a' };
    struct reader r = reader_on(bytes, sizeof(bytes));
    struct target t;

    r.bad = true;
    target_read(&r, &t);
    assert_true(r.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_part_is_malformed),
        cmocka_unit_test(test_a_bad_reader_stays_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
