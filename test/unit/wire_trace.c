/* wire/trace: what a tracer asks for. */
#include "wire/trace.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "doubles/vectors.h"

static ssize_t show_trace(struct vector *v)
{
    static const char *const kind[] = { "pid", "name", "global" };
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct trace t;
    int rc = trace_read(&r, &t);

    assert_int_equal(rc < 0, r.bad);
    if (rc != 0) {
        return rc;
    }
    vector_say(v, "%s ", kind[t.target.kind]);
    if (t.target.kind == TARGET_PID) {
        vector_say(v, "%" PRIu64 "#%" PRIx32, t.target.serial, t.target.incarnation);
    } else {
        vector_say(v, "%.*s", (int)t.target.name_len, t.target.name);
    }
    vector_say(v, " %" PRIu64 "%s", t.count, t.payload ? " payload" : "");
    trace_write(&w, &t);
    v->again_len = writer_len(&w);
    return 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("trace", show_trace, 0) >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
