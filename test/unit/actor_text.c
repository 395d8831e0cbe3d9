/* actor/text: pids as text, and lines of output. */
#include "doubles/actor.h"

static void test_pids(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    char text[RUSM_PID_TEXT_MAX];
    rusm_pid far = { .serial = (UINT64_C(1) << 62) - 1, .incarnation = UINT32_MAX }, pid;

    assert_int_equal(rusm_pid_format(a->self, a->pid, text, sizeof(text)), 15);
    assert_string_equal(text, "1@london#5f3a1c");
    assert_int_equal(rusm_pid_parse(a->self, text, &pid), 0);
    assert_true(rusm_pid_eq(pid, a->pid));
    assert_int_equal(rusm_pid_parse(a->self, "1@london", &pid), 0);
    assert_true(rusm_pid_eq(pid, a->pid));
    assert_int_equal(rusm_pid_parse(a->self, "1", &pid), 0);
    assert_true(rusm_pid_eq(pid, a->pid));
    assert_int_equal(rusm_pid_format(a->self, a->pid, text, 3), 15);
    assert_string_equal(text, "1@");

    far.node = world_node(w, "n23456789-123456789-123456789-123456789-123456789-123456789-123");
    assert_in_range(rusm_pid_format(a->self, far, text, sizeof(text)), 1, sizeof(text) - 1);
    assert_int_equal(rusm_pid_parse(a->self, text, &pid), 0);
    assert_true(rusm_pid_eq(pid, far));
    assert_int_equal(rusm_pid_parse(a->self, "7@oslo", &pid), 0);
    assert_string_equal(rusm_node_at(a->self, pid.node), "oslo");
    assert_int_equal(pid.incarnation, 0); /* the node's present incarnation, whichever that is */

    const char *const bad[] = {
        "", "bob", "bob@oslo", "0", "1@", "1@oslo#", "1@oslo#0", "1 @oslo"
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(rusm_pid_parse(a->self, bad[i], &pid), RUSM_EINVAL);
    }
    world_free(w);
    free(a);
}

static void test_print(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    char text[3000];

    rusm_print(a->self, "%s=%d", "x", 5);
    assert_string_equal(w->line, "x=5");
    rusm_print(a->self, "%s", "");
    assert_string_equal(w->line, "");
    memset(text, 'x', sizeof(text));
    for (size_t len = 500; len < sizeof(text); len += 1) {
        text[len] = 0;
        rusm_print(a->self, "%s", text);
        assert_int_equal(strlen(w->line), len);
        text[len] = 'x';
    }
    rusm_print(a->self, "%s", "gr\xc3\xbc\xc3\x9f\x65\r\n\x7f\xff");
    assert_string_equal(w->line, "gr\xc3\xbc\xc3\x9f\x65\\x0d\\x0a\\x7f\\xff");
    rusm_init_error(a->self, "not in an init: nothing");
    world_free(w);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pids),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
