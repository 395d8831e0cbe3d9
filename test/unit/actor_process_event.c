/* actor/process_event: which events observers get about processes and their names, and in which
 * order. Without observers there are no events. */
#include "doubles/actor.h"

#include "otp/supervisor.h"

#define SEEN_MAX 16

struct seen {
    struct world w; /* first: the hooks get a pointer to it */
    atomic_bool watched;
    size_t count;
    struct {
        enum process_event_kind kind;
        uint64_t serial;
        char name[32], behaviour[32], reason[32];
    } it[SEEN_MAX];
};

static void hook_event(void *context, const struct process_event *h)
{
    struct seen *s = context;

    assert_true(s->count < SEEN_MAX);
    s->it[s->count].kind = h->kind;
    s->it[s->count].serial = h->serial;
    snprintf(s->it[s->count].name, 32, "%.*s", (int)h->name_len, h->name);
    snprintf(s->it[s->count].behaviour, 32, "%s", h->behaviour);
    snprintf(s->it[s->count].reason, 32, "%s", h->reason);
    s->count++;
}

static int setup(void **state)
{
    static struct runtime_hooks hooks;
    struct seen *s = calloc(1, sizeof(*s));

    if (!s) {
        return -1;
    }
    hooks = world_hooks;
    hooks.event = hook_event;
    s->w.now = 1000;
    log_init(&s->w.log, 2, RUSM_LOG_ERROR, "london");
    struct runtime_options options = { .node = "london",
                                       .incarnation = WORLD_INCARNATION,
                                       .mailbox_messages = WORLD_MESSAGES,
                                       .mailbox_bytes = 1000,
                                       .seed = 7,
                                       .log = &s->w.log,
                                       .watched = &s->watched,
                                       .hooks = &hooks,
                                       .context = s };
    atomic_store(&s->watched, true);
    *state = s;
    return runtime_new(&s->w.rt, &options);
}

static int teardown(void **state)
{
    struct seen *s = *state;

    atomic_store(&s->watched, false);
    runtime_free(s->w.rt);
    free(s);
    return 0;
}

static void run(struct seen *s)
{
    while (runtime_run(s->w.rt, 100, s->w.now)) {}
}

/* Checks the oldest event and removes it. */
static void expect(struct seen *s, enum process_event_kind kind, uint64_t serial, const char *name,
                   const char *behaviour, const char *reason)
{
    assert_true(s->count > 0);
    assert_int_equal(s->it[0].kind, kind);
    assert_int_equal(s->it[0].serial, serial);
    assert_string_equal(s->it[0].name, name);
    assert_string_equal(s->it[0].behaviour, behaviour);
    assert_string_equal(s->it[0].reason, reason);
    s->count--;
    memmove(&s->it[0], &s->it[1], s->count * sizeof(s->it[0]));
}

static void test_life(void **state)
{
    struct seen *s = *state;
    rusm_pid pid;

    assert_int_equal(runtime_spawn(s->w.rt, builtin_find("echo"), NULL, &pid, NULL, s->w.now), 0);
    expect(s, PROCESS_STARTED, pid.serial, "", "echo", "");
    assert_int_equal(runtime_register(s->w.rt, pid.serial, "e1", 2), 0);
    expect(s, PROCESS_NAMED, pid.serial, "e1", "", "");
    assert_int_equal(runtime_register(s->w.rt, pid.serial, "e1", 2), RUSM_EEXIST);
    assert_int_equal(runtime_register(s->w.rt, pid.serial, "e2", 2), 0);
    expect(s, PROCESS_NAMED, pid.serial, "e2", "", "");
    assert_int_equal(runtime_unregister(s->w.rt, "e1", 2), 0);
    expect(s, PROCESS_UNNAMED, 0, "e1", "", "");
    assert_int_equal(runtime_kill(s->w.rt, pid.serial, "tired"), 0);
    expect(s, PROCESS_ENDED, pid.serial, "e2", "echo", "tired");
    assert_int_equal(s->count, 0);
}

static void test_failed_init(void **state)
{
    struct seen *s = *state;
    rusm_pid pid;

    assert_int_equal(runtime_spawn(s->w.rt, builtin_find("relay"), NULL, &pid, NULL, s->w.now),
                     RUSM_EINIT); /* a relay needs an argument */
    assert_int_equal(s->count, 0);
}

static void test_restart(void **state)
{
    static const struct rusm_supervisor options = { .strategy = RUSM_ONE_FOR_ONE,
                                                    .max_restarts = 3 };
    struct seen *s = *state;
    struct rusm_child child = { .behaviour = builtin_find("echo"), .name = "kept" };
    rusm_pid supervisor, first, second = { 0 };

    static const struct keeper_options keep = { .restarts = RUSM_RESTARTS_BACKOFF };
    assert_int_equal(supervisor_start(s->w.rt, &options, &keep, (rusm_pid){ 0 }, &supervisor, NULL,
                                      s->w.now),
                     0);
    expect(s, PROCESS_STARTED, supervisor.serial, "", "supervisor", "");
    assert_int_equal(supervisor_add(s->w.rt, supervisor.serial, &child, &first, NULL, s->w.now), 0);
    expect(s, PROCESS_STARTED, first.serial, "", "echo", "");
    expect(s, PROCESS_NAMED, first.serial, "kept", "", "");
    assert_int_equal(s->count, 0); /* a first start is not a restart */
    assert_int_equal(runtime_kill(s->w.rt, first.serial, "broken"), 0);
    expect(s, PROCESS_ENDED, first.serial, "kept", "echo", "broken");
    run(s);
    second.serial = s->it[0].serial;
    assert_true(second.serial > first.serial);
    expect(s, PROCESS_STARTED, second.serial, "", "echo", "");
    expect(s, PROCESS_NAMED, second.serial, "kept", "", "");
    expect(s, PROCESS_RESTARTED, second.serial, "kept", "echo", "");
    assert_int_equal(s->count, 0);
}

/* A child that is down is told once, however often it is tried. */
static void test_down(void **state)
{
    static const struct rusm_supervisor options = { .strategy = RUSM_ONE_FOR_ONE };
    static const struct keeper_options keep = { .restarts = RUSM_RESTARTS_BACKOFF };
    struct seen *s = *state;
    struct rusm_child child = { .behaviour = builtin_find("echo"), .name = "kept" };
    rusm_pid supervisor, first;

    assert_int_equal(supervisor_start(s->w.rt, &options, &keep, (rusm_pid){ 0 }, &supervisor, NULL,
                                      s->w.now),
                     0);
    assert_int_equal(supervisor_add(s->w.rt, supervisor.serial, &child, &first, NULL, s->w.now), 0);
    s->count = 0;
    assert_int_equal(runtime_kill(s->w.rt, first.serial, "broken"), 0);
    expect(s, PROCESS_ENDED, first.serial, "kept", "echo", "broken");
    run(s);
    expect(s, PROCESS_DOWN, 0, "kept", "echo", "broken");
    assert_int_equal(s->count, 0);
    s->w.now += 100000000;
    run(s);
    uint64_t second = s->it[0].serial;
    expect(s, PROCESS_STARTED, second, "", "echo", "");
    expect(s, PROCESS_NAMED, second, "kept", "", "");
    expect(s, PROCESS_RESTARTED, second, "kept", "echo", "");
    assert_int_equal(runtime_kill(s->w.rt, second, "broken"), 0);
    expect(s, PROCESS_ENDED, second, "kept", "echo", "broken");
    run(s);
    assert_int_equal(s->count, 0);
}

static void test_unwatched(void **state)
{
    struct seen *s = *state;
    rusm_pid pid;

    atomic_store(&s->watched, false);
    assert_int_equal(runtime_spawn(s->w.rt, builtin_find("echo"), NULL, &pid, NULL, s->w.now), 0);
    assert_int_equal(runtime_register(s->w.rt, pid.serial, "e1", 2), 0);
    assert_int_equal(runtime_kill(s->w.rt, pid.serial, "tired"), 0);
    assert_int_equal(s->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_init, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_down, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unwatched, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
