/* wire/exit: the copy of an exit signal on the control stream. */
#include "wire/exit.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "doubles/vectors.h"
#include "rusm.h"

static ssize_t show_exit(struct vector *v)
{
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct exit_copy copy;
    int rc = exit_copy_decode(v->in, v->len, &copy);

    if (rc < 0) {
        return rc;
    }
    vector_say(v, "ref=%" PRIu64 " from=%" PRIu64 " to=%" PRIu64 "#%" PRIx32 " reason=\"%.*s\"",
               copy.ref, copy.from, copy.to, copy.incarnation, (int)copy.len, copy.reason);
    exit_copy_write(&w, &copy);
    v->again_len = writer_len(&w);
    return 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("exit", show_exit, 0) >= 10);
}

static void test_longest_reason(void **state)
{
    (void)state;
    uint8_t body[RUSM_REASON_MAX + 64];
    char reason[RUSM_REASON_MAX];
    struct exit_copy copy = { .ref = 1, .from = 2, .to = 3, .incarnation = 4, .reason = reason };
    struct writer w = writer_on(body, sizeof(body));

    memset(reason, 'r', sizeof(reason));
    copy.len = sizeof(reason);
    exit_copy_write(&w, &copy);
    assert_false(w.bad);
    assert_int_equal(exit_copy_decode(body, writer_len(&w), &copy), 0);
    assert_int_equal(copy.len, RUSM_REASON_MAX);
    for (size_t len = 0; len < writer_len(&w); len++) {
        assert_int_equal(exit_copy_decode(body, len, &copy), RUSM_EMALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_longest_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
