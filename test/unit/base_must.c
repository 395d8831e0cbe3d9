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

static void test_true_does_nothing(void **state)
{
    (void)state;
    int calls = 0;

    must(++calls == 1);
    assert_int_equal(calls, 1);
}

static void test_false_aborts_with_a_text(void **state)
{
    (void)state;
    char text[512] = { 0 };
    int fds[2], status;

    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        must(child != 0);
        _exit(0);
    }
    close(fds[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(fds[0], text + used, sizeof(text) - 1 - used)) > 0;) {
        used += (size_t)n;
    }
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "base_must.c:"));
    assert_non_null(strstr(text, "test_false_aborts_with_a_text"));
    assert_non_null(strstr(text, "child != 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_true_does_nothing),
        cmocka_unit_test(test_false_aborts_with_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
