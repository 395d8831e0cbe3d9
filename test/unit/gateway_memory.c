/* gateway: without memory, a request gets a 503, or its response is broken off, and nothing is
 * lost, leaked or half done. Each request runs with 0, 1, 2 … allocations that succeed before all
 * later ones fail.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "doubles/fuzz_gateway.h"
#include "doubles/memory.h"

enum { STEPS = 200 }; /* more allocations than any request makes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    (void)data, (void)len; /* fuzz.h declares it, but nothing is fuzzed here */
    return 0;
}

static struct http_world world;
static bool gave_up;

static void on_ready(void *context, struct exchange *x)
{
    assert_ptr_equal(context, &world);
    http_head_ok(exchange_head(x));
}

static void on_give_up(void *context, struct exchange *x)
{
    (void)context;
    exchange_cancel(x);
    gave_up = true;
}

static const struct gateway_transport transport = { .ready = on_ready, .give_up = on_give_up };

struct sample {
    const char *method, *path, *body;
    int status;
};

static void field(struct exchange *x, const char *name, const char *value)
{
    exchange_field(x, name, strlen(name), value, strlen(value));
}

/* Reads the whole body. Returns false if the response was broken off. */
static bool read_all(struct exchange *x)
{
    static char body[65536];
    bool end = false;
    size_t len = 0;

    for (unsigned i = 0; i < 1000 && !end; i++) {
        const uint8_t *data;
        size_t n = exchange_pull(x, &data, 100, &end);
        assert_true(len + n <= sizeof(body));
        if (n > 0) {
            memcpy(body + len, data, n);
        }
        len += n;
        exchange_acked(x, n);
        (void)gateway_tick(world.gateway, world.now_ns);
        if (gave_up) {
            return false;
        }
    }
    assert_true(end);
    memory_works(); /* the checks allocate */
    if (len > 0 || exchange_head(x)->status != 503) {
        http_body_ok(exchange_head(x), body, len);
    }
    return true;
}

/* Makes one request. Returns its status, or 0 if there was none or it was broken off. */
static int ask(const struct sample *s)
{
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct exchange_options o = { .transport = &transport,
                                  .context = &world,
                                  .from = (struct sockaddr *)&from,
                                  .trusted = true };
    struct exchange *x = exchange_new(world.gateway, &o);
    int status = 0;

    gave_up = false;
    if (!x) {
        return 0;
    }
    field(x, ":method", s->method);
    field(x, ":path", s->path);
    if (exchange_head_end(x) && (!s->body || exchange_body(x, s->body, strlen(s->body)))) {
        exchange_end(x);
    }
    assert_non_null(exchange_head(x));
    status = exchange_head(x)->status;
    if (!read_all(x)) {
        status = 0;
    }
    exchange_free(x);
    return status;
}

static void test_without_memory(void **state)
{
    static const struct sample samples[] = {
        { "POST", "/v1/call/p?timeout=3", "hello", 200 },
        { "POST", "/v1/send/p", "hello", 204 },
        { "POST", "/v1/spawn/echo?arg=a", "{\"args\": [\"b\"], \"name\": \"n\"}", 201 },
        { "DELETE", "/v1/processes/17", NULL, 204 },
        { "GET", "/v1/processes", NULL, 200 },
        { "GET", "/metrics", NULL, 200 },
        { "GET", "/", NULL, 200 },
        { "GET", "/nowhere", NULL, 404 },
        { "POST", "/v1/spawn/echo", "{", 400 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        unsigned failed = 0;
        for (size_t n = 0; n < STEPS; n++) {
            memory_works();
            http_open(&world, NULL, 0);
            memory_fail_after(n);
            int status = ask(&samples[i]);
            memory_works();
            if (status != samples[i].status && status != 0 && status != 503) {
                fail_msg("%s: %d after %zu", samples[i].path, status, n);
            }
            failed += status != samples[i].status;
            assert_int_equal(gateway_pending(world.gateway), 0);
            http_close(&world);
            if (n + 1 == STEPS) {
                assert_int_equal(status, samples[i].status);
            }
        }
        assert_true(failed > 0 && failed < STEPS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_without_memory) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
