/* local/usage: what this process has of the machine. */
#include "local/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

static void test_descriptors(void **state)
{
    struct usage before, after;
    struct rlimit most;
    int fd[10];

    (void)state;
    usage_now(&before);
    assert_true(before.descriptors >= 3);
    for (int i = 0; i < 10; i++) {
        fd[i] = dup(0);
        assert_true(fd[i] >= 0);
    }
    usage_now(&after);
    assert_int_equal(after.descriptors, before.descriptors + 10);
    for (int i = 0; i < 10; i++) {
        close(fd[i]);
    }
    usage_now(&after);
    assert_int_equal(after.descriptors, before.descriptors);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &most), 0);
    assert_int_equal(after.descriptors_max, most.rlim_cur);
    most.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &most), 0);
    usage_now(&after);
    assert_int_equal(after.descriptors_max, 64);
}

static void test_memory_and_time(void **state)
{
    struct usage before, after;
    size_t len = (size_t)64 << 20;
    char *bytes = malloc(len);

    (void)state;
    assert_non_null(bytes);
    usage_now(&before);
    for (size_t i = 0; i < len; i += 512) {
        ((volatile char *)bytes)[i] = 1;
    }
    usage_now(&after);
    assert_true(after.memory >= before.memory + len / 2);
    free(bytes);
    do { /* ends by itself: it uses time */
        usage_now(&after);
    } while (after.cpu_ms < before.cpu_ms + 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_memory_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
