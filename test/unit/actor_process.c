/* actor/process: how processes run and end, and which hooks are told. */
#include "doubles/actor.h"
#include "actor/limits.h"

static void exit_with(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    rusm_exit(p->self, p->user);
    rusm_exit(p->self, "too late"); /* the first call counts */
    assert_int_equal(p->stops, 0);  /* only after receive has returned */
}

static void test_exit(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    char why[] = "had enough";

    b->user = why;
    b->on = exit_with;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(probe_send(a, b, "x"), 0);
    }
    world_run(w);
    assert_int_equal(b->count, 1);
    assert_int_equal(b->stops, 1);
    assert_string_equal(b->reason, "had enough");
    assert_int_equal(w->exit_count, 1);
    assert_true(rusm_pid_eq(w->exited, b->pid));
    assert_string_equal(w->reason, "had enough");
    assert_int_equal(runtime_counters(w->rt)->mailbox_discarded, 4);
    assert_int_equal(runtime_counters(w->rt)->processes_ended, 1);
    assert_int_equal(runtime_count(w->rt), 1);
    assert_null(runtime_find(w->rt, b->pid.serial));
    world_free(w);
    free(a);
    free(b);
}

static void test_long_reasons_are_cut(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);
    char reason[3000];

    memset(reason, 'r', sizeof(reason));
    reason[sizeof(reason) - 1] = 0;
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, reason), 0);
    assert_int_equal(strlen(a->reason), RUSM_REASON_MAX);
    assert_memory_equal(a->reason, reason, RUSM_REASON_MAX);

    memcpy(reason + RUSM_REASON_MAX - 1, "\xe2\x82\xac", 3); /* a euro sign across the limit */
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, reason), 0);
    assert_int_equal(strlen(b->reason), RUSM_REASON_MAX - 1);

    reason[RUSM_REASON_MAX] = 0;
    memset(reason, 'r', RUSM_REASON_MAX);
    assert_int_equal(runtime_kill(w->rt, c->pid.serial, reason), 0);
    assert_int_equal(strlen(c->reason), RUSM_REASON_MAX);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

static void test_kill_from_outside(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "kill"), 0);
    assert_int_equal(a->stops, 1); /* at once */
    assert_string_equal(a->reason, "killed");
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "again"), RUSM_ENOPROC);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "normal"), 0);
    assert_string_equal(b->reason, "normal");
    assert_int_equal(w->exit_count, 2);
    world_free(w);
    free(a);
    free(b);
}

static void test_kill_by_another(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid old = b->pid, far = { .serial = 3, .node = world_node(w, "oslo"), .incarnation = 1 };
    char reason[2000];

    assert_int_equal(rusm_kill(a->self, b->pid, "normal"), 0);
    world_run(w);
    assert_int_equal(b->stops, 0); /* ignored, as in Erlang */
    old.incarnation++;
    assert_int_equal(rusm_kill(a->self, old, "x"), RUSM_ENOPROC);
    assert_int_equal(rusm_kill(a->self, b->pid, "kill"), 0);
    assert_int_equal(rusm_kill(a->self, b->pid, "other"), 0);
    world_run(w);
    assert_string_equal(b->reason, "killed");
    assert_int_equal(rusm_kill(a->self, b->pid, "x"), RUSM_ENOPROC);

    assert_int_equal(rusm_kill(a->self, far, "normal"), 0);
    assert_int_equal(w->post_count, 1); /* sent, because the process there may trap it */
    w->post_count = 0;
    memset(reason, 'r', sizeof(reason));
    reason[sizeof(reason) - 1] = 0;
    assert_int_equal(rusm_kill(a->self, far, reason), 0);
    assert_int_equal(w->posts[0].post.kind, RUSM_EXIT);
    assert_int_equal(w->posts[0].post.len, RUSM_REASON_MAX);
    assert_true(rusm_pid_eq(w->posts[0].post.to, far));

    assert_int_equal(rusm_kill(a->self, a->pid, "normal"), 0); /* "normal" from itself ends it */
    world_run(w);
    assert_string_equal(a->reason, "normal");
    world_free(w);
    free(a);
    free(b);
}

/* The process is killed from outside while its handler runs. */
static struct world *running_world;

static void kill_running(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    assert_int_equal(runtime_kill(running_world->rt, p->pid.serial, "from outside"), 0);
    assert_int_equal(p->stops, 0);
    assert_non_null(runtime_find(running_world->rt, p->pid.serial));
}

static void test_kill_while_it_runs(void **state)
{
    (void)state;
    struct world *w = running_world = world_new();
    struct probe *a = probe_new(w);

    a->on = kill_running;
    assert_int_equal(probe_send(a, a, "1"), 0);
    assert_int_equal(probe_send(a, a, "2"), 0);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->stops, 1);
    assert_string_equal(a->reason, "from outside");
    world_free(w);
    free(a);
}

/* A hook kills a process from inside another's handler. The process does not end at once then. */
static void kill_by_hook(struct world *w, const struct post *post)
{
    (void)post;
    assert_int_equal(runtime_kill(w->rt, 2, "by a hook"), 0);
    assert_int_equal(w->exit_count, 0);
}

static void posts(struct probe *p, const struct rusm_message *m)
{
    rusm_pid far = { .serial = 3, .node = 1, .incarnation = 1 };

    assert_int_equal(rusm_send(p->self, far, m->data, m->len, 0), 0);
    assert_non_null(runtime_find(running_world->rt, 2));
}

static void test_kill_inside_of_another(void **state)
{
    (void)state;
    struct world *w = running_world = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    assert_int_equal(world_node(w, "oslo"), 1);
    assert_int_equal(b->pid.serial, 2);
    w->on_post = kill_by_hook;
    a->on = posts;
    assert_int_equal(probe_send(b, a, "x"), 0);
    assert_int_equal(probe_send(a, b, "never handled"), 0);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(b->count, 0);
    assert_int_equal(b->stops, 1);
    assert_string_equal(b->reason, "by a hook");
    world_free(w);
    free(a);
    free(b);
}

/* Each stop kills the next process. The chain must not grow the stack. */
enum { CHAIN = 100000 };
static unsigned chain_stops, chain_running;

static void chain_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    (void)m;
    rusm_exit(self, "chain");
}

static void chain_stop(struct rusm_process *self, void *state, const char *reason)
{
    rusm_pid me = rusm_self(self), next = me;

    (void)state;
    assert_string_equal(reason, "chain");
    assert_int_equal(chain_running++, 0);
    chain_stops++;
    next.serial++;
    assert_int_equal(rusm_kill(self, next, "chain"), me.serial < CHAIN ? 0 : RUSM_ENOPROC);
    assert_int_equal(rusm_kill(self, me, "twice"), 0); /* it is already ending */
    rusm_exit(self, "thrice");
    assert_int_equal(rusm_send(self, me, "lost", 4, 0), 0);
    chain_running--;
}

static const struct rusm_behaviour chain_behaviour = { .name = "chain",
                                                       .receive = chain_receive,
                                                       .stop = chain_stop };

static void test_chain_of_ends(void **state)
{
    (void)state;
    struct world *w = world_new();
    rusm_pid pid;

    chain_stops = chain_running = 0;
    for (int i = 0; i < CHAIN; i++) {
        assert_int_equal(runtime_spawn(w->rt, &chain_behaviour, NULL, &pid, NULL, 1), 0);
    }
    assert_int_equal(runtime_kill(w->rt, 1, "chain"), 0);
    assert_int_equal(chain_stops, CHAIN);
    assert_int_equal(runtime_count(w->rt), 0);
    assert_int_equal(runtime_counters(w->rt)->mailbox_discarded, CHAIN);
    assert_false(runtime_ready(w->rt));
    world_free(w);
}

/* ---- many processes ---- */

struct herd {
    unsigned stops, normal;
};
static struct herd herd;

static void herd_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    rusm_exit(self, m->len ? "normal" : "empty");
}

static void herd_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self;
    (void)state;
    herd.stops++;
    herd.normal += strcmp(reason, "normal") == 0;
}

static const struct rusm_behaviour herd_behaviour = { .name = "herd",
                                                      .receive = herd_receive,
                                                      .stop = herd_stop };

static void test_many(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid pid, first = { 0 };

    herd = (struct herd){ 0 };
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(runtime_spawn(w->rt, &herd_behaviour, NULL, &pid, NULL, 1), 0);
            first = i == 0 ? pid : first;
            assert_int_equal(pid.serial, first.serial + (uint64_t)i); /* serials are never reused */
            assert_int_equal(rusm_send(a->self, pid, "x", (size_t)(i % 2), 0), 0);
        }
        assert_int_equal(runtime_count(w->rt), MANY + 1);
        world_run(w);
        assert_int_equal(runtime_count(w->rt), 1);
        assert_int_equal(herd.stops, (round + 1) * MANY);
        assert_int_equal(herd.normal, (round + 1) * MANY / 2);
    }
    assert_int_equal(w->exit_count, 2 * MANY);
    world_free(w);
    free(a);
}

static void test_batches_take_turns(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);

    /* runtime_run keeps exactly to a budget below the work, and returns whether anything is
     * ready. */
    for (int i = 0; i < 6; i++) {
        assert_int_equal(probe_send(c, a, "x"), 0);
        assert_int_equal(probe_send(c, b, "x"), 0);
    }
    assert_true(runtime_run(w->rt, 4, ++w->now));
    assert_int_equal(a->count + b->count, 4);
    assert_true(runtime_run(w->rt, 1, ++w->now));
    assert_int_equal(a->count + b->count, 5);
    assert_true(b->count > 0); /* a does not stay at the front */
    assert_false(runtime_run(w->rt, 1000, ++w->now));
    assert_int_equal(a->count + b->count, 12);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

static void again(struct probe *p, const struct rusm_message *m)
{
    assert_int_equal(rusm_send(p->self, p->pid, m->data, m->len, 0), 0);
}

static void test_a_busy_one_gets_a_batch(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    a->on = again;
    assert_int_equal(probe_send(b, a, "x"), 0);
    assert_int_equal(probe_send(a, b, "x"), 0);
    assert_true(runtime_run(w->rt, LIMIT_RUN_BATCH + 1, ++w->now));
    assert_int_equal(a->count, LIMIT_RUN_BATCH);
    assert_int_equal(b->count, 1);
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_long_reasons_are_cut),
        cmocka_unit_test(test_kill_from_outside),
        cmocka_unit_test(test_kill_by_another),
        cmocka_unit_test(test_kill_while_it_runs),
        cmocka_unit_test(test_kill_inside_of_another),
        cmocka_unit_test(test_chain_of_ends),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_batches_take_turns),
        cmocka_unit_test(test_a_busy_one_gets_a_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
