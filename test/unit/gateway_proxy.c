/* gateway/proxy: the networks of trusted proxies. What their fields mean is tested over HTTP
 * (test/cmd/http.bats); here, what only memory can tell. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/proxy.h"

static const char *client(const struct proxies *proxies, const char *from, const char *value,
                          size_t len)
{
    static char text[PROXY_TEXT];
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct proxy_client c;

    if (inet_pton(AF_INET, from, &v4.sin_addr) == 1) {
        proxy_begin(&c, proxies, (const struct sockaddr *)&v4);
    } else {
        assert_int_equal(inet_pton(AF_INET6, from, &v6.sin6_addr), 1);
        proxy_begin(&c, proxies, (const struct sockaddr *)&v6);
    }
    /* A copy without anything behind it, so that a sanitizer sees who reads too far. */
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, value, len);
    proxy_field(&c, proxies, copy, len);
    free(copy);
    return proxy_text(&c, text);
}

static void test_networks(void **state)
{
    static const struct {
        const char *net, *from;
        bool trusted;
    } cases[] = {
        { "10.1.2.3", "10.1.2.3", true },
        { "10.1.2.3", "10.1.2.2", false },
        { "10.1.2.3", "::ffff:10.1.2.3", true },
        { "10.0.0.0/7", "11.255.0.1", true },
        { "10.0.0.0/7", "12.0.0.1", false },
        { "0.0.0.0/0", "255.1.1.1", true },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "::/0", "2001:db8::1", true },
        { "::/0", "10.1.2.3", true },
        { "2001:db8::/33", "2001:db8:7fff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct proxies proxies = { .count = 0 };
        assert_int_equal(proxy_add(&proxies, cases[i].net), 0);
        bool told = strcmp(client(&proxies, cases[i].from, "192.0.2.1", 9), "192.0.2.1") == 0;
        assert_int_equal(told, cases[i].trusted);
    }
}

static void test_too_many(void **state)
{
    struct proxies proxies = { .count = 0 };

    (void)state;
    for (int i = 0; i < LIMIT_HTTP_PROXIES; i++) {
        assert_int_equal(proxy_add(&proxies, "10.0.0.0/8"), 0);
    }
    assert_int_equal(proxy_add(&proxies, "10.0.0.0/8"), RUSM_ELIMIT);
}

/* Any bytes: no value makes it read beyond the end, and the peer counts if nothing is known. */
static void test_any_bytes(void **state)
{
    struct proxies proxies = { .count = 0 };
    char value[24];

    (void)state;
    srand(1);
    assert_int_equal(proxy_add(&proxies, "10.0.0.0/8"), 0);
    for (int i = 0; i < 20000; i++) {
        static const char some[] = "10.,:[]2f \t\0x";
        size_t len = (size_t)rand() % sizeof(value);
        for (size_t k = 0; k < len; k++) {
            value[k] = some[(size_t)rand() % sizeof(some)];
        }
        assert_non_null(client(&proxies, "10.9.9.9", value, len));
    }
    assert_string_equal(client(&proxies, "10.9.9.9", "192.0.2.1\0", 10), "10.9.9.9");
    assert_string_equal(client(&proxies, "10.9.9.9", "[", 1), "10.9.9.9");
    assert_string_equal(client(&proxies, "10.9.9.9", "", 0), "10.9.9.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
