/* actor/monitor: one DOWN for each monitor, whichever process ends first. All on this node.
 * Monitors between nodes: actor_monitor_far.c. */
#include "doubles/actor.h"

static void test_local(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);
    uint64_t one, two, three;

    /* Two monitors of the same pair are separate. */
    assert_int_equal(rusm_monitor(a->self, c->pid, &one), 0);
    assert_int_equal(rusm_monitor(a->self, c->pid, &two), 0);
    assert_int_equal(rusm_monitor(b->self, c->pid, &three), 0);
    assert_true(one != two && two != three);
    assert_int_equal(probe_links(c), 3);
    assert_int_equal(probe_links(a), 2);
    /* What a process sent before its end arrives before the DOWN. */
    assert_int_equal(probe_send(c, a, "last words"), 0);
    assert_int_equal(runtime_kill(w->rt, c->pid.serial, "died"), 0);
    world_run(w);
    assert_int_equal(a->count, 3);
    assert_string_equal(a->got[0].text, "last words");
    assert_string_equal(probe_down(a, one)->text, "died");
    assert_true(rusm_pid_eq(probe_down(a, two)->from, c->pid));
    assert_string_equal(probe_down(b, three)->text, "died");
    assert_int_equal(probe_links(a), 0);
    assert_int_equal(rusm_demonitor(a->self, one), RUSM_ENOPROC);
    assert_int_equal(w->post_count, 0);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid old = b->pid, none = { 0 }, nowhere = { .serial = 1, .node = 9, .incarnation = 1 };
    uint64_t ref;

    old.incarnation ^= 1;
    assert_int_equal(rusm_monitor(a->self, old, &ref), 0);
    world_run(w);
    assert_string_equal(probe_down(a, ref)->text, "noproc");
    assert_true(rusm_pid_eq(probe_down(a, ref)->from, old));
    assert_int_equal(rusm_monitor(a->self, none, &ref), 0);
    world_run(w);
    assert_string_equal(probe_down(a, ref)->text, "noproc");
    assert_int_equal(rusm_monitor(a->self, nowhere, &ref), RUSM_EINVAL);
    world_run(w);
    assert_int_equal(a->count, 2);
    assert_int_equal(probe_links(a), 0);
    world_free(w);
    free(a);
    free(b);
}

static void test_demonitor(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);
    uint64_t ref;

    assert_int_equal(rusm_monitor(a->self, b->pid, &ref), 0);
    assert_int_equal(rusm_demonitor(c->self, ref), RUSM_ENOPROC); /* the monitor is not c's */
    assert_int_equal(rusm_demonitor(a->self, ref), 0);
    assert_int_equal(rusm_demonitor(a->self, ref), RUSM_ENOPROC);
    assert_int_equal(probe_links(b), 0);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "x"), 0);
    world_run(w);
    assert_int_equal(a->count, 0);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

static void test_watcher_ends_first(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint64_t ref;

    assert_int_equal(rusm_monitor(a->self, b->pid, &ref), 0);
    assert_int_equal(rusm_monitor(a->self, a->pid, &ref), 0); /* itself: no DOWN ever comes */
    assert_int_equal(rusm_monitor(b->self, a->pid, &ref), 0); /* they monitor each other */
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "x"), 0);
    assert_int_equal(probe_links(b), 0);
    world_run(w);
    assert_int_equal(b->count, 1);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "x"), 0);
    world_run(w);
    assert_int_equal(a->count, 0);
    world_free(w);
    free(a);
    free(b);
}

static void monitor_in_stop(struct probe *p)
{
    struct probe *other = p->user;
    uint64_t ref;

    assert_int_equal(rusm_monitor(p->self, other->pid, &ref), 0);
    assert_int_equal(rusm_monitor(other->self, p->pid, &ref), 0);
}

static void test_made_in_stop(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    a->user = b;
    a->on_stop = monitor_in_stop;
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "x"), 0);
    world_run(w);
    assert_int_equal(b->count, 1);
    assert_int_equal(probe_links(b), 0);
    world_free(w);
    free(a);
    free(b);
}

static void test_exactly_once(void **state)
{
    (void)state;
    enum { PROCESSES = 40, MONITORS = 1000 };
    struct world *w = world_new();
    struct probe *p[PROCESSES];
    struct {
        unsigned watcher, target;
        uint64_t ref;
        bool withdrawn;
    } m[MONITORS];
    unsigned seed = 12345;

    for (int i = 0; i < PROCESSES; i++) {
        p[i] = probe_new(w);
    }
    for (int i = 0; i < MONITORS; i++) {
        seed = seed * 1103515245 + 12345;
        m[i].watcher = (seed >> 16) % PROCESSES;
        seed = seed * 1103515245 + 12345;
        m[i].target = (seed >> 16) % PROCESSES;
        m[i].withdrawn = i % 7 == 0;
        assert_int_equal(rusm_monitor(p[m[i].watcher]->self, p[m[i].target]->pid, &m[i].ref), 0);
    }
    for (int i = 0; i < MONITORS; i += 7) {
        assert_int_equal(rusm_demonitor(p[m[i].watcher]->self, m[i].ref), 0);
    }
    for (int i = 0; i < PROCESSES; i += 2) {
        assert_int_equal(runtime_kill(w->rt, p[i]->pid.serial, "x"), 0);
        world_run(w);
    }
    for (int i = 0; i < MONITORS; i++) {
        const struct probe *watcher = p[m[i].watcher];
        size_t downs = 0;
        for (size_t k = 0; k < watcher->count; k++) {
            downs += watcher->got[k].ref == m[i].ref;
        }
        /* Processes with even numbers ended, in order. A watcher gets a DOWN for those that ended
         * before it did. */
        bool due = m[i].target % 2 == 0 && !m[i].withdrawn &&
                   (m[i].watcher % 2 == 1 || m[i].watcher > m[i].target);
        assert_int_equal(downs, due);
    }
    world_free(w);
    for (int i = 0; i < PROCESSES; i++) {
        free(p[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local),        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_demonitor),    cmocka_unit_test(test_watcher_ends_first),
        cmocka_unit_test(test_made_in_stop), cmocka_unit_test(test_exactly_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
