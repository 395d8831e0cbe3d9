/* actor/monitor between nodes: one DOWN for each monitor, whichever node or process is lost. */
#include "doubles/actor.h"

/* ---- our monitors on other nodes ---- */

static void test_far(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint32_t oslo = world_node(w, "oslo"), rome = world_node(w, "rome");
    rusm_pid far = { .serial = 17, .node = oslo, .incarnation = 0xabc }, liar = far;
    uint64_t ref, other;

    liar.node = rome;
    assert_int_equal(rusm_monitor(a->self, far, &ref), 0);
    assert_int_equal(rusm_monitor(a->self, far, &other), 0);
    assert_int_equal(w->posts[0].post.kind, MESSAGE_MONITOR);
    assert_int_equal(w->posts[0].post.ref, ref);
    assert_true(rusm_pid_eq(w->posts[0].post.to, far));
    assert_true(rusm_pid_eq(w->posts[0].post.from, a->pid));
    assert_int_equal(probe_links(a), 2);

    /* DOWNs that nobody asked for: from another node, to another process, with another ref. */
    process_deliver(a->self, world_message(w, RUSM_DOWN, liar, ref, "lie"));
    process_deliver(b->self, world_message(w, RUSM_DOWN, far, ref, "lie"));
    process_deliver(a->self, world_message(w, RUSM_DOWN, far, ref + 1000, "lie"));
    world_run(w);
    assert_int_equal(a->count + b->count, 0);

    process_deliver(a->self, world_message(w, RUSM_DOWN, far, ref, "died"));
    process_deliver(a->self, world_message(w, RUSM_DOWN, far, ref, "died twice"));
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_string_equal(probe_down(a, ref)->text, "died");

    assert_int_equal(rusm_demonitor(a->self, other), 0);
    assert_int_equal(w->posts[2].post.kind, MESSAGE_DEMONITOR);
    assert_int_equal(w->posts[2].post.ref, other);
    process_deliver(a->self, world_message(w, RUSM_DOWN, far, other, "crossed it"));
    runtime_node_lost(w->rt, oslo, 0xabc);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(w->post_count, 3);
    world_free(w);
    free(a);
    free(b);
}

static void test_far_fails(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid far = { .serial = 17, .node = world_node(w, "oslo"), .incarnation = 0xabc };
    uint64_t ref;

    w->post_result = RUSM_ENOCONN;
    assert_int_equal(rusm_monitor(a->self, far, &ref), 0);
    world_run(w);
    assert_string_equal(probe_down(a, ref)->text, "noconnection");
    w->post_result = RUSM_ENOPROC;
    assert_int_equal(rusm_monitor(a->self, far, &ref), 0);
    world_run(w);
    assert_string_equal(probe_down(a, ref)->text, "noproc");
    w->post_result = RUSM_BUSY;
    assert_int_equal(rusm_monitor(a->self, far, &ref), RUSM_BUSY);
    assert_int_equal(probe_links(a), 0);
    w->post_result = 0;
    runtime_writable(w->rt, a->pid);
    runtime_node_lost(w->rt, far.node, far.incarnation);
    world_run(w);
    assert_int_equal(a->count, 3);
    assert_int_equal(a->got[2].kind, RUSM_WRITABLE);
    world_free(w);
    free(a);
}

static void test_node_lost(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint32_t oslo = world_node(w, "oslo"), rome = world_node(w, "rome");
    rusm_pid here = { .serial = 1, .node = oslo, .incarnation = 5 };
    rusm_pid newer = { .serial = 1, .node = oslo, .incarnation = 6 };
    rusm_pid other = { .serial = 1, .node = rome, .incarnation = 5 };
    rusm_pid present = { .serial = 2, .node = oslo, .incarnation = 0 };
    uint64_t one, two, three, four, ref;

    assert_int_equal(rusm_monitor(a->self, here, &one), 0);
    assert_int_equal(rusm_monitor(a->self, newer, &two), 0);
    assert_int_equal(rusm_monitor(a->self, other, &three), 0);
    assert_int_equal(rusm_monitor(b->self, present, &four), 0);
    assert_int_equal(rusm_monitor(a->self, here, &ref), 0);
    assert_int_equal(rusm_demonitor(a->self, ref), 0);
    runtime_node_lost(w->rt, oslo, 5);
    runtime_node_lost(w->rt, oslo, 5);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_string_equal(probe_down(a, one)->text, "noconnection");
    assert_true(rusm_pid_eq(probe_down(a, one)->from, here));
    assert_string_equal(probe_down(b, four)->text, "noconnection");
    /* Comes too late and has no effect. */
    process_deliver(a->self, world_message(w, RUSM_DOWN, here, one, "died"));
    world_run(w);
    assert_int_equal(a->count, 1);
    runtime_node_lost(w->rt, oslo, 6);
    runtime_node_lost(w->rt, 0, WORLD_INCARNATION);
    runtime_node_lost(w->rt, 99, 1);
    world_run(w);
    assert_string_equal(probe_down(a, two)->text, "noconnection");
    /* When the watcher ends, the other node is told once. */
    w->post_count = 0;
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "x"), 0);
    assert_int_equal(w->post_count, 1);
    assert_int_equal(w->posts[0].post.kind, MESSAGE_DEMONITOR);
    assert_int_equal(w->posts[0].post.ref, three);
    world_free(w);
    free(a);
    free(b);
}

/* ---- monitors of other nodes on our processes ---- */

static void test_others(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint32_t oslo = world_node(w, "oslo");
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 }, y = x, z = x;

    y.serial = 4;
    z.incarnation = 6;
    assert_int_equal(process_monitor(a->self, x, 70), 0);
    assert_int_equal(process_monitor(a->self, x, 70), 0); /* a repeated monitor is the same one */
    assert_int_equal(process_monitor(b->self, x, 70), RUSM_EEXIST);
    assert_int_equal(process_monitor(a->self, x, 71), 0);
    assert_int_equal(process_monitor(a->self, y, 70), 0);
    assert_int_equal(process_monitor(a->self, z, 70), 0);
    assert_int_equal(probe_links(a), 4);
    runtime_demonitor(w->rt, y, 71); /* the monitor is not y's */
    assert_int_equal(probe_links(a), 4);
    runtime_demonitor(w->rt, y, 70);
    runtime_demonitor(w->rt, y, 70);
    runtime_node_lost(w->rt, oslo, 6);
    assert_int_equal(probe_links(a), 2);
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "died"), 0);
    assert_int_equal(w->post_count, 2);
    for (int i = 0; i < 2; i++) {
        const struct world_post *p = &w->posts[i];
        assert_int_equal(p->post.kind, RUSM_DOWN);
        assert_int_equal(p->post.ref, 70 + i);
        assert_true(rusm_pid_eq(p->post.to, x));
        assert_true(rusm_pid_eq(p->post.from, a->pid));
        assert_int_equal(p->post.node, oslo);
        assert_string_equal(p->data, "died");
    }
    runtime_node_lost(w->rt, oslo, 5);
    world_run(w);
    assert_int_equal(w->post_count, 2);
    world_free(w);
    free(a);
    free(b);
}

static rusm_pid taken_from;
static void on_post_of_one(struct world *w, const struct post *post)
{
    w->post_result = rusm_pid_eq(post->from, taken_from) ? 0 : RUSM_BUSY;
}

static void test_down_is_busy(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint32_t oslo = world_node(w, "oslo"), rome = world_node(w, "rome");
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 };
    rusm_pid y = { .serial = 3, .node = rome, .incarnation = 5 };

    for (uint64_t ref = 1; ref <= 3; ref++) {
        assert_int_equal(process_monitor(a->self, x, ref), 0);
    }
    assert_int_equal(process_monitor(b->self, x, 4), 0);
    assert_int_equal(process_monitor(b->self, y, 5), 0);
    w->post_result = RUSM_BUSY;
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "a's"), 0);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "b's"), 0);
    assert_int_equal(w->post_count, 3); /* a notice waits behind an earlier one of its pair */
    assert_false(runtime_ready(w->rt));

    /* When a notice may be sent, each node is tried again. One more RUSM_BUSY makes it wait
     * again. */
    w->post_count = 0;
    runtime_writable(w->rt, (rusm_pid){ 0 });
    assert_int_equal(w->post_count, 2); /* one for each node */
    w->post_count = 0;
    w->on_post = on_post_of_one;
    taken_from = a->pid;
    runtime_writable(w->rt, (rusm_pid){ 0 });
    assert_int_equal(w->post_count, 5); /* a's three, and one of b's for each node */
    uint64_t seen = 0;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(w->posts[i].data, "a's");
        seen |= (uint64_t)1 << w->posts[i].post.ref;
    }
    assert_int_equal(seen, 2 | 4 | 8);
    /* oslo is lost while a DOWN for it still waits. rome gets its own. */
    w->post_count = 0;
    taken_from = b->pid;
    runtime_node_lost(w->rt, oslo, 5);
    runtime_writable(w->rt, (rusm_pid){ 0 });
    assert_int_equal(w->post_count, 1);
    assert_int_equal(w->posts[0].post.ref, 5);
    assert_string_equal(w->posts[0].data, "b's");
    world_free(w);
    free(a);
    free(b);
}

static void test_unsent_at_the_end(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid x = { .serial = 3, .node = world_node(w, "oslo"), .incarnation = 5 };

    assert_int_equal(process_monitor(a->self, x, 1), 0);
    w->post_result = RUSM_BUSY;
    world_free(w); /* a sanitizer sees what is left */
    assert_string_equal(a->reason, "shutdown");
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_far),          cmocka_unit_test(test_far_fails),
        cmocka_unit_test(test_node_lost),    cmocka_unit_test(test_others),
        cmocka_unit_test(test_down_is_busy), cmocka_unit_test(test_unsent_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
