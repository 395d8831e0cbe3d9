/* local/nodefile: reads the `nodes` file that people write. */
#include "local/nodefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include "doubles/folder.h"

static int read_text(const struct folder *f, const void *text, size_t len,
                     struct nodefile_entry **list, size_t *count, struct rusm_why *why)
{
    char path[256];

    assert_int_equal(folder_write(f, "nodes", text, len), 0);
    return nodefile_read(folder_path(f, "nodes", path), list, count, why);
}

static void test_path(void **state)
{
    char path[64];

    (void)state;
    assert_int_equal(nodefile_path("/etc/rusm/cluster.pem", path, sizeof(path)), 0);
    assert_string_equal(path, "/etc/rusm/nodes");
    assert_int_equal(nodefile_path("cluster.pem", path, sizeof(path)), 0);
    assert_string_equal(path, "nodes");
    assert_int_equal(nodefile_path("/etc/rusm/cluster.pem", path, 15), RUSM_EINVAL);
}

static void test_read(void **state)
{
    static const char text[] = "# the machines of the lab\n"
                               "\n"
                               "london 10.0.0.1:4000\n"
                               "  tokyo\t[fe80::1%eth0]:4001   # in the rack\r\n"
                               "   # nothing here\n"
                               "oslo oslo.example:65535";
    struct nodefile_entry *list;
    size_t count;
    struct rusm_why why = { "" };

    assert_int_equal(read_text(*state, text, sizeof(text) - 1, &list, &count, &why), 0);
    assert_int_equal(count, 3);
    assert_string_equal(list[0].name, "london");
    assert_string_equal(list[0].address, "10.0.0.1:4000");
    assert_string_equal(list[1].name, "tokyo");
    assert_string_equal(list[1].address, "[fe80::1%eth0]:4001");
    assert_string_equal(list[2].name, "oslo");
    assert_string_equal(list[2].address, "oslo.example:65535");
    free(list);
}

static void test_many(void **state)
{
    char text[4096];
    size_t len = 0, count;
    struct nodefile_entry *list;

    for (int i = 0; i < 100; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "n%d h:%d\n", i, i + 1);
    }
    assert_int_equal(read_text(*state, text, len, &list, &count, NULL), 0);
    assert_int_equal(count, 100);
    assert_string_equal(list[99].name, "n99");
    assert_string_equal(list[99].address, "h:100");
    free(list);
}

static void test_none(void **state)
{
    const struct folder *f = *state;
    struct nodefile_entry *list = (void *)1;
    size_t count = 9;
    char path[256];
    struct rusm_why why;

    assert_int_equal(nodefile_read(folder_path(f, "nodes", path), &list, &count, &why), 0);
    assert_null(list);
    assert_int_equal(count, 0);
    assert_int_equal(nodefile_read(f->path, &list, &count, &why), RUSM_EIO);
    assert_int_equal(read_text(f, "", 0, &list, &count, &why), 0);
    assert_int_equal(count, 0);
    free(list);
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "london",           "london 1.2.3.4", "london 1.2.3.4:0",   "london 1.2.3.4:70000",
        "-x 1.2.3.4:1",     "a@b 1.2.3.4:1",  "london 1.2.3.4:1 x", "1.2.3.4:1 london",
        "london #1.2.3.4:1"
    };
    struct nodefile_entry *list;
    size_t count;
    char text[128];
    struct rusm_why why;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int n = snprintf(text, sizeof(text), "good h:1\n%s\nalso h:2\n", bad[i]);
        if (read_text(*state, text, (size_t)n, &list, &count, &why) != RUSM_EMALFORMED) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_non_null(strstr(why.text, "line 2"));
        assert_null(list);
    }
    assert_int_equal(read_text(*state, "a h:1\0b\n", 8, &list, &count, &why), RUSM_EMALFORMED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path), TEST(test_read), TEST(test_many), TEST(test_none),
        TEST(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
