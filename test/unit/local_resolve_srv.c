/* local/resolve_srv: srv:NAME, and the answers of name servers. No name service is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "local/resolve.h"

static void expect_name(const char *text, const char *wanted)
{
    char name[256] = "";
    int error = resolve_srv_name(text, name);

    if (error != (wanted ? 0 : RUSM_EINVAL) || (wanted && strcmp(name, wanted) != 0)) {
        fail_msg("%s: %d, '%s'", text, error, name);
    }
}

static void test_names(void **state)
{
    char longest[300] = "srv:", name[256];

    (void)state;
    expect_name("srv:pods.example.org", "_rusm._udp.pods.example.org");
    expect_name("srv:_nodes._udp.pods.example.org.", "_nodes._udp.pods.example.org.");
    expect_name("srv:pods", "_rusm._udp.pods");
    expect_name("srv:7400", NULL); /* a host called srv */
    expect_name("srv:", NULL);
    expect_name("srv:pods:7400", NULL);
    expect_name("srv:london@pods", NULL);
    expect_name("srv:a b", NULL);
    expect_name("pods.example.org:7400", NULL);
    assert_true(resolve_srv_is("srv:a b"));
    assert_false(resolve_srv_is("srv:7400"));
    assert_false(resolve_srv_is("london@srv:pods"));
    memset(longest + 4, 'a', 245); /* with _rusm._udp. one more than a name may have */
    expect_name(longest, NULL);
    longest[4 + 244] = '\0';
    assert_int_equal(resolve_srv_name(longest, name), 0);
    assert_int_equal(strlen(name), 255);
}

/* ---- answers ---- */

#define NAME "\x5_rusm\x4_udp\x4pods\x4test" /* and the end of a string: the root */

static void put_head(struct writer *w, unsigned answers)
{
    writer_bytes(w, "\x12\x34\x81\x80\x00\x01", 6);
    writer_u16(w, (uint16_t)answers);
    writer_bytes(w, "\0\0\0\0", 4);
    writer_bytes(w, NAME, sizeof(NAME));
    writer_bytes(w, "\0\x21\0\x01", 4);
}

/* A record of the name that was asked for. HOST is in the form of the DNS, with its end. */
static void put_record(struct writer *w, unsigned type, unsigned priority, unsigned weight,
                       unsigned port, const char *host, size_t host_len)
{
    writer_bytes(w, "\xc0\x0c", 2);
    writer_u16(w, (uint16_t)type);
    writer_bytes(w, "\0\x01\0\0\0\x3c", 6);
    writer_u16(w, (uint16_t)(6 + host_len));
    writer_u16(w, (uint16_t)priority);
    writer_u16(w, (uint16_t)weight);
    writer_u16(w, (uint16_t)port);
    writer_bytes(w, host, host_len);
}
#define HOST(text) text, sizeof(text)

static void expect_order(const struct resolve_srv *list, int count, const char *wanted)
{
    char text[1024] = "";
    size_t len = 0;

    for (int i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%u", i ? " " : "",
                                list[i].host, list[i].port);
        assert_true(len < sizeof(text));
    }
    assert_string_equal(text, wanted);
}

static void test_order(void **state)
{
    uint8_t answer[1024];
    struct resolve_srv list[8];
    struct writer w = writer_on(answer, sizeof(answer));

    (void)state;
    put_head(&w, 8);
    put_record(&w, 33, 20, 9, 7400, HOST("\x4last"));
    put_record(&w, 33, 10, 1, 7401, HOST("\x5light"));
    put_record(&w, 33, 10, 5, 7402, "\x5heavy\xc0\x1c", 8); /* heavy.test */
    put_record(&w, 33, 10, 1, 7403, HOST("\x5light"));      /* after the first one */
    put_record(&w, 33, 0, 0, 7404, HOST(""));               /* no such service */
    put_record(&w, 33, 0, 0, 0, HOST("\x4zero"));
    put_record(&w, 33, 0, 0, 7405, HOST("\x4no:y"));
    put_record(&w, 5, 0, 0, 7406, HOST("\x5other"));
    assert_false(w.bad);
    int count = resolve_srv_read(answer, writer_len(&w), list, 8);
    assert_int_equal(count, 4);
    expect_order(list, count, "heavy.test:7402 light:7401 light:7403 last:7400");
    count = resolve_srv_read(answer, writer_len(&w), list, 2);
    expect_order(list, count, "heavy.test:7402 light:7401");
    assert_int_equal(resolve_srv_read(answer, writer_len(&w), list, 0), 0);
}

static void test_hostile(void **state)
{
    uint8_t answer[512];
    struct resolve_srv list[2];
    struct writer w = writer_on(answer, sizeof(answer));

    (void)state;
    put_head(&w, 1);
    put_record(&w, 33, 1, 1, 7400, HOST("\x4host\x4test"));
    for (size_t len = 0; len < writer_len(&w); len++) { /* whatever is cut off */
        assert_int_equal(resolve_srv_read(answer, len, list, 2), RUSM_EMALFORMED);
    }
    assert_int_equal(resolve_srv_read(answer, writer_len(&w), list, 2), 1);
    answer[7] = 2; /* there is one record more, it says */
    assert_int_equal(resolve_srv_read(answer, writer_len(&w), list, 2), RUSM_EMALFORMED);

    w = writer_on(answer, sizeof(answer));
    put_head(&w, 2);
    size_t at = writer_len(&w) + 18;
    const char self[] = { (char)0xc0, (char)at }; /* a name that is its own rest */
    put_record(&w, 33, 1, 1, 7400, self, sizeof(self));
    put_record(&w, 33, 1, 1, 7401, HOST("\x4test"));
    assert_int_equal(resolve_srv_read(answer, writer_len(&w), list, 2), 1);
    assert_int_equal(list[0].port, 7401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
