/* wire/rpc: requests, replies and the fields of the operations. */
#include "wire/rpc.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/limits.h"
#include "wire/limits.h"
#include "doubles/target.h"

static ssize_t show_request(struct vector *v)
{
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct request q;
    int rc = request_decode(v->in, v->len, &q);

    if (rc != 0) {
        return rc;
    }
    vector_say(v, "id=%" PRIu64 " timeout=%" PRIu64 " op=%" PRIu64 " args=", q.id, q.timeout_ms,
               q.op);
    vector_say_hex(v, q.args.at, reader_left(&q.args));
    request_write(&w, &q);
    writer_bytes(&w, q.args.at, reader_left(&q.args));
    v->again_len = writer_len(&w);
    return 1;
}

static ssize_t show_reply(struct vector *v)
{
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct reply p;
    int rc = reply_decode(v->in, v->len, &p);

    if (rc != 0) {
        return rc;
    }
    vector_say(v, "id=%" PRIu64 " status=%" PRIu64 " flags=%" PRIu64 " body=", p.id, p.status,
               p.flags);
    vector_say_hex(v, p.body.at, reader_left(&p.body));
    reply_write(&w, &p);
    writer_bytes(&w, p.body.at, reader_left(&p.body));
    v->again_len = writer_len(&w);
    return 1;
}

static ssize_t show_spawn(struct vector *v)
{
    static const char *const scope[] = { "none", "local", "global" };
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    char spawnable[256], name[256], text[RUSM_ARGS_MAX][256];
    const char *value[RUSM_ARGS_MAX];
    struct spawn s;
    int rc = spawn_decode(&r, &s);

    assert_int_equal(rc < 0, r.bad);
    if (rc != 0) {
        return rc;
    }
    assert_int_equal(reader_left(&r), 0);
    snprintf(spawnable, sizeof(spawnable), "%.*s", (int)s.spawnable_len, s.spawnable);
    snprintf(name, sizeof(name), "%.*s", (int)s.name_len, s.name);
    vector_say(v, "%s \"%s\" name=\"%s\" args=", scope[s.scope], spawnable, name);
    for (size_t i = 0; i < s.arg_count; i++) {
        size_t len;
        const uint8_t *arg = reader_text(&s.args, &len, SIZE_MAX);
        snprintf(text[i], sizeof(text[i]), "%.*s", (int)len, (const char *)arg);
        value[i] = text[i];
        vector_say(v, "%s\"%s\"", i > 0 ? "," : "", text[i]);
    }
    assert_false(s.args.bad);
    assert_int_equal(reader_left(&s.args), 0);
    const struct rusm_args args = { .count = (size_t)s.arg_count, .value = value };
    spawn_write(&w, s.scope, spawnable, s.scope == SPAWN_NO_NAME ? NULL : name,
                args.count > 0 ? &args : NULL);
    v->again_len = writer_len(&w);
    return 1;
}

static ssize_t show_kill(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct target t;
    size_t len;

    target_read(&r, &t);
    const uint8_t *reason = reader_text(&r, &len, RUSM_REASON_MAX);
    if (r.bad) {
        return RUSM_EMALFORMED;
    }
    target_say(v, &t);
    vector_say(v, " reason=\"%.*s\"", (int)len, (const char *)reason);
    target_write(&w, &t);
    writer_text(&w, reason, len);
    v->again_len = writer_len(&w);
    return 1;
}

static ssize_t show_pid(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct wire_pid pid;

    wire_pid_read(&r, &pid);
    if (r.bad) {
        return RUSM_EMALFORMED;
    }
    vector_say(v, "%" PRIu64 "#%" PRIx32 " \"%.*s\"", pid.serial, pid.incarnation,
               (int)pid.node_len, pid.node);
    wire_pid_write(&w, &pid);
    v->again_len = writer_len(&w);
    return 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("request", show_request, 0) >= 9);
    assert_true(vectors_check("reply", show_reply, 0) >= 7);
    assert_true(vectors_check("spawn", show_spawn, 0) >= 14);
    assert_true(vectors_check("kill", show_kill, 0) >= 5);
    assert_true(vectors_check("pid", show_pid, 0) >= 7);
}

/* The writer and the reader both bound the total length of arguments. */
static void test_arguments_up_to_the_limit(void **state)
{
    (void)state;
    char *text = malloc(LIMIT_ARGS_BYTES + 1);
    uint8_t *bytes = malloc(LIMIT_FRAME);
    assert_true(text && bytes);
    memset(text, 'a', LIMIT_ARGS_BYTES);
    text[LIMIT_ARGS_BYTES] = '\0';
    const char *value[] = { text, "" };
    struct rusm_args args = { .count = 2, .value = value };
    struct writer w = writer_on(bytes, LIMIT_FRAME);
    struct spawn s;

    spawn_write(&w, SPAWN_NO_NAME, "echo", NULL, &args);
    assert_false(w.bad);
    struct reader r = reader_on(bytes, writer_len(&w));
    assert_int_equal(spawn_decode(&r, &s), 0);

    /* The last argument gets one byte more, in the encoded bytes and in the arguments. */
    bytes[writer_len(&w) - 1] = 1;
    bytes[writer_len(&w)] = 'b';
    r = reader_on(bytes, writer_len(&w) + 1);
    assert_int_equal(spawn_decode(&r, &s), RUSM_EMALFORMED);
    value[1] = "b";
    w = writer_on(bytes, LIMIT_FRAME);
    spawn_write(&w, SPAWN_NO_NAME, "echo", NULL, &args);
    assert_true(w.bad);
    free(text);
    free(bytes);
}

static void test_too_many_arguments(void **state)
{
    (void)state;
    const char *value[RUSM_ARGS_MAX + 1];
    uint8_t bytes[512];
    struct rusm_args args = { .count = RUSM_ARGS_MAX, .value = value };

    for (size_t i = 0; i <= RUSM_ARGS_MAX; i++) {
        value[i] = "a";
    }
    struct writer w = writer_on(bytes, sizeof(bytes));
    spawn_write(&w, SPAWN_NO_NAME, "echo", NULL, &args);
    assert_false(w.bad);
    args.count++;
    w = writer_on(bytes, sizeof(bytes));
    spawn_write(&w, SPAWN_NO_NAME, "echo", NULL, &args);
    assert_true(w.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_arguments_up_to_the_limit),
        cmocka_unit_test(test_too_many_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
