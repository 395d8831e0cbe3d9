/* actor/timer: rusm_timer, rusm_interval, rusm_send_after, rusm_cancel. */
#include "doubles/actor.h"

#define MS ((uint64_t)1000000)
#define LATE (2 * MS) /* a tick of the wheel is 1.05 ms */

/* Lets ms milliseconds pass. */
static void pass(struct world *w, uint64_t ms)
{
    w->now += ms * MS;
    world_run(w);
}

static void test_once(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    uint64_t one, two;

    (void)state;
    world_run(w);
    assert_true(runtime_next_ns(w->rt) == UINT64_MAX);
    assert_int_equal(rusm_timer(a->self, 50, &one), 0);
    assert_int_equal(rusm_timer(a->self, 20, &two), 0);
    assert_true(one != two);
    assert_true(runtime_next_ns(w->rt) <= w->now + 20 * MS + LATE);
    pass(w, 19);
    assert_int_equal(a->count, 0);
    pass(w, 3);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].kind, RUSM_TIMER);
    assert_true(a->got[0].ref == two);
    assert_true(rusm_pid_eq(a->got[0].from, a->pid));
    pass(w, 30);
    assert_int_equal(a->count, 2);
    assert_true(a->got[1].ref == one);
    assert_true(runtime_next_ns(w->rt) == UINT64_MAX);
    world_free(w);
    free(a);
}

static void test_cancel(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint64_t ref, later;

    (void)state;
    assert_int_equal(rusm_timer(a->self, 10, &ref), 0);
    assert_int_equal(rusm_cancel(b->self, ref), RUSM_ENOPROC); /* another process's timer */
    assert_int_equal(rusm_cancel(a->self, ref), 0);
    assert_int_equal(rusm_cancel(a->self, ref), RUSM_ENOPROC);
    assert_int_equal(rusm_timer(a->self, 10, &later), 0); /* the same slot, another ref */
    assert_true(later != ref);
    assert_int_equal(rusm_cancel(a->self, ref), RUSM_ENOPROC);
    assert_int_equal(rusm_cancel(a->self, 7), RUSM_ENOPROC);
    assert_int_equal(rusm_cancel(a->self, UINT64_MAX), RUSM_ENOPROC);
    pass(w, 20);
    assert_int_equal(a->count, 1);
    assert_true(a->got[0].ref == later);
    assert_int_equal(rusm_cancel(a->self, later), RUSM_ENOPROC); /* it has already expired */
    world_free(w);
    free(a);
    free(b);
}

/* Intervals do not drift, however late the ticks are. Missed ones do not pile up. */
static void test_interval(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    uint64_t ref, zero, start;

    (void)state;
    assert_int_equal(rusm_interval(a->self, 0, &zero), RUSM_EINVAL);
    world_run(w);
    start = w->now;
    assert_int_equal(rusm_interval(a->self, 10, &ref), 0);
    for (unsigned i = 1; i <= 100; i++) {
        w->now = start + i * 10 * MS + LATE;
        world_run(w);
        assert_int_equal(a->count, i);
        assert_true(a->got[i - 1].ref == ref);
    }
    pass(w, 1000);
    assert_int_equal(a->count, 101);
    pass(w, 12);
    assert_int_equal(a->count, 102);
    assert_int_equal(rusm_cancel(a->self, ref), 0);
    pass(w, 1000);
    assert_int_equal(a->count, 102);
    world_free(w);
    free(a);
}

static void hold(struct probe *p, const struct rusm_message *m)
{
    if (m->kind == RUSM_SEND) {
        rusm_hold_for(p->self, 100);
    }
}

/* A process that takes no messages has one RUSM_TIMER waiting, not one for every interval. */
static void test_interval_waits(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint64_t ref;

    (void)state;
    a->on = hold;
    assert_int_equal(rusm_interval(a->self, 10, &ref), 0);
    assert_int_equal(probe_send(b, a, "wait"), 0);
    world_run(w);
    for (int i = 0; i < 9; i++) {
        pass(w, 10);
    }
    a->on = NULL;
    assert_int_equal(probe_kinds(a, RUSM_TIMER), 0);
    pass(w, 15);
    assert_int_equal(probe_kinds(a, RUSM_TIMER), 1);
    pass(w, 12);
    assert_int_equal(probe_kinds(a, RUSM_TIMER), 2);
    world_free(w);
    free(a);
    free(b);
}

static void test_send_after(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid far = { .serial = 5, .node = world_node(w, "oslo"), .incarnation = 9 };
    uint64_t ref;

    (void)state;
    assert_int_equal(rusm_send_after(a->self, 10, b->pid, "one", 3, &ref), 0);
    assert_int_equal(rusm_send_after(a->self, 10, b->pid, "two", 3, &ref), 0);
    assert_int_equal(rusm_send_after(a->self, 10, far, "far", 3, &ref), 0);
    assert_int_equal(rusm_send_after(a->self, 10, b->pid, NULL, 3, &ref), RUSM_EINVAL);
    far.node = 77;
    assert_int_equal(rusm_send_after(a->self, 10, far, "", 0, &ref), RUSM_EINVAL);
    assert_int_equal(rusm_send_after(a->self, 10, b->pid, "", RUSM_MESSAGE_MAX + 1, &ref),
                     RUSM_ETOOLARGE);
    pass(w, 8);
    assert_int_equal(b->count + w->post_count, 0);
    w->post_result = RUSM_BUSY;
    pass(w, 5);
    assert_int_equal(b->count, 2);
    assert_string_equal(b->got[0].text, "one");
    assert_string_equal(b->got[1].text, "two");
    assert_true(rusm_pid_eq(b->got[0].from, a->pid));
    assert_int_equal(b->got[0].kind, RUSM_SEND);
    assert_int_equal(w->post_count, 1);
    assert_string_equal(w->posts[0].data, "far");
    w->post_result = 0; /* the message is tried again until there is room */
    pass(w, 3);
    assert_int_equal(w->post_count, 2);
    pass(w, 100);
    assert_int_equal(w->post_count, 2);
    world_free(w);
    free(a);
    free(b);
}

/* If the mailbox is full, the message arrives when there is room. If the process is gone, it is
 * counted. */
static void test_send_after_full(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint64_t ref;

    (void)state;
    b->on = hold;
    probe_fill(a, b, WORLD_MESSAGES);
    assert_int_equal(rusm_send_after(a->self, 5, b->pid, "late", 4, &ref), 0);
    pass(w, 50);
    assert_string_equal(b->got[b->count - 1].text, "fill");
    b->on = NULL;
    pass(w, 110);
    pass(w, 3);
    assert_string_equal(b->got[b->count - 1].text, "late");
    rusm_exit(b->self, "normal");
    uint64_t before = runtime_counters(w->rt)->noproc_local;
    assert_int_equal(rusm_send_after(a->self, 5, b->pid, "late", 4, &ref), 0);
    pass(w, 10);
    assert_null(b->self);
    assert_int_equal(runtime_counters(w->rt)->noproc_local, before + 1);
    world_free(w);
    free(a);
    free(b);
}

/* Timers end with their process. */
static void test_ended(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint64_t ref;

    (void)state;
    for (uint32_t i = 1; i <= 2000; i++) {
        assert_int_equal(rusm_timer(a->self, i, &ref), 0);
    }
    assert_int_equal(rusm_interval(a->self, 10, &ref), 0);
    assert_int_equal(rusm_send_after(a->self, 10, b->pid, "x", 1, &ref), 0);
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "kill"), 0);
    assert_true(runtime_next_ns(w->rt) == UINT64_MAX);
    pass(w, 5000);
    assert_int_equal(a->count + b->count, 0);
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),       cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_interval),   cmocka_unit_test(test_interval_waits),
        cmocka_unit_test(test_send_after), cmocka_unit_test(test_send_after_full),
        cmocka_unit_test(test_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
