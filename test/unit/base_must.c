/* base/must: a broken promise aborts the program and says where. */
#include "base/must.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

static void test_true_does_nothing(void **state)
{
    (void)state;
    int calls = 0;

    must(++calls == 1);
    assert_int_equal(calls, 1);
}

/* Breaks a promise in a child, and gives what it said. */
static void break_promise(char text[512])
{
    int fds[2], status;

    memset(text, 0, 512);
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        must(child != 0 && "why");
        _exit(0);
    }
    close(fds[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(fds[0], text + used, 511 - used)) > 0;) {
        used += (size_t)n;
    }
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "base_must.c:"));
    assert_non_null(strstr(text, "break_promise"));
    assert_non_null(strstr(text, "child != 0 && \"why\"") || strstr(text, "child != 0 && \\\"why"));
}

static void test_false_aborts_with_a_text(void **state)
{
    char text[512];

    (void)state;
    unsetenv("RUSM_LOG_FORMAT");
    break_promise(text);
    assert_memory_equal(text, "rusm: bug: ", 11);
}

static void test_the_text_is_json(void **state)
{
    char text[512];
    json_t *line;

    (void)state;
    setenv("RUSM_LOG_FORMAT", "json", 1);
    break_promise(text);
    unsetenv("RUSM_LOG_FORMAT");
    line = json_loads(text, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_int_equal(strlen(json_string_value(json_object_get(line, "time"))), 24);
    assert_non_null(strstr(json_string_value(json_object_get(line, "text")), "&& \"why\""));
    json_decref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_true_does_nothing),
        cmocka_unit_test(test_false_aborts_with_a_text),
        cmocka_unit_test(test_the_text_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
