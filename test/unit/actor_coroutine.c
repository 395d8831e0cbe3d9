/* actor/coroutine: bodies that block in a call: the save queue, timeouts, room, ends. */
#include "doubles/actor.h"

#define MS ((uint64_t)1000000)

/* The test says what a body does: it sets `run`, which gets this struct. */
struct body {
    void (*run)(struct rusm_process *self, struct body *b);
    struct probe *probe; /* a callback process that the test also has */
    char log[256];
    unsigned stops;
    int error;
    uint64_t ref;
};

static struct body *body_next;

static int body_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    const struct rusm_message *m;

    (void)args;
    assert_int_equal(rusm_receive(self, NULL, NULL, 0, &m), RUSM_EINVAL);
    *state = body_next;
    return body_next->error;
}

static void body_body(struct rusm_process *self, void *state)
{
    struct body *b = state;

    b->run(self, b);
}

static void body_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct body *b = state;

    (void)self;
    b->stops++;
    strcat(b->log, reason);
}

static const struct rusm_behaviour body_behaviour = {
    .name = "body", .init = body_init, .body = body_body, .stop = body_stop
};

static rusm_pid body_start(struct world *w, struct body *b)
{
    rusm_pid pid;

    body_next = b;
    assert_int_equal(runtime_spawn(w->rt, &body_behaviour, NULL, &pid, NULL, w->now), 0);
    return pid;
}

static void note(struct body *b, const struct rusm_message *m)
{
    strcat(b->log, (const char *)m->data);
    strcat(b->log, " ");
}

static bool begins(void *context, const struct rusm_message *m)
{
    return m->len > 0 && m->data[0] == *(const char *)context;
}

static void say(struct world *w, struct probe *from, rusm_pid to, const char *text)
{
    assert_int_equal(rusm_send(from->self, to, text, strlen(text), 0), 0);
    world_run(w);
}

/* ---- selective receive ---- */

static void run_selective(struct rusm_process *self, struct body *b)
{
    static const char *const order[] = { "b", "a", "c" };
    const struct rusm_message *m;

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rusm_receive(self, begins, (void *)order[i], RUSM_FOREVER, &m), 0);
        assert_int_equal(m->data[m->len], 0);
        note(b, m);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m), 0);
        note(b, m);
    }
}

static void test_selective(void **state)
{
    struct world *w = world_new();
    struct probe *p = probe_new(w);
    struct body b = { .run = run_selective };
    rusm_pid pid = body_start(w, &b);

    (void)state;
    say(w, p, pid, "c1");
    say(w, p, pid, "a1");
    say(w, p, pid, "x1");
    assert_string_equal(b.log, "");
    say(w, p, pid, "b1");
    assert_string_equal(b.log, "b1 a1 c1 x1 ");
    say(w, p, pid, "y1");
    assert_int_equal(b.stops, 0);
    say(w, p, pid, "z1");
    assert_string_equal(b.log, "b1 a1 c1 x1 y1 z1 normal");
    assert_int_equal(b.stops, 1);
    assert_int_equal(w->exit_count, 1);
    assert_int_equal(runtime_counters(w->rt)->mailbox_discarded, 0);
    world_free(w);
    free(p);
}

/* ---- time ---- */

static void run_timeout(struct rusm_process *self, struct body *b)
{
    const struct rusm_message *m;

    assert_int_equal(rusm_receive(self, NULL, NULL, 0, &m), RUSM_ETIMEOUT);
    strcat(b->log, "at once ");
    assert_int_equal(rusm_receive(self, begins, (void *)"y", 10, &m), RUSM_ETIMEOUT);
    strcat(b->log, "later ");
    assert_int_equal(rusm_receive(self, begins, (void *)"y", 10, &m), 0);
    note(b, m);
    assert_int_equal(rusm_receive(self, NULL, NULL, 10, &m), 0);
    note(b, m);
    assert_int_equal(rusm_timer(self, 5, &b->ref), 0);
    assert_int_equal(rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m), 0);
    assert_int_equal(m->kind, RUSM_TIMER);
    assert_true(m->ref == b->ref);
}

static void test_timeout(void **state)
{
    struct world *w = world_new();
    struct probe *p = probe_new(w);
    struct body b = { .run = run_timeout };
    rusm_pid pid = body_start(w, &b);

    (void)state;
    world_run(w);
    assert_string_equal(b.log, "at once ");
    w->now += 5 * MS;
    say(w, p, pid, "x");
    w->now += 4 * MS;
    world_run(w);
    assert_string_equal(b.log, "at once ");
    w->now += 3 * MS;
    world_run(w);
    assert_string_equal(b.log, "at once later ");
    say(w, p, pid, "y");
    assert_string_equal(b.log, "at once later y x ");
    w->now += 4 * MS;
    world_run(w);
    assert_int_equal(b.stops, 0);
    w->now += 3 * MS;
    world_run(w);
    assert_string_equal(b.log, "at once later y x normal");
    assert_true(runtime_next_ns(w->rt) == UINT64_MAX);
    world_free(w);
    free(p);
}

/* ---- room ---- */

static void run_sender(struct rusm_process *self, struct body *b)
{
    for (int i = 0; i < 100; i++) {
        assert_int_equal(rusm_send(self, b->probe->pid, "x", 1, 0), 0);
    }
    strcat(b->log, "sent ");
}

static void hold(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    rusm_hold_for(p->self, 50);
}

/* The body sends to a full mailbox. It waits, and all messages arrive. */
static void test_room(void **state)
{
    struct world *w = world_new();
    struct body b = { .run = run_sender, .probe = probe_new(w) };

    (void)state;
    b.probe->on = hold;
    body_start(w, &b);
    world_run(w);
    assert_string_equal(b.log, "");
    b.probe->on = NULL;
    b.probe->count = 0;
    w->now += 60 * MS;
    world_run(w);
    assert_string_equal(b.log, "sent normal");
    assert_int_equal(probe_kinds(b.probe, RUSM_SEND), 100);
    world_free(w);
    free(b.probe);
}

static void run_far(struct rusm_process *self, struct body *b)
{
    assert_int_equal(rusm_send_to(self, "bob@oslo", "x", 1, 0), 0);
    strcat(b->log, "sent ");
}

static void test_room_far(void **state)
{
    struct world *w = world_new();
    struct body b = { .run = run_far };
    rusm_pid pid = body_start(w, &b);

    (void)state;
    w->post_result = RUSM_BUSY;
    world_run(w);
    assert_int_equal(w->post_count, 1);
    world_run(w);
    runtime_writable(w->rt, pid);
    world_run(w);
    assert_int_equal(w->post_count, 2);
    assert_string_equal(b.log, "");
    w->post_result = 0;
    runtime_writable(w->rt, pid);
    world_run(w);
    assert_int_equal(w->post_count, 3);
    assert_string_equal(b.log, "sent normal");
    world_free(w);
}

/* ---- ends ---- */

static void run_forever(struct rusm_process *self, struct body *b)
{
    const struct rusm_message *m;

    for (;;) {
        assert_int_equal(rusm_receive(self, NULL, NULL, 1000, &m), 0);
        note(b, m);
    }
}

static void run_exit(struct rusm_process *self, struct body *b)
{
    const struct rusm_message *m;

    assert_int_equal(rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m), 0);
    rusm_exit(self, "enough");
    strcat(b->log, "never ");
}

static void test_ends(void **state)
{
    struct world *w = world_new();
    struct probe *p = probe_new(w);
    struct body a = { .run = run_forever }, b = { .run = run_exit }, c = { .run = run_forever },
                d = { .run = run_forever, .error = RUSM_EIO };
    rusm_pid pid = body_start(w, &a), other = body_start(w, &b), none;

    (void)state;
    say(w, p, pid, "1");
    assert_int_equal(runtime_kill(w->rt, pid.serial, "kill"), 0);
    assert_string_equal(a.log, "1 killed");
    say(w, p, other, "1");
    assert_string_equal(b.log, "enough");
    pid = body_start(w, &c); /* ended before it has begun */
    assert_int_equal(runtime_kill(w->rt, pid.serial, "early"), 0);
    assert_string_equal(c.log, "early");
    body_next = &d;
    assert_int_equal(runtime_spawn(w->rt, &body_behaviour, NULL, &none, NULL, 1), RUSM_EINIT);
    assert_int_equal(d.stops, 0);
    c = (struct body){ .run = run_forever };
    pid = body_start(w, &c);
    say(w, p, pid, "waits");
    assert_true(runtime_next_ns(w->rt) != UINT64_MAX);
    world_free(w); /* ends the body */
    assert_string_equal(c.log, "waits shutdown");
    free(p);
}

/* ---- calls ---- */

static void run_ask(struct rusm_process *self, struct body *b)
{
    const struct rusm_message *m;

    assert_int_equal(rusm_call_to(self, "nobody", "q", 1, 10, &m), RUSM_ENOPROC);
    assert_int_equal(rusm_call_to(self, "bob", "q", 1, 10, &m), 0);
    assert_int_equal(m->kind, RUSM_REPLY);
    note(b, m);
    assert_int_equal(rusm_call_to(self, "bob", "die", 3, RUSM_FOREVER, &m), RUSM_ENOPROC);
    note(b, m);
    assert_int_equal(rusm_receive(self, NULL, NULL, 0, &m), 0); /* arrived while the call waited */
    note(b, m);
}

static void answer(struct probe *p, const struct rusm_message *m)
{
    if (m->len == 3) {
        rusm_exit(p->self, "died");
    } else {
        assert_int_equal(rusm_send(p->self, m->from, "before", 6, 0), 0);
        assert_int_equal(rusm_reply(p->self, m, "answer", 6), 0);
    }
}

static void test_ask(void **state)
{
    struct world *w = world_new();
    struct body b = { .run = run_ask, .probe = probe_new(w) };

    (void)state;
    b.probe->on = answer;
    assert_int_equal(rusm_register(b.probe->self, b.probe->pid, "bob"), 0);
    body_start(w, &b);
    world_run(w);
    assert_string_equal(b.log, "answer died before normal");
    world_free(w);
    free(b.probe);
}

/* ---- rounds ---- */

static void run_taker(struct rusm_process *self, struct body *b)
{
    const struct rusm_message *m;

    for (;;) {
        assert_int_equal(rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m), 0);
        b->ref++;
        assert_int_equal(rusm_send(self, rusm_self(self), "again", 5, 0), 0);
    }
}

/* A body that always has a message still lets others run. */
static void test_rounds(void **state)
{
    struct world *w = world_new();
    struct probe *p = probe_new(w), *q = probe_new(w);
    struct body b = { .run = run_taker };
    rusm_pid pid = body_start(w, &b);

    (void)state;
    assert_int_equal(rusm_send(p->self, pid, "x", 1, 0), 0);
    assert_int_equal(probe_send(p, q, "x"), 0);
    assert_true(runtime_run(w->rt, 100, ++w->now));
    assert_int_equal(q->count, 1);
    assert_in_range(b.ref, 60, 130);
    world_free(w);
    free(p);
    free(q);
}

/* ---- stacks ---- */

static unsigned deep(unsigned n)
{
    volatile char frame[1024];

    frame[0] = (char)n;
    return n == 0 ? 0 : deep(n - 1) + 1 + (unsigned)(frame[0] == 0 && n == 7);
}

static void run_deep(struct rusm_process *self, struct body *b)
{
    const struct rusm_message *m;
    double third = 1.0;

    assert_true(deep(600) > 500);
    assert_int_equal(rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m), 0);
    third /= 3.0;
    snprintf(b->log, sizeof(b->log), "%.3f ", third);
}

/* Stacks are as large as asked for. Many processes start and end. */
static void test_stacks(void **state)
{
    struct rusm_behaviour large = body_behaviour;
    struct world *w = world_new();
    struct probe *p = probe_new(w);
    struct body b = { .run = run_deep };
    rusm_pid pid;

    (void)state;
    large.stack_bytes = 1000000;
    body_next = &b;
    assert_int_equal(runtime_spawn(w->rt, &large, NULL, &pid, NULL, w->now), 0);
    say(w, p, pid, "x");
    assert_string_equal(b.log, "0.333 normal");
    large.stack_bytes = (size_t)64 * 1024 * 1024;
    assert_int_equal(runtime_spawn(w->rt, &large, NULL, &pid, NULL, w->now), RUSM_EINVAL);
    struct body many[500];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 500; i++) {
            many[i] = (struct body){ .run = run_exit };
            body_start(w, &many[i]);
        }
        world_run(w);
        assert_int_equal(runtime_count(w->rt), 501);
        for (struct rusm_process *it; (it = runtime_next(w->rt, p->pid.serial));) {
            assert_int_equal(runtime_kill(w->rt, process_serial(it), "kill"), 0);
        }
        for (size_t i = 0; i < 500; i++) {
            assert_int_equal(many[i].stops, 1);
        }
    }
    world_free(w);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selective), cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_room),      cmocka_unit_test(test_room_far),
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_ask),
        cmocka_unit_test(test_rounds),    cmocka_unit_test(test_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
