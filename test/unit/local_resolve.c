/* local/resolve: HOST:PORT to addresses and back. The test resolves no name that needs a name
 * service, except one that no service can know. */
#include "local/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void expect_same(const char *text)
{
    struct resolved r[4];
    char again[128];
    struct rusm_why why = { "" };

    if (resolve(text, false, r, 4, &why) != 1) {
        fail_msg("%s: %s", text, why.text);
    }
    resolve_format((const struct sockaddr *)&r[0].address, r[0].len, again, sizeof(again));
    assert_string_equal(again, text);
}

static void test_literals(void **state)
{
    struct resolved r[2];

    (void)state;
    expect_same("127.0.0.1:4012");
    expect_same("0.0.0.0:1");
    expect_same("[::1]:65535");
    expect_same("[2001:db8::17]:4000");

    assert_int_equal(resolve("127.0.0.1:0", true, r, 2, NULL), 1);
    const struct sockaddr_in *v4 = (const void *)&r[0].address;
    assert_int_equal(v4->sin_family, AF_INET);
    assert_int_equal(v4->sin_port, 0);
    assert_int_equal(v4->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(r[0].len, sizeof(*v4));
    assert_int_equal(resolve("[::]:80", true, r, 2, NULL), 1);
    const struct sockaddr_in6 *v6 = (const void *)&r[0].address;
    assert_int_equal(v6->sin6_family, AF_INET6);
    assert_int_equal(v6->sin6_port, htons(80));
}

static void test_localhost(void **state)
{
    struct resolved r[8];
    struct rusm_why why;
    int n = resolve("localhost:4012", false, r, 8, &why);

    (void)state;
    assert_true(n >= 1);
    for (int i = 0; i < n; i++) {
        bool v6 = r[i].address.ss_family == AF_INET6;
        char text[64];
        resolve_format((const struct sockaddr *)&r[i].address, r[i].len, text, sizeof(text));
        assert_string_equal(text, v6 ? "[::1]:4012" : "127.0.0.1:4012");
    }
    assert_int_equal(resolve("localhost:4012", false, r, 1, &why), 1);
}

static void test_malformed(void **state)
{
    static const char *const bad[] = { "",           "localhost",   ":1",
                                       "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                                       "::1:80",     "[::1]",       "[::1:80",
                                       "a b:1",      "127.0.0.1:-1" };
    struct resolved r[1];
    struct rusm_why why;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why.text[0] = '\0';
        if (resolve(bad[i], false, r, 1, &why) != RUSM_EINVAL || !why.text[0]) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void test_unknown(void **state)
{
    struct resolved r[1];
    struct rusm_why why = { "" };

    (void)state;
    assert_int_equal(resolve("nowhere.invalid:1", false, r, 1, &why), RUSM_ENOCONN);
    assert_non_null(strstr(why.text, "nowhere.invalid"));
}

static void test_reach(void **state)
{
    static const struct {
        const char *text;
        enum resolve_reach reach;
    } cases[] = {
        { "127.0.0.1:7", RESOLVE_HOST },
        { "127.9.9.9:7", RESOLVE_HOST },
        { "[::1]:7", RESOLVE_HOST },
        { "[::ffff:127.0.0.1]:7", RESOLVE_HOST },
        { "localhost:7", RESOLVE_HOST },
        { "a.LOCALHOST:7", RESOLVE_HOST },
        { "0.0.0.0:7", RESOLVE_NOWHERE },
        { "[::]:7", RESOLVE_NOWHERE },
        { "[::ffff:0.0.0.0]:7", RESOLVE_NOWHERE },
        { "nonsense", RESOLVE_NOWHERE },
        { "[fe80::1]:7", RESOLVE_LINK },
        { "[fe80::1%eth0]:7", RESOLVE_ANYWHERE },
        { "192.0.2.1:7", RESOLVE_ANYWHERE },
        { "[2001:db8::1]:7", RESOLVE_ANYWHERE },
        { "notlocalhost:7", RESOLVE_ANYWHERE },
        { "oslo.example.org:7", RESOLVE_ANYWHERE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (resolve_reach(cases[i].text) != cases[i].reach) {
            fail_msg("%s: %d", cases[i].text, (int)resolve_reach(cases[i].text));
        }
    }
}

static void test_source(void **state)
{
    char host[80];

    (void)state;
    assert_int_equal(resolve_source("127.0.0.1:7", host, sizeof(host)), 0);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(resolve_source("nonsense", host, sizeof(host)), RUSM_ENOCONN);
    assert_int_equal(resolve_source("127.0.0.1:7", host, 4), RUSM_ENOCONN);
}

/* What a socket of both families hears over IPv4 is printed as IPv4. */
static void test_mapped(void **state)
{
    struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(7) };
    char text[80];

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr), 1);
    resolve_format((const struct sockaddr *)&mapped, sizeof(mapped), text, sizeof(text));
    assert_string_equal(text, "192.0.2.1:7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reach),     cmocka_unit_test(test_source),
        cmocka_unit_test(test_mapped),    cmocka_unit_test(test_literals),
        cmocka_unit_test(test_localhost), cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
