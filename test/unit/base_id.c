/* base/id: names, pids, addresses and targets as text. */
#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_node_names(void **state)
{
    (void)state;
    char longest[65];
    memset(longest, 'n', sizeof(longest));

    static const char *const good[] = { "a", "Z", "0", "london", "a.b-c_d", "1.2" };
    static const char *const bad[] = { "",    ".a",  "-a", "_a",   "a b", "a@b", "a/b", "a#b",
                                       "a:b", "a\n", "ä",  "a/..", "..",  "a%b", " a" };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(id_node_name_ok(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(id_node_name_ok(bad[i], strlen(bad[i])));
    }
    assert_true(id_node_name_ok(longest, 63));
    assert_false(id_node_name_ok(longest, 64));
    assert_false(id_node_name_ok("a\0b", 3));
    assert_false(id_node_name_ok(NULL, 0));
}

static void test_process_names(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'n', sizeof(longest));

    static const char *const good[] = { "a",   "greeter", "17a",    "a17",  "-1", "a/b:c#d",
                                        "1.5", "\"'`$",   "zähler", "漢字", "😀" };
    static const char *const bad[] = { "",          "17",   "0",     "a b",          "a\tb",
                                       "a\n",       "a@b",  "@",     "a\x7f",        "a\xc2\x85",
                                       "a\xc2\xa0", "\xff", "a\xc3", "\xed\xa0\x80", "\xe2\x80\xa8",
                                       " " };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(id_process_name_ok(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(id_process_name_ok(bad[i], strlen(bad[i])));
    }
    assert_true(id_process_name_ok(longest, 255));
    assert_false(id_process_name_ok(longest, 256));
    assert_false(id_process_name_ok("a\0b", 3));
    assert_false(id_process_name_ok(NULL, 0));
}

/* Parses an address from exactly that many bytes on the heap. Returns its parts as one text. */
static const char *address(const char *text)
{
    static char out[400];
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);
    struct id_address a;

    assert_non_null(copy);
    memcpy(copy, text, len);
    if (id_address_parse(copy, len, &a) != 0) {
        snprintf(out, sizeof(out), "bad");
    } else {
        int n = a.name ? snprintf(out, sizeof(out), "%.*s", (int)a.name_len, a.name)
                       : snprintf(out, sizeof(out), "%llu", (unsigned long long)a.serial);
        if (a.node) {
            n += snprintf(out + n, sizeof(out) - (size_t)n, " at %.*s", (int)a.node_len, a.node);
        }
        if (a.has_incarnation) {
            snprintf(out + n, sizeof(out) - (size_t)n, " in %x", a.incarnation);
        }
    }
    free(copy);
    return out;
}

static void test_addresses(void **state)
{
    (void)state;
    assert_string_equal(address("greeter"), "greeter");
    assert_string_equal(address("greeter@london"), "greeter at london");
    assert_string_equal(address("17"), "17");
    assert_string_equal(address("17@london"), "17 at london");
    assert_string_equal(address("17@london#5f3a1c"), "17 at london in 5f3a1c");
    assert_string_equal(address("17@london#FFFFFFFF"), "17 at london in ffffffff");
    assert_string_equal(address("17@l#00000001"), "17 at l in 1");
    assert_string_equal(address("4611686018427387903"), "4611686018427387903");
    assert_string_equal(address("a#5f"), "a#5f"); /* a name may contain "#" */

    static const char *const bad[] = {
        "",
        "@",
        "@london",
        "greeter@",
        "17@",
        "0",
        "017",
        "0@london",
        "4611686018427387904",
        "18446744073709551617",
        "99999999999999999999999",
        "a b",
        "a@b@c",
        "17@lon don",
        "17@london#",
        "17@london#0",
        "17@london#g",
        "17@london#123456789",
        "17@london#1#2",
        "greeter@london#5f",
        "17@#5f",
        "17 @london",
        "17@london ",
        "-1@london#0x1",
        "17@london#0x1",
        "17@london# 1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (strcmp(address(bad[i]), "bad") != 0) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
}

static void test_pid_there_and_back(void **state)
{
    (void)state;
    char text[RUSM_PID_TEXT_MAX], node[64];
    struct id_address a;

    memset(node, 'n', 63);
    node[63] = '\0';
    int n = id_pid_format(text, sizeof(text), 17, "london", 0x5f3a1c);
    assert_string_equal(text, "17@london#5f3a1c");
    assert_int_equal(n, strlen(text));
    n = id_pid_format(text, sizeof(text), (UINT64_C(1) << 62) - 1, node, UINT32_MAX);
    assert_true(n > 0 && n < RUSM_PID_TEXT_MAX);
    assert_int_equal(id_address_parse(text, (size_t)n, &a), 0);
    assert_true(a.serial == (UINT64_C(1) << 62) - 1 && a.incarnation == UINT32_MAX);
    assert_memory_equal(a.node, node, 63);
    assert_int_equal(id_pid_format(text, 5, 17, "london", 1), 11);
    assert_string_equal(text, "17@l");
}

static const char *target(const char *text)
{
    static char out[400];
    struct id_target t;

    if (id_target_parse(text, &t) != 0) {
        return "bad";
    }
    snprintf(out, sizeof(out), "%s|%s|%s", t.name, t.host, t.port);
    return out;
}

static void test_targets(void **state)
{
    (void)state;
    assert_string_equal(target("london"), "london||");
    assert_string_equal(target("london@192.0.2.1:4000"), "london|192.0.2.1|4000");
    assert_string_equal(target("192.0.2.1:4000"), "|192.0.2.1|4000");
    assert_string_equal(target("host-1.example.net:1"), "|host-1.example.net|1");
    assert_string_equal(target("[::1]:65535"), "|::1|65535");
    assert_string_equal(target("l@[2001:db8::1]:80"), "l|2001:db8::1|80");
    assert_string_equal(target("[fe80::1%eth0]:80"), "|fe80::1%eth0|80");
    assert_string_equal(target("h:0080"), "|h|80");

    static const char *const bad[] = {
        "",         "@",       ":",       "london@",  "@h:1",         "lon don",
        "london@h", "h:",      "h:0",     "h:65536",  "h:99999",      "h:123456",
        "h:1x",     "h:-1",    "h: 1",    ":1",       "::1:80",       "[::1]",
        "[::1]80",  "[::1:80", "[]:80",   "[::g]:80", "[1.2.3.4]:80", "[::1%]:80",
        "-h:1",     "h h:1",   "a@b@h:1", "h/x:1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (strcmp(target(bad[i]), "bad") != 0) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
}

static void test_long_targets(void **state)
{
    (void)state;
    char text[400], name[256];
    struct id_target t;

    memset(name, 'h', 255);
    name[255] = '\0';
    snprintf(text, sizeof(text), "%s:4000", name);
    assert_int_equal(id_target_parse(text, &t), 0);
    assert_string_equal(t.host, name);
    snprintf(text, sizeof(text), "h%s:4000", name);
    assert_int_equal(id_target_parse(text, &t), RUSM_EINVAL);
    snprintf(text, sizeof(text), "[%s]:4000", name);
    assert_int_equal(id_target_parse(text, &t), RUSM_EINVAL);
    name[64] = '\0';
    assert_int_equal(id_target_parse(name, &t), RUSM_EINVAL);
    assert_int_equal(id_target_parse(name + 1, &t), 0);
    snprintf(text, sizeof(text), "%s@h:1", name);
    assert_int_equal(id_target_parse(text, &t), RUSM_EINVAL);
}

static void test_host_and_port(void **state)
{
    (void)state;
    char host[256], port[6];

    assert_int_equal(id_host_port_parse("127.0.0.1:0", host, port), 0);
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(port, "0");
    assert_int_equal(id_host_port_parse("[::]:4000", host, port), 0);
    assert_string_equal(host, "::");
    assert_int_equal(id_host_port_parse("london", host, port), RUSM_EINVAL);
    assert_int_equal(id_host_port_parse("h:65536", host, port), RUSM_EINVAL);
    assert_true(id_host_port_ok("h:1", 3));
    assert_false(id_host_port_ok("h:0", 3));
    assert_false(id_host_port_ok("h:1", 2));
    assert_false(id_host_port_ok(NULL, 0));
    assert_false(id_host_port_ok("h\0:1", 4));
    assert_false(id_host_port_ok("[::1\0]:1", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node_names),    cmocka_unit_test(test_process_names),
        cmocka_unit_test(test_addresses),     cmocka_unit_test(test_pid_there_and_back),
        cmocka_unit_test(test_targets),       cmocka_unit_test(test_long_targets),
        cmocka_unit_test(test_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
