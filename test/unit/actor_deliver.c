/* actor/deliver: messages from the network, whose credit goes back exactly once, and what `attach`
 * shows of processes. */
#include "doubles/actor.h"

/* ---- credit ---- */

/* A lane with its credit. */
struct lane {
    struct credit_owner owner;
    struct credit *credit;
};

static void lane_open(struct lane *l)
{
    credit_owner_init(&l->owner, NULL);
    l->credit = credit_new(&l->owner);
    assert_non_null(l->credit);
}

/* Returns the credit given back since the last call. */
static uint64_t lane_given(struct lane *l, uint32_t messages)
{
    uint64_t given = l->credit->given;

    assert_int_equal(l->credit->messages, messages);
    list_remove(&l->credit->dirty);
    l->credit->given = 0;
    l->credit->messages = 0;
    return given;
}

static void lane_deliver(struct lane *l, struct world *w, struct probe *to, enum rusm_kind kind,
                         uint32_t bytes)
{
    rusm_pid from = { .serial = 3, .node = world_node(w, "oslo"), .incarnation = 5 };
    struct message *m = world_message(w, kind, from, 9, "text");

    m->credit = l->credit;
    m->credit_bytes = bytes;
    credit_hold(l->credit);
    process_deliver(to->self, m);
}

static void test_credit_when_taken(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    struct lane l;

    lane_open(&l);
    for (uint32_t i = 1; i <= 5; i++) {
        lane_deliver(&l, w, a, RUSM_SEND, i * 10);
    }
    assert_int_equal(lane_given(&l, 0), 0); /* an arrival gives back no credit */
    assert_int_equal(l.credit->refs, 6);
    runtime_run(w->rt, 2, ++w->now);
    assert_int_equal(lane_given(&l, 2), 30);
    world_run(w);
    assert_int_equal(lane_given(&l, 3), 120);
    assert_int_equal(l.credit->refs, 1);
    assert_int_equal(a->count, 5);
    assert_int_equal(a->got[0].from.serial, 3);
    credit_orphan(l.credit);
    world_free(w);
    free(a);
}

static void exits(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    rusm_exit(p->self, "x");
}

static void test_credit_when_it_ends(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    struct lane l;

    lane_open(&l);
    for (int i = 0; i < 5; i++) {
        lane_deliver(&l, w, a, RUSM_SEND, 10);
        lane_deliver(&l, w, b, RUSM_SEND, 10);
    }
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "x"), 0);
    assert_int_equal(lane_given(&l, 5), 50);
    b->on = exits;
    world_run(w);
    assert_int_equal(b->count, 1);
    assert_int_equal(lane_given(&l, 5), 50);
    assert_int_equal(l.credit->refs, 1);
    assert_int_equal(runtime_counters(w->rt)->mailbox_discarded, 9);
    credit_orphan(l.credit);
    world_free(w);
    free(a);
    free(b);
}

static int holds;

static void hold_some(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    if (holds > 0) {
        holds--;
        rusm_hold(p->self);
    }
}

static void test_credit_of_the_others(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    struct lane l;

    lane_open(&l);
    /* A held message gives its credit back only when it has been handled. */
    a->on = hold_some;
    holds = 1;
    lane_deliver(&l, w, a, RUSM_SEND, 10);
    runtime_run(w->rt, 1, ++w->now);
    assert_int_equal(a->count, 1);
    assert_int_equal(lane_given(&l, 0), 0);
    world_run(w);
    assert_int_equal(lane_given(&l, 1), 10);

    /* A DOWN that was not asked for and an exit signal give their credit back at once. Credit may
     * outlive its lane. */
    lane_deliver(&l, w, a, RUSM_DOWN, 7);
    assert_int_equal(lane_given(&l, 1), 7);
    lane_deliver(&l, w, a, RUSM_SEND, 10);
    lane_deliver(&l, w, a, RUSM_EXIT, 8);
    assert_int_equal(lane_given(&l, 1), 8);
    struct credit *credit = l.credit;
    credit_orphan(credit);
    assert_int_equal(a->stops, 0); /* not while the caller may still use it */
    assert_true(runtime_ready(w->rt));
    world_run(w);
    assert_int_equal(a->stops, 1);
    assert_string_equal(a->reason, "text");
    assert_int_equal(a->count, 2);
    world_free(w);
    free(a);
}

static void test_exit_signals(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid from = { .serial = 3, .node = world_node(w, "oslo"), .incarnation = 5 };

    process_deliver(a->self, world_message(w, RUSM_EXIT, from, 0, "normal"));
    world_run(w);
    assert_int_equal(a->stops, 0);
    process_deliver(a->self, world_message(w, RUSM_EXIT, from, 0, "kill"));
    process_deliver(a->self, world_message(w, RUSM_EXIT, from, 0, "other"));
    world_run(w);
    assert_string_equal(a->reason, "killed");
    assert_int_equal(a->count, 0);
    world_free(w);
    free(a);
}

/* ---- room ---- */

static void test_room(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid from = { 0 }, far = { .serial = 3, .node = world_node(w, "oslo"), .incarnation = 2 };
    uint64_t ref[100];

    for (int i = 0; i < 100; i++) {
        assert_int_equal(rusm_request(a->self, far, "", 0, RUSM_FOREVER, &ref[i]), 0);
        w->post_count = 0;
    }
    for (int i = 0; i < WORLD_MESSAGES; i++) {
        assert_true(process_has_room(a->self, 1));
        process_deliver(a->self, world_message(w, RUSM_CALL, from, 1, "x"));
    }
    assert_false(process_has_room(a->self, 0));
    /* Replies and answers always find room. */
    for (int i = 0; i < 100; i++) {
        process_deliver(a->self, world_message(w, RUSM_REPLY, far, ref[i], "x"));
        process_deliver(a->self, world_message(w, RUSM_SPAWNED, from, 1, ""));
    }
    assert_false(process_has_room(a->self, 0));
    world_run(w);
    assert_int_equal(a->count, WORLD_MESSAGES + 200);
    assert_true(process_has_room(a->self, WORLD_BYTES));
    assert_true(process_has_room(a->self, RUSM_MESSAGE_MAX)); /* because the mailbox is empty */
    process_deliver(a->self, world_message(w, RUSM_SEND, from, 0, ""));
    assert_true(process_has_room(a->self, WORLD_BYTES));
    assert_false(process_has_room(a->self, WORLD_BYTES + 1));
    world_free(w);
    free(a);
}

/* ---- finding processes ---- */

static void test_epoch(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint64_t epoch = runtime_epoch(w->rt), serial;

    assert_ptr_equal(runtime_find(w->rt, a->pid.serial), a->self);
    assert_int_equal(process_serial(a->self), a->pid.serial);
    assert_null(runtime_find(w->rt, 0));
    assert_null(runtime_find_name(w->rt, "n", 1, &serial));
    assert_int_equal(runtime_register(w->rt, a->pid.serial, "n", 1), 0);
    assert_true(runtime_epoch(w->rt) > epoch);
    assert_ptr_equal(runtime_find_name(w->rt, "n", 1, &serial), a->self);
    assert_null(runtime_find_name(w->rt, "n2", 2, &serial));

    epoch = runtime_epoch(w->rt);
    assert_int_equal(runtime_register(w->rt, b->pid.serial, "n", 1), RUSM_EEXIST);
    assert_int_equal(runtime_register(w->rt, 99, "m", 1), RUSM_ENOPROC);
    assert_int_equal(runtime_register(w->rt, b->pid.serial, "1", 1), RUSM_EINVAL);
    assert_int_equal(runtime_unregister(w->rt, "m", 1), RUSM_ENOPROC);
    assert_int_equal(runtime_epoch(w->rt), epoch);
    assert_int_equal(runtime_unregister(w->rt, "n", 1), 0);
    assert_true(runtime_epoch(w->rt) > epoch);
    assert_int_equal(runtime_register(w->rt, b->pid.serial, "n", 1), 0);
    epoch = runtime_epoch(w->rt);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "x"), 0);
    assert_true(runtime_epoch(w->rt) > epoch);
    assert_null(runtime_find_name(w->rt, "n", 1, &serial));
    world_free(w);
    free(a);
    free(b);
}

/* ---- what attach shows ---- */

static char seen[200];

static int see_name(void *context, const char *name, uint64_t serial)
{
    size_t len = strlen(seen);

    snprintf(seen + len, sizeof(seen) - len, "%s=%d ", name, (int)serial);
    return context && strcmp(name, context) == 0;
}

static int see_spawnable(void *context, const char *name, const struct rusm_behaviour *behaviour)
{
    size_t len = strlen(seen);

    (void)context;
    snprintf(seen + len, sizeof(seen) - len, "%s:%s ", name, behaviour->name);
    return 0;
}

static void run_info(struct probe *p, const struct rusm_message *m)
{
    struct process_info info;

    (void)m;
    process_info(p->self, &info, 0);
    assert_string_equal(info.state, "running");
}

static void test_views(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    struct process_info info, with;
    char two[] = "two";

    process_info(a->self, &info, w->now + 5);
    assert_int_equal(info.serial, a->pid.serial);
    assert_string_equal(info.name, "");
    assert_string_equal(info.behaviour, "probe");
    assert_string_equal(info.state, "waiting");
    assert_int_equal(info.mailbox, 0);
    assert_int_equal(info.received, 0);
    assert_int_equal(info.links, 0);
    assert_int_equal(info.age_ns, 5);
    assert_int_equal(probe_send(b, a, "12345"), 0);
    process_info(a->self, &with, 0);
    assert_string_equal(with.state, "ready");
    assert_int_equal(with.mailbox, 1);
    assert_true(with.memory >= info.memory + 5);
    assert_int_equal(with.age_ns, 0);
    a->on = run_info;
    world_run(w);
    process_info(a->self, &info, 0);
    assert_int_equal(info.received, 1);

    assert_int_equal(runtime_register(w->rt, b->pid.serial, "two", 3), 0);
    assert_int_equal(runtime_register(w->rt, b->pid.serial, "three", 5), 0);
    assert_int_equal(runtime_register(w->rt, a->pid.serial, "one", 3), 0);
    process_info(b->self, &info, 0);
    assert_string_equal(info.name, "two"); /* the name registered first */
    seen[0] = 0;
    struct name_cursor at = { 0 };
    runtime_each_name(w->rt, &at, see_name, NULL);
    assert_string_equal(seen, "one=1 two=2 three=2 ");
    seen[0] = 0;
    at = (struct name_cursor){ 0 };
    runtime_each_name(w->rt, &at, see_name, two);
    assert_string_equal(seen, "one=1 two=2 ");
    runtime_each_name(w->rt, &at, see_name, two);
    assert_string_equal(seen, "one=1 two=2 three=2 ");
    runtime_each_name(w->rt, &at, see_name, two);
    assert_string_equal(seen, "one=1 two=2 three=2 ");

    assert_int_equal(runtime_teach(w->rt, "z", &probe_behaviour), 0);
    assert_int_equal(runtime_teach(w->rt, "a", builtin_find("echo")), 0);
    assert_int_equal(runtime_teach(w->rt, "a", &probe_behaviour), RUSM_EEXIST);
    assert_int_equal(runtime_teach(w->rt, "a b", &probe_behaviour), RUSM_EINVAL);
    assert_ptr_equal(runtime_spawnable(w->rt, "a", 1), builtin_find("echo"));
    assert_null(runtime_spawnable(w->rt, "ab", 2));
    seen[0] = 0;
    runtime_each_spawnable(w->rt, see_spawnable, NULL);
    assert_string_equal(seen, "z:probe a:echo ");
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credit_when_taken),
        cmocka_unit_test(test_credit_when_it_ends),
        cmocka_unit_test(test_credit_of_the_others),
        cmocka_unit_test(test_exit_signals),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_epoch),
        cmocka_unit_test(test_views),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
