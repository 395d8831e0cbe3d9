/* wire/hello: the first frame of a connection. */
#include "wire/hello.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "doubles/vectors.h"
#include "rusm.h"

static ssize_t show_hello(struct vector *v)
{
    struct hello h;
    int rc = hello_decode(v->in, v->len, &h);

    if (rc != 0) {
        return rc;
    }
    vector_say(v, "version=%" PRIu64, h.version);
    if (h.version != CONTROL_VERSION) {
        assert_true(h.name_len == 0 && h.advertise_len == 0 && h.incarnation == 0);
        return 1;
    }
    vector_say(v, " %s flags=%" PRIu64 " incarnation=%" PRIx32 " max=%" PRIu64,
               h.role == HELLO_NODE ? "node" : "client", h.flags, h.incarnation, h.max_message);
    vector_say(v, " name=\"%.*s\" advertise=\"%.*s\"", (int)h.name_len, h.name,
               (int)h.advertise_len, h.advertise);
    ssize_t n = hello_encode(v->again, sizeof(v->again), &h);
    assert_true(n > 0);
    v->again_len = (size_t)n;
    return 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("hello", show_hello, 0) >= 40);
}

static const struct hello whole = {
    .version = CONTROL_VERSION,
    .role = HELLO_NODE,
    .incarnation = 0x5f3a1c,
    .max_message = RUSM_MESSAGE_MAX,
    .name = "london",
    .name_len = 6,
    .advertise = "h:1",
    .advertise_len = 3,
};

static void test_every_part_is_malformed(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct hello h;
    ssize_t n = hello_encode(bytes, sizeof(bytes), &whole);

    assert_int_equal(hello_decode(bytes, (size_t)n, &h), 0);
    for (ssize_t part = 0; part < n; part++) {
        assert_int_equal(hello_decode(bytes, (size_t)part, &h), RUSM_EMALFORMED);
    }
}

static void test_no_room(void **state)
{
    (void)state;
    uint8_t bytes[64];
    ssize_t n = hello_encode(bytes, sizeof(bytes), &whole);

    for (ssize_t cap = 0; cap < n; cap++) {
        assert_int_equal(hello_encode(bytes, (size_t)cap, &whole), RUSM_ELIMIT);
    }
    assert_int_equal(hello_encode(bytes, (size_t)n, &whole), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_part_is_malformed),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
