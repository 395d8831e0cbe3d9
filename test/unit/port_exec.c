/* port/exec: parses a SPEC. */
#include "port/exec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "port/limits.h"
#include "port/worker.h"

static const struct {
    const char *spec, *framing;
    bool pty;
    unsigned count;
    const char *command, *name;
} good[] = {
    { ":tr a-z A-Z", "lines", false, 1, "tr a-z A-Z", "exec:tr" },
    { "+json:python3 w.py", "json", false, 1, "python3 w.py", "exec:python3" },
    { "+len*4:/usr/bin/x y", "len", false, 4, "/usr/bin/x y", "exec:x" },
    { "*64+json+pty:a:b+c*d", "json", true, 64, "a:b+c*d", "exec:a:b+c*d" },
    { "+pty+lines*1: exec cat|rev", "lines", true, 1, " exec cat|rev", "exec:cat" },
    { ":while read x; do :; done", "lines", false, 1, "while read x; do :; done", "exec:while" },
    { ":stdbuf -oL tr a-z A-Z", "lines", false, 1, "stdbuf -oL tr a-z A-Z", "exec:tr" },
    { ":A=1 exec env B=2 /bin/x", "lines", false, 1, "A=1 exec env B=2 /bin/x", "exec:x" },
    { ":exec", "lines", false, 1, "exec", "exec:exec" },
    { ":A=1; env | cat", "lines", false, 1, "A=1; env | cat", "exec:A=1" },
    { ":a/", "lines", false, 1, "a/", "exec:a/" },
    { ":0123456789012345678901234567890123456789", "lines", false, 1,
      "0123456789012345678901234567890123456789", "exec:01234567890123456789012345678901" },
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct exec e;
        const char *command;
        assert_int_equal(exec_parse(good[i].spec, &e, &command, NULL), 0);
        assert_string_equal(e.framing->word, good[i].framing);
        assert_int_equal(e.pty, good[i].pty);
        assert_int_equal(e.count, good[i].count);
        assert_string_equal(command, good[i].command);
        assert_string_equal(e.name, good[i].name);
    }
}

static void test_bad(void **state)
{
    static const char *const bad[] = { "",
                                       ":",
                                       ": \t",
                                       "+json",
                                       "+:x",
                                       "+jso:x",
                                       "+jsonx:x",
                                       "*:x",
                                       "*0:x",
                                       "*65:x",
                                       "*-1:x",
                                       "*1x:x",
                                       "*99999999999999999999:x",
                                       "+json+:x",
                                       "+PTY:x" };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct exec e;
        const char *command;
        struct rusm_why why = { "" };
        assert_int_equal(exec_parse(bad[i], &e, &command, &why), RUSM_EINVAL);
        assert_non_null(strstr(why.text, "exec"));
    }
}

static void test_kinds(void **state)
{
    (void)state;
    assert_ptr_equal(port_kind_of("exec:x"), &port_exec);
    assert_ptr_equal(port_kind_of("exec+json:x"), &port_exec);
    assert_ptr_equal(port_kind_of("exec*2:x"), &port_exec);
    assert_null(port_kind_of("exec"));
    assert_null(port_kind_of("execute:x"));
    assert_null(port_kind_of("lib+x:y"));
}

/* ---- answers -------------------------------------------------------------------------------- */

static struct rusm_message from(uint64_t serial, enum rusm_kind kind, uint64_t ref)
{
    return (struct rusm_message){ .kind = kind, .from = { .serial = serial }, .ref = ref };
}

static void owe(struct answers *a, uint64_t serial, enum rusm_kind kind, uint64_t ref)
{
    struct rusm_message m = from(serial, kind, ref);
    assert_int_equal(answers_owe(a, &m), 0);
}

static void test_answers_in_order(void **state)
{
    struct answers a;
    (void)state;
    answers_init(&a);
    assert_null(answers_next(&a));
    assert_null(answers_last(&a));
    for (int round = 0; round < 5; round++) {
        for (uint64_t i = 1; i <= 20; i++) {
            owe(&a, i, RUSM_SEND, 0);
            owe(&a, i, RUSM_SEND, 0);
            owe(&a, i, RUSM_CALL, 100 + i);
        }
        assert_int_equal(a.runs, 40); /* two sends in a row from one process are one run */
        assert_int_equal(answers_last(&a)->ref, 120);
        for (uint64_t i = 1; i <= 20; i++) {
            for (int twice = 0; twice < 2; twice++) {
                assert_int_equal(answers_next(&a)->from.serial, i);
                assert_int_equal(answers_next(&a)->kind, RUSM_SEND);
                answers_given(&a);
            }
            assert_int_equal(answers_next(&a)->ref, 100 + i);
            answers_given(&a);
        }
        assert_null(answers_next(&a));
    }
    answers_fini(&a);
}

static void test_answers_bounded(void **state)
{
    const uint64_t all = 3 * LIMIT_PROGRAM_FLIGHT;
    struct answers a;
    (void)state;
    answers_init(&a);
    for (uint64_t i = 1; i <= all; i++) {
        owe(&a, i, RUSM_SEND, 0);
    }
    assert_int_equal(a.runs, LIMIT_PROGRAM_FLIGHT);
    /* The oldest answers lose their receivers, but are still counted. */
    for (uint64_t i = 1; i <= all - LIMIT_PROGRAM_FLIGHT + 1; i++) {
        assert_int_equal(answers_next(&a)->from.serial, 0);
        answers_given(&a);
    }
    for (uint64_t i = all - LIMIT_PROGRAM_FLIGHT + 2; i <= all; i++) {
        assert_int_equal(answers_next(&a)->from.serial, i);
        answers_given(&a);
    }
    assert_null(answers_next(&a));
    answers_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_answers_in_order),
        cmocka_unit_test(test_answers_bounded),
    };
    return cmocka_run_group_tests_name("port/exec", tests, NULL, NULL);
}
