/* actor/trace: which events a tracer gets of a process, in which order; that one process is traced
 * and no other; that a flood is counted instead of told. */
#include "doubles/actor.h"

#include "actor/limits.h"

#define SEEN_MAX (2 * LIMIT_TRACE_BURST)

struct traced {
    enum trace_point point;
    enum rusm_kind kind;
    uint64_t serial, missing, ref;
    rusm_pid other;
    char name[16], data[16];
};

struct tracer {
    struct world w; /* first: the hooks get a pointer to it */
    size_t count, read;
    bool enough; /* the next event is the last one */
    struct traced seen[SEEN_MAX];
    struct probe *probe[3];
};

static bool hook_trace(void *context, const struct trace_event *e)
{
    struct tracer *t = context;
    assert_true(t->count < SEEN_MAX);
    struct traced *seen = &t->seen[t->count++];

    *seen = (struct traced){ .point = e->point,
                             .kind = e->kind,
                             .serial = e->serial,
                             .missing = e->missing,
                             .ref = e->ref,
                             .other = e->other };
    snprintf(seen->name, sizeof(seen->name), "%.*s", (int)e->name_len, e->name ? e->name : "");
    snprintf(seen->data, sizeof(seen->data), "%.*s", (int)e->len, (const char *)e->data);
    return !t->enough;
}

static int setup(void **state)
{
    static struct runtime_hooks hooks;
    struct tracer *t = calloc(1, sizeof(*t));

    if (!t) {
        return -1;
    }
    hooks = world_hooks;
    hooks.trace = hook_trace;
    t->w.now = 1000;
    log_init(&t->w.log, 2, RUSM_LOG_ERROR, "london");
    struct runtime_options options = { .node = "london",
                                       .incarnation = WORLD_INCARNATION,
                                       .mailbox_messages = WORLD_MESSAGES,
                                       .mailbox_bytes = 1000,
                                       .seed = 7,
                                       .log = &t->w.log,
                                       .hooks = &hooks,
                                       .context = t };
    *state = t;
    return runtime_new(&t->w.rt, &options);
}

static int teardown(void **state)
{
    struct tracer *t = *state;

    runtime_free(t->w.rt);
    for (size_t i = 0; i < 3; i++) {
        free(t->probe[i]);
    }
    free(t);
    return 0;
}

/* Checks the next event. Returns it. */
static const struct traced *expect(struct tracer *t, enum trace_point point, enum rusm_kind kind,
                                   const struct probe *p, rusm_pid other, const char *data)
{
    assert_true(t->read < t->count);
    const struct traced *seen = &t->seen[t->read++];

    assert_int_equal(seen->point, point);
    assert_int_equal(seen->kind, kind);
    assert_int_equal(seen->serial, p->pid.serial);
    assert_int_equal(seen->other.serial, other.serial);
    assert_int_equal(seen->other.node, other.node);
    assert_string_equal(seen->data, data);
    return seen;
}

static struct probe *probe(struct tracer *t, size_t number)
{
    t->probe[number] = probe_new(&t->w);
    return t->probe[number];
}

static const rusm_pid nobody;

static void test_messages(void **state)
{
    struct tracer *t = *state;
    struct world *w = &t->w;
    struct probe *a = probe(t, 0), *b = probe(t, 1), *other = probe(t, 2);
    rusm_pid far = { .serial = 9, .node = world_node(w, "paris"), .incarnation = 3 };

    assert_true(runtime_trace(w->rt, b->pid.serial));
    assert_int_equal(probe_send(a, b, "in"), 0);
    assert_int_equal(probe_send(a, other, "not traced"), 0);
    expect(t, TRACE_QUEUED, RUSM_SEND, b, a->pid, "in");
    assert_int_equal(t->count, t->read);
    world_run(w);
    expect(t, TRACE_TAKEN, RUSM_SEND, b, a->pid, "in");
    assert_int_equal(probe_send(b, a, "out"), 0);
    expect(t, TRACE_SENT, RUSM_SEND, b, a->pid, "out");
    assert_int_equal(rusm_send(b->self, far, "far", 3, 0), 0);
    expect(t, TRACE_SENT, RUSM_SEND, b, far, "far");
    assert_int_equal(rusm_send_name(b->self, far.node, "there", "by name", 7, 0), 0);
    far.serial = 0;
    assert_string_equal(expect(t, TRACE_SENT, RUSM_SEND, b, far, "by name")->name, "there");
    w->post_result = RUSM_BUSY; /* nothing was sent */
    assert_int_equal(rusm_send_name(b->self, far.node, "there", "", 0, 0), RUSM_BUSY);
    w->post_result = 0;
    world_run(w);
    assert_int_equal(t->count, t->read);

    t->enough = true;
    assert_int_equal(probe_send(a, b, "last"), 0);
    world_run(w);
    expect(t, TRACE_QUEUED, RUSM_SEND, b, a->pid, "last");
    assert_int_equal(t->count, t->read);
}

static void replies(struct probe *p, const struct rusm_message *m)
{
    if (m->kind == RUSM_CALL) {
        assert_int_equal(rusm_reply(p->self, m, "re", 2), 0);
    }
}

static void test_call(void **state)
{
    struct tracer *t = *state;
    struct world *w = &t->w;
    struct probe *a = probe(t, 0), *b = probe(t, 1);
    uint64_t ref;

    b->on = replies;
    assert_true(runtime_trace(w->rt, a->pid.serial));
    assert_true(runtime_trace(w->rt, b->pid.serial));
    assert_int_equal(rusm_request(a->self, b->pid, "q", 1, 1000, &ref), 0);
    world_run(w);
    assert_int_equal(expect(t, TRACE_SENT, RUSM_CALL, a, b->pid, "q")->ref, ref);
    assert_int_equal(expect(t, TRACE_QUEUED, RUSM_CALL, b, a->pid, "q")->ref, ref);
    expect(t, TRACE_TAKEN, RUSM_CALL, b, a->pid, "q");
    assert_int_equal(expect(t, TRACE_SENT, RUSM_REPLY, b, a->pid, "re")->ref, ref);
    expect(t, TRACE_QUEUED, RUSM_REPLY, a, b->pid, "re");
    expect(t, TRACE_TAKEN, RUSM_REPLY, a, b->pid, "re");
    assert_int_equal(t->count, t->read);
}

static void test_end(void **state)
{
    struct tracer *t = *state;
    struct world *w = &t->w;
    struct probe *a = probe(t, 0);

    assert_true(runtime_trace(w->rt, a->pid.serial));
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "tired"), 0);
    expect(t, TRACE_ENDED, 0, a, nobody, "tired");
    assert_int_equal(t->count, t->read);
    assert_false(runtime_trace(w->rt, a->pid.serial)); /* it is gone */
}

static void test_flood(void **state)
{
    struct tracer *t = *state;
    struct world *w = &t->w;
    struct probe *a = probe(t, 0), *b = probe(t, 1);
    size_t sent = 0;

    w->now = (uint64_t)1000000000; /* a second of rest: the burst may be told */
    world_run(w);
    assert_true(runtime_trace(w->rt, a->pid.serial));
    for (; sent < LIMIT_TRACE_BURST + 100; sent++) {
        assert_int_equal(probe_send(a, b, "x"), 0);
        runtime_run(w->rt, 10, w->now); /* no time passes */
        b->count = 0;
    }
    assert_int_equal(t->count, LIMIT_TRACE_BURST);
    w->now += 1000000;
    for (size_t i = 0; i < 2 * LIMIT_TRACE_MS; i++) {
        runtime_run(w->rt, 10, w->now);
        assert_int_equal(probe_send(a, b, "x"), 0);
    }
    assert_int_equal(t->count, LIMIT_TRACE_BURST + LIMIT_TRACE_MS);
    assert_int_equal(t->seen[LIMIT_TRACE_BURST].missing, 100);
    assert_int_equal(t->seen[LIMIT_TRACE_BURST + 1].missing, 0);
    world_run(w);
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "end"), 0); /* told all the same */
    assert_int_equal(t->seen[t->count - 1].point, TRACE_ENDED);
    assert_int_equal(t->seen[t->count - 1].missing, LIMIT_TRACE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
