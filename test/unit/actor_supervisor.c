/* actor/supervisor: strategies, kinds of children, intensity, order and deadlines of a shutdown. */
#include "doubles/actor.h"

#include "otp/supervisor.h"

#define SECOND UINT64_C(1000000000)

/* Children write what happens to them into one line: "+a" is started, "-a" stopped, "!a" failed. */
static char journal[4096];
static unsigned fails; /* how many of the next inits fail */
static bool stubborn;  /* children trap exits and ignore them */

static void note(const char *sign, const char *name)
{
    size_t len = strlen(journal);

    snprintf(journal + len, sizeof(journal) - len, "%s%s ", sign, name);
}

static int child_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    assert_int_equal(args->count, 1);
    if (fails > 0) {
        fails--;
        note("!", args->value[0]);
        return RUSM_EIO;
    }
    if (stubborn) {
        rusm_trap_exit(self, true);
    }
    note("+", args->value[0]);
    *state = strdup(args->value[0]);
    return 0;
}

static void child_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    if (m->kind == RUSM_SEND) {
        rusm_exit(self, (const char *)m->data);
    }
}

static void child_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self;
    (void)reason;
    note("-", state);
    free(state);
}

static const struct rusm_behaviour child = {
    .name = "child", .init = child_init, .receive = child_receive, .stop = child_stop
};

static const char *const letters[] = { "a", "b", "c", "d" };

/* Fills the list with children a, b, c …, registered under these names. */
static void children(struct rusm_child *list, size_t count, enum rusm_restart restart)
{
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct rusm_child){
            .behaviour = &child, .args = { 1, &letters[i] }, .name = letters[i], .restart = restart
        };
    }
}

static uint64_t serial_of(struct world *w, const char *name)
{
    uint64_t serial;

    (void)runtime_find_name(w->rt, name, strlen(name), &serial);
    return serial;
}

/* Ends the child with that reason. */
static void end(struct world *w, struct probe *by, const char *name, const char *reason)
{
    assert_int_equal(rusm_send_name(by->self, 0, name, reason, strlen(reason), 0), 0);
    world_run(w);
}

static void expect_journal(const char *text)
{
    assert_string_equal(journal, text);
    journal[0] = 0;
}

static struct probe *start(struct world *w, const struct rusm_supervisor *options, rusm_pid *pid)
{
    struct probe *p = probe_new(w);

    journal[0] = 0;
    fails = 0;
    stubborn = false;
    rusm_trap_exit(p->self, true);
    assert_int_equal(rusm_supervise(p->self, options, pid), 0);
    world_run(w);
    return p;
}

static void finish(struct world *w, struct probe *p)
{
    world_free(w);
    free(p);
    journal[0] = 0;
}

static void test_strategies(void **state)
{
    (void)state;
    static const char *const what[] = { "-b +b ", "-b -d -c -a +a +b +c +d ",
                                        "-b -d -c +b +c +d " };

    for (unsigned strategy = 0; strategy < 3; strategy++) {
        struct world *w = world_new();
        struct rusm_child list[4];
        struct rusm_supervisor options = { .strategy = (enum rusm_strategy)strategy,
                                           .max_restarts = 1,
                                           .children = list,
                                           .child_count = 4 };
        rusm_pid pid;
        children(list, 4, RUSM_PERMANENT);
        struct probe *p = start(w, &options, &pid);
        expect_journal("+a +b +c +d ");
        uint64_t b = serial_of(w, "b");
        end(w, p, "b", "normal");
        expect_journal(what[strategy]);
        assert_true(serial_of(w, "b") > b); /* it keeps its name */
        assert_int_equal(runtime_count(w->rt), 6);
        /* The parent ends the supervisor, which ends the last child first. */
        assert_int_equal(rusm_kill(p->self, pid, "shutdown"), 0);
        world_run(w);
        expect_journal("-d -c -b -a ");
        assert_int_equal(p->count, 1);
        assert_int_equal(p->got[0].kind, RUSM_EXIT);
        assert_string_equal(p->got[0].text, "shutdown");
        assert_int_equal(runtime_count(w->rt), 1);
        finish(w, p);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        enum rusm_restart restart;
        const char *reason;
        bool again;
    } rows[] = {
        { RUSM_PERMANENT, "normal", true },    { RUSM_PERMANENT, "shutdown", true },
        { RUSM_PERMANENT, "boom", true },      { RUSM_TRANSIENT, "normal", false },
        { RUSM_TRANSIENT, "shutdown", false }, { RUSM_TRANSIENT, "boom", true },
        { RUSM_TEMPORARY, "normal", false },   { RUSM_TEMPORARY, "boom", false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_new();
        struct rusm_child list[1];
        struct rusm_supervisor options = { .max_restarts = 1, .children = list, .child_count = 1 };
        rusm_pid pid;
        children(list, 1, rows[i].restart);
        struct probe *p = start(w, &options, &pid);
        expect_journal("+a ");
        end(w, p, "a", rows[i].reason);
        expect_journal(rows[i].again ? "-a +a " : "-a ");
        assert_int_equal(serial_of(w, "a") != 0, rows[i].again);
        assert_int_equal(p->count, 0);
        finish(w, p);
    }
}

/* If a group is restarted, a temporary child is only stopped. A transient child is started again,
 * unless it had ended normally before. */
static void test_kinds_in_a_group(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[3];
    struct rusm_supervisor options = {
        .strategy = RUSM_ONE_FOR_ALL, .max_restarts = 9, .children = list, .child_count = 3
    };
    rusm_pid pid;

    children(list, 3, RUSM_PERMANENT);
    list[1].restart = RUSM_TEMPORARY;
    list[2].restart = RUSM_TRANSIENT;
    struct probe *p = start(w, &options, &pid);
    expect_journal("+a +b +c ");
    end(w, p, "a", "boom");
    expect_journal("-a -c -b +a +c ");
    end(w, p, "c", "normal");
    end(w, p, "a", "boom");
    expect_journal("-c -a +a ");
    finish(w, p);
}

/* After more than max_restarts within max_seconds, all children stop and the supervisor ends. Older
 * restarts do not count. */
static void test_intensity(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[2];
    struct rusm_supervisor options = {
        .max_restarts = 3, .max_seconds = 10, .children = list, .child_count = 2
    };
    rusm_pid pid;

    children(list, 2, RUSM_PERMANENT);
    struct probe *p = start(w, &options, &pid);
    for (int i = 0; i < 20; i++) {
        w->now += 4 * SECOND; /* three restarts in any 10 seconds */
        end(w, p, "a", "boom");
        assert_int_equal(p->count, 0);
    }
    journal[0] = 0;
    end(w, p, "a", "boom");
    expect_journal("-a -b ");
    assert_int_equal(p->count, 1);
    assert_string_equal(p->got[0].text, "shutdown");
    assert_int_equal(runtime_count(w->rt), 1);
    finish(w, p);
}

/* A supervisor that gives up is a child that ended. The supervisor above starts it again, until
 * that one gives up too. */
static void test_escalation(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[2], top[2];
    struct rusm_supervisor inner = { .max_restarts = 1, .children = list, .child_count = 2 };
    struct rusm_supervisor outer = { .max_restarts = 1, .children = top, .child_count = 2 };
    rusm_pid pid;

    children(list, 2, RUSM_PERMANENT);
    top[0] = (struct rusm_child){ .behaviour = &child, .args = { 1, &letters[3] } };
    top[1] = (struct rusm_child){ .supervisor = &inner };
    struct probe *p = start(w, &outer, &pid);
    memset(list, 0, sizeof(list)); /* the supervisors have copies of all */
    memset(top, 0, sizeof(top));
    expect_journal("+d +a +b ");
    end(w, p, "a", "1");
    expect_journal("-a +a ");
    end(w, p, "b", "2");
    expect_journal("-b -a +a +b ");
    end(w, p, "a", "3");
    expect_journal("-a +a ");
    assert_int_equal(p->count, 0);
    end(w, p, "a", "4");
    expect_journal("-a -b -d ");
    assert_int_equal(p->count, 1);
    assert_int_equal(runtime_count(w->rt), 1);
    finish(w, p);
}

/* A child whose restart fails is tried again, within the intensity. */
static void test_start_fails(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[3];
    struct rusm_supervisor options = { .max_restarts = 5, .children = list, .child_count = 3 };
    rusm_pid pid, none;

    children(list, 3, RUSM_PERMANENT);
    struct probe *p = start(w, &options, &pid);
    journal[0] = 0;
    fails = 3;
    end(w, p, "b", "boom");
    expect_journal("-b !b !b !b +b ");
    fails = 100;
    end(w, p, "b", "boom");
    expect_journal("-b !b -c -a ");
    assert_string_equal(p->got[0].text, "shutdown");
    /* At the start, a failed child fails the supervisor at once, and nothing is left. */
    p->count = 0;
    fails = 0;
    list[2].behaviour = &probe_behaviour;
    struct probe broken = { .init_result = RUSM_EIO };
    probe_next = &broken;
    assert_int_equal(rusm_supervise(p->self, &options, &none), RUSM_EINIT);
    world_run(w);
    assert_int_equal(runtime_count(w->rt), 1);
    assert_int_equal(p->count, 0);
    list[2].behaviour = &child;
    list[2].name = "a"; /* the first child has this name */
    assert_int_equal(rusm_supervise(p->self, &options, &none), RUSM_EINIT);
    world_run(w);
    assert_int_equal(runtime_count(w->rt), 1);
    list[2].name = "a b";
    assert_int_equal(rusm_supervise(p->self, &options, &none), RUSM_EINVAL);
    finish(w, p);
}

/* A child that does not stop in time is killed. With RUSM_FOREVER, the supervisor waits. */
static void test_deadline(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[4];
    struct rusm_supervisor options = { .children = list, .child_count = 4 };
    rusm_pid pid;

    children(list, 4, RUSM_PERMANENT);
    list[0].shutdown_ms = RUSM_FOREVER;
    list[1].shutdown_ms = 0; /* the default, 5 seconds */
    list[2].shutdown_ms = 200;
    list[3].shutdown_ms = RUSM_BRUTAL;
    struct probe *p = probe_new(w);
    journal[0] = 0;
    fails = 0;
    stubborn = true;
    rusm_trap_exit(p->self, true);
    assert_int_equal(rusm_supervise(p->self, &options, &pid), 0);
    expect_journal("+a +b +c +d ");
    assert_int_equal(rusm_kill(p->self, pid, "enough"), 0);
    world_run(w);
    expect_journal("-d ");
    w->now += 199 * SECOND / 1000;
    world_run(w);
    expect_journal("");
    assert_true(runtime_next_ns(w->rt) <= w->now + SECOND / 1000);
    w->now += SECOND / 1000;
    world_run(w);
    expect_journal("-c ");
    w->now += 5 * SECOND;
    world_run(w);
    expect_journal("-b ");
    w->now += 500 * SECOND;
    world_run(w);
    expect_journal("");
    end(w, p, "a", "at last");
    expect_journal("-a ");
    assert_string_equal(p->got[0].text, "enough");
    finish(w, p);
}

/* If a supervisor is killed, its children end with it. A child that has unlinked itself is still
 * stopped. */
static void test_killed(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[2];
    struct rusm_supervisor options = { .children = list, .child_count = 2 };
    rusm_pid pid;

    children(list, 2, RUSM_PERMANENT);
    struct probe *p = start(w, &options, &pid);
    expect_journal("+a +b ");
    assert_int_equal(rusm_kill(p->self, pid, "kill"), 0);
    world_run(w);
    expect_journal("-a -b ");
    assert_string_equal(p->got[0].text, "killed");
    assert_int_equal(runtime_count(w->rt), 1);

    assert_int_equal(rusm_supervise(p->self, &options, &pid), 0);
    uint64_t serial;
    struct rusm_process *b = runtime_find_name(w->rt, "b", 1, &serial);
    assert_int_equal(rusm_unlink(b, pid), 0);
    expect_journal("+a +b ");
    assert_int_equal(rusm_kill(p->self, pid, "shutdown"), 0);
    world_run(w);
    w->now += 5 * SECOND;
    world_run(w);
    expect_journal("-b -a ");
    assert_int_equal(runtime_count(w->rt), 1);
    finish(w, p);
}

/* The node's own supervisor counts restarts for each child alone, and gives up each child alone. */
static void test_each(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[3];
    struct rusm_supervisor options = { .max_restarts = 2 };
    const struct keeper_options keep = { .restarts = RUSM_RESTARTS_GIVE_UP };
    rusm_pid pid, started;
    struct rusm_why why;
    struct probe *p = probe_new(w);

    children(list, 3, RUSM_PERMANENT);
    journal[0] = 0;
    fails = 0;
    stubborn = false;
    w->log.level = RUSM_LOG_ERROR;
    w->log.fd = -1;
    assert_int_equal(supervisor_start(w->rt, &options, &keep, (rusm_pid){ 0 }, &pid, NULL, w->now),
                     0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(supervisor_add(w->rt, pid.serial, &list[i], &started, &why, w->now), 0);
        assert_int_equal(started.serial, serial_of(w, letters[i]));
    }
    assert_int_equal(supervisor_add(w->rt, pid.serial, &list[0], &started, &why, w->now),
                     RUSM_EEXIST);
    assert_string_equal(why.text, "the name is taken");
    world_run(w);
    journal[0] = 0;
    for (int i = 0; i < 2; i++) {
        end(w, p, "a", "boom");
        end(w, p, "b", "boom");
    }
    expect_journal("-a +a -b +b -a +a -b +b ");
    end(w, p, "a", "boom");
    expect_journal("-a ");
    assert_int_equal(runtime_counters(w->rt)->children_down, 1);
    w->now += 100 * SECOND;
    world_run(w);
    expect_journal("");
    end(w, p, "c", "boom");
    expect_journal("-c +c ");
    /* The node stops it like any other supervisor: the children in reverse order. */
    assert_int_equal(runtime_exit(w->rt, pid.serial, (rusm_pid){ 0 }, "shutdown"), 0);
    assert_int_equal(supervisor_add(w->rt, p->pid.serial, &list[0], &started, &why, w->now),
                     RUSM_ENOPROC);
    world_run(w);
    expect_journal("-c -b ");
    assert_int_equal(supervisor_add(w->rt, pid.serial, &list[0], &started, &why, w->now),
                     RUSM_ENOPROC);
    finish(w, p);
}

/* ---- children of the node ---- */

static void failed(void *context)
{
    ++*(unsigned *)context;
}

/* Starts a node's supervisor that keeps one child, "a". */
static struct probe *keep_one(struct world *w, const struct keeper_options *keep, int error)
{
    static const struct rusm_supervisor options = { .max_restarts = 2 };
    struct probe *p = probe_new(w);
    struct rusm_child list[1];
    struct rusm_why why = { "" };
    rusm_pid pid, started;

    children(list, 1, RUSM_PERMANENT);
    journal[0] = 0;
    stubborn = false;
    w->log.level = RUSM_LOG_ERROR;
    w->log.fd = -1;
    assert_int_equal(supervisor_start(w->rt, &options, keep, (rusm_pid){ 0 }, &pid, NULL, w->now),
                     0);
    assert_int_equal(supervisor_add(w->rt, pid.serial, &list[0], &started, &why, w->now), error);
    world_run(w);
    return p;
}

/* Lets time pass until something is in the journal, which must be `text`. Returns how long. */
static uint64_t pass_until(struct world *w, const char *text)
{
    uint64_t began = w->now;

    while (!journal[0] && w->now - began < 100 * SECOND) {
        w->now += SECOND / 1000;
        world_run(w);
    }
    expect_journal(text);
    return w->now - began;
}

static void expect_pause(uint64_t got, uint64_t most)
{
    assert_in_range(got, most / 2, most + 2 * (SECOND / 1000));
}

/* A child that cannot be started is tried after 0.1 s, 0.2 s and so on, up to 15 s, until it works.
 * When it has worked for a while, the first pause is the shortest again. */
static void test_backoff_start(void **state)
{
    (void)state;
    static const struct keeper_options keep = { .restarts = RUSM_RESTARTS_BACKOFF };
    struct world *w = world_new();
    uint64_t pause = SECOND / 10;

    fails = 12;
    struct probe *p = keep_one(w, &keep, 0);
    expect_journal("!a ");
    for (int i = 0; i < 12; i++) {
        assert_int_equal(runtime_counters(w->rt)->children_down, 1);
        expect_pause(pass_until(w, i < 11 ? "!a " : "+a "), pause);
        pause = 2 * pause < 15 * SECOND ? 2 * pause : 15 * SECOND;
    }
    assert_int_equal(runtime_counters(w->rt)->children_down, 0);
    w->now += 5 * SECOND;
    world_run(w);
    fails = 1;
    end(w, p, "a", "boom");
    expect_journal("-a !a ");
    expect_pause(pass_until(w, "+a "), SECOND / 10);
    finish(w, p);
}

/* A child that ends too often waits between two tries. Each pause is longer, until the child has
 * run for the whole time in which restarts are counted. */
static void test_backoff_ends(void **state)
{
    (void)state;
    static const struct keeper_options keep = { .restarts = RUSM_RESTARTS_BACKOFF };
    struct world *w = world_new();

    fails = 0;
    struct probe *p = keep_one(w, &keep, 0);
    end(w, p, "a", "boom");
    end(w, p, "a", "boom");
    expect_journal("+a -a +a -a +a ");
    for (uint64_t pause = SECOND / 10; pause < SECOND; pause *= 2) {
        end(w, p, "a", "boom");
        expect_journal("-a ");
        assert_int_equal(runtime_counters(w->rt)->children_down, 1);
        expect_pause(pass_until(w, "+a "), pause);
        w->now += 4 * SECOND; /* not long enough */
        world_run(w);
    }
    w->now += 2 * SECOND;
    world_run(w);
    end(w, p, "a", "boom");
    expect_journal("-a +a ");
    finish(w, p);
}

/* A child whose global name has another holder does not run, and starts when the name is free. */
static void test_standby(void **state)
{
    (void)state;
    static const struct rusm_supervisor options = { .max_restarts = 2 };
    static const struct keeper_options keep = { .restarts = RUSM_RESTARTS_GIVE_UP };
    struct world *w = world_new();
    struct rusm_child list[1];
    struct rusm_why why = { "" };
    rusm_pid pid, started;

    children(list, 1, RUSM_PERMANENT);
    list[0].global = true;
    journal[0] = 0;
    w->log.level = RUSM_LOG_ERROR;
    assert_int_equal(supervisor_start(w->rt, &options, &keep, (rusm_pid){ 0 }, &pid, NULL, w->now),
                     0);
    w->holder = (rusm_pid){ .serial = 9 }; /* a process of this node: that is a mistake */
    assert_int_equal(supervisor_add(w->rt, pid.serial, &list[0], &started, &why, w->now),
                     RUSM_EEXIST);
    w->holder.node = 1;
    assert_int_equal(supervisor_add(w->rt, pid.serial, &list[0], &started, &why, w->now), 0);
    assert_int_equal(started.serial, 0);
    w->now += 60 * SECOND;
    world_run(w);
    expect_journal("");
    assert_int_equal(runtime_counters(w->rt)->children_down, 1);
    w->holder.serial = 0;
    assert_in_range(pass_until(w, "+a "), 0, SECOND);
    assert_int_equal(runtime_counters(w->rt)->children_down, 0);
    world_free(w);
}

/* A first start that fails is an error unless the policy is to try again. A node is told once when
 * it is to leave. */
static void test_exit(void **state)
{
    (void)state;
    unsigned count = 0;
    const struct keeper_options keep = { .restarts = RUSM_RESTARTS_EXIT,
                                         .failed = failed,
                                         .context = &count };
    struct world *w = world_new();

    fails = 1;
    struct probe *p = keep_one(w, &keep, RUSM_EINIT);
    finish(w, p);
    w = world_new();
    p = keep_one(w, &keep, 0);
    end(w, p, "a", "boom");
    end(w, p, "a", "boom");
    assert_int_equal(count, 0);
    end(w, p, "a", "boom");
    expect_journal("+a -a +a -a +a -a ");
    assert_int_equal(count, 1);
    finish(w, p);
}

/* A supervisor ignores exit signals from processes that are neither its parent nor its children. */
static void test_strangers(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct rusm_child list[1];
    struct rusm_supervisor options = { .children = list, .child_count = 1 };
    rusm_pid pid;

    children(list, 1, RUSM_PERMANENT);
    struct probe *p = start(w, &options, &pid), *q = probe_new(w);
    assert_int_equal(rusm_kill(q->self, pid, "shutdown"), 0);
    assert_int_equal(runtime_exit(w->rt, pid.serial, (rusm_pid){ 0 }, "shutdown"), 0);
    assert_int_equal(probe_send(q, &(struct probe){ .pid = pid }, "hello"), 0);
    assert_int_equal(rusm_link(q->self, pid), 0);
    rusm_exit(q->self, "boom");
    world_run(w);
    expect_journal("+a ");
    assert_int_equal(p->count, 0);
    finish(w, p);
    free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strategies),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_kinds_in_a_group),
        cmocka_unit_test(test_intensity),
        cmocka_unit_test(test_escalation),
        cmocka_unit_test(test_start_fails),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_backoff_start),
        cmocka_unit_test(test_backoff_ends),
        cmocka_unit_test(test_standby),
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
