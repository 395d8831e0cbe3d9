/* actor/link between nodes: both sides of the protocol, with messages that cross on the way. Exit
 * signals and monitors of names from other nodes. Who is told of nodes, and when. */
#include "doubles/actor.h"

static rusm_pid far_pid(struct world *w, const char *node)
{
    return (rusm_pid){ .serial = 17, .node = world_node(w, node), .incarnation = 0xabc };
}

static struct probe *trapper(struct world *w)
{
    struct probe *p = probe_new(w);

    rusm_trap_exit(p->self, true);
    return p;
}

static void expect_post(struct world *w, int kind, rusm_pid from, rusm_pid to, const char *reason)
{
    assert_int_equal(w->post_count, 1);
    assert_int_equal(w->posts[0].post.kind, kind);
    assert_true(rusm_pid_eq(w->posts[0].post.from, from));
    assert_true(rusm_pid_eq(w->posts[0].post.to, to));
    assert_string_equal(w->posts[0].data, reason);
    w->post_count = 0;
}

static void arrives(struct world *w, struct probe *p, int kind, rusm_pid from, const char *reason)
{
    process_deliver(p->self, world_message(w, (enum rusm_kind)kind, from, 0, reason));
    world_run(w);
}

/* We link and they end. They link and we end. */
static void test_both_ways(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = trapper(w), *b = probe_new(w);
    rusm_pid far = far_pid(w, "oslo"), liar = far;

    liar.serial++;
    assert_int_equal(rusm_link(a->self, far), 0);
    expect_post(w, MESSAGE_LINK, a->pid, far, "");
    assert_int_equal(rusm_link(a->self, far), 0); /* at most one link */
    assert_int_equal(w->post_count, 0);
    assert_int_equal(probe_links(a), 1);
    arrives(w, a, MESSAGE_LINK_EXIT, liar, "not linked");
    assert_int_equal(a->count, 0);
    arrives(w, a, MESSAGE_LINK_EXIT, far, "died");
    arrives(w, a, MESSAGE_LINK_EXIT, far, "died twice");
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].kind, RUSM_EXIT);
    assert_string_equal(a->got[0].text, "died");
    assert_true(rusm_pid_eq(a->got[0].from, far));
    assert_int_equal(probe_links(a), 0);

    assert_int_equal(runtime_signal(w->rt, b->self, b->pid, MESSAGE_LINK, far, 0), 0);
    assert_int_equal(runtime_signal(w->rt, b->self, b->pid, MESSAGE_LINK, far, 0), 0);
    assert_int_equal(w->post_count, 0);
    assert_int_equal(probe_links(b), 1);
    rusm_exit(b->self, "our end");
    world_run(w);
    expect_post(w, MESSAGE_LINK_EXIT, b->pid, far, "our end");
    world_free(w);
    free(a);
    free(b);
}

/* An exit signal that is not trapped ends the process, unless its reason is "normal". The reason
 * "kill" from a link stays "kill". */
static void test_reasons(void **state)
{
    (void)state;
    static const char *const reasons[] = { "normal", "kill", "killed", "noproc", "any text" };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        for (int linked = 0; linked < 2; linked++) {
            struct world *w = world_new();
            struct probe *a = probe_new(w);
            rusm_pid far = far_pid(w, "oslo");
            bool kill = strcmp(reasons[i], "kill") == 0;
            assert_int_equal(rusm_link(a->self, far), 0);
            w->post_count = 0;
            arrives(w, a, linked ? MESSAGE_LINK_EXIT : RUSM_EXIT, far, reasons[i]);
            assert_int_equal(a->stops, i != 0);
            if (i != 0) {
                assert_string_equal(a->reason, kill && !linked ? "killed" : reasons[i]);
            }
            world_free(w);
            free(a);
        }
    }
}

/* rusm_kill from another node, trapped, becomes a message. "kill" cannot be trapped. */
static void test_exit_trapped(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = trapper(w);
    rusm_pid far = far_pid(w, "oslo");

    arrives(w, a, RUSM_EXIT, far, "normal");
    arrives(w, a, RUSM_EXIT, far, "soon");
    assert_int_equal(a->count, 2);
    assert_string_equal(a->got[0].text, "normal");
    assert_string_equal(a->got[1].text, "soon");
    assert_true(process_traps(a->self, "soon", 4));
    assert_false(process_traps(a->self, "kill", 4));
    arrives(w, a, RUSM_EXIT, far, "kill");
    assert_string_equal(a->reason, "killed");
    assert_int_equal(a->count, 2);
    world_free(w);
    free(a);
}

/* After unlink, a process ignores exit signals from the other end until the answer has come. A link
 * made again is a new link. */
static void test_unlink_crosses(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = trapper(w);
    rusm_pid far = far_pid(w, "oslo");
    uint64_t first, second;

    assert_int_equal(rusm_link(a->self, far), 0);
    w->post_count = 0;
    assert_int_equal(rusm_unlink(a->self, far), 0);
    first = w->posts[0].post.ref;
    expect_post(w, MESSAGE_UNLINK, a->pid, far, "");
    assert_int_equal(rusm_unlink(a->self, far), RUSM_ENOPROC);
    assert_int_equal(probe_links(a), 0);
    /* The other end's exit signal and a LINK of its own crossed the UNLINK. Neither has an
     * effect. */
    assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_LINK, far, 0), 0);
    assert_int_equal(probe_links(a), 0);
    /* Linked and unlinked again: the answer to the first UNLINK is not the answer to the second. */
    assert_int_equal(rusm_link(a->self, far), 0);
    expect_post(w, MESSAGE_LINK, a->pid, far, "");
    assert_int_equal(probe_links(a), 1);
    assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_UNLINKED, far, first), 0);
    assert_int_equal(probe_links(a), 1);
    assert_int_equal(rusm_unlink(a->self, far), 0);
    second = w->posts[0].post.ref;
    assert_true(first != second);
    assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_UNLINKED, far, first), 0);
    arrives(w, a, MESSAGE_LINK_EXIT, far, "crossed it");
    assert_int_equal(a->count, 0);
    assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_UNLINKED, far, second), 0);
    runtime_node_lost(w->rt, far.node, far.incarnation);
    world_run(w);
    assert_int_equal(a->count, 0);
    world_free(w);
    free(a);
}

/* The other end unlinks. It gets an answer even if there is no link, or no process. */
static void test_undone(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = trapper(w);
    rusm_pid far = far_pid(w, "oslo"), gone = { .serial = 99, .incarnation = WORLD_INCARNATION };

    assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_LINK, far, 0), 0);
    assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_UNLINK, far, 5), 0);
    assert_int_equal(w->posts[0].post.ref, 5);
    expect_post(w, MESSAGE_UNLINKED, a->pid, far, "");
    assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_UNLINK, far, 6), 0);
    expect_post(w, MESSAGE_UNLINKED, a->pid, far, "");
    arrives(w, a, MESSAGE_LINK_EXIT, far, "too late");
    assert_int_equal(a->count, 0);
    assert_int_equal(runtime_signal(w->rt, NULL, gone, MESSAGE_UNLINK, far, 7), RUSM_ENOPROC);
    assert_int_equal(w->posts[0].post.ref, 7);
    expect_post(w, MESSAGE_UNLINKED, gone, far, "");
    assert_int_equal(runtime_signal(w->rt, NULL, gone, MESSAGE_LINK, far, 0), RUSM_ENOPROC);
    expect_post(w, MESSAGE_LINK_EXIT, gone, far, "noproc");
    assert_int_equal(runtime_signal(w->rt, NULL, gone, MESSAGE_MONITOR, far, 8), RUSM_ENOPROC);
    assert_int_equal(w->posts[0].post.ref, 8);
    expect_post(w, RUSM_DOWN, gone, far, "noproc");
    assert_int_equal(runtime_signal(w->rt, NULL, gone, MESSAGE_DEMONITOR, far, 8), 0);
    assert_int_equal(runtime_signal(w->rt, NULL, gone, MESSAGE_UNLINKED, far, 8), RUSM_ENOPROC);
    assert_int_equal(w->post_count, 0);
    world_free(w);
    free(a);
}

/* If a node is lost, each link to it gives one "noconnection". Only links to that incarnation are
 * affected. */
static void test_node_lost(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = trapper(w), *b = probe_new(w);
    rusm_pid here = far_pid(w, "oslo"), newer = here, other = far_pid(w, "rome"), present = here;

    newer.incarnation++;
    present.serial++;
    present.incarnation = 0;
    assert_int_equal(rusm_link(a->self, here), 0);
    assert_int_equal(rusm_link(a->self, newer), 0);
    assert_int_equal(rusm_link(a->self, other), 0);
    assert_int_equal(rusm_link(b->self, present), 0);
    runtime_node_lost(w->rt, here.node, here.incarnation);
    runtime_node_lost(w->rt, here.node, here.incarnation);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_string_equal(a->got[0].text, "noconnection");
    assert_true(rusm_pid_eq(a->got[0].from, here));
    assert_string_equal(b->reason, "noconnection");
    w->post_result = RUSM_ENOCONN;
    assert_int_equal(rusm_link(a->self, here), 0);
    w->post_result = RUSM_ENOPROC;
    present.incarnation = 1;
    assert_int_equal(rusm_link(a->self, present), 0);
    world_run(w);
    assert_string_equal(a->got[1].text, "noconnection");
    assert_string_equal(a->got[2].text, "noproc");
    w->post_result = RUSM_BUSY;
    assert_int_equal(rusm_link(a->self, present), RUSM_BUSY);
    assert_int_equal(probe_links(a), 2);
    world_free(w);
    free(a);
    free(b);
}

/* A process with many links ends while its node is RUSM_BUSY. Its exit signals are kept, and each
 * is sent again once. */
static void test_busy(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid far = far_pid(w, "oslo");

    for (int i = 0; i < 20; i++) {
        far.serial = 100 + (uint64_t)i;
        assert_int_equal(runtime_signal(w->rt, a->self, a->pid, MESSAGE_LINK, far, 0), 0);
    }
    w->post_result = RUSM_BUSY;
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "died"), 0);
    w->post_result = 0;
    w->post_count = 0;
    runtime_writable(w->rt, (rusm_pid){ 0 });
    runtime_writable(w->rt, (rusm_pid){ 0 });
    assert_int_equal(w->post_count, 20);
    uint64_t seen = 0;
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(w->posts[i].post.kind, MESSAGE_LINK_EXIT);
        assert_string_equal(w->posts[i].data, "died");
        seen |= UINT64_C(1) << (w->posts[i].post.to.serial - 100);
    }
    assert_int_equal(seen, (1 << 20) - 1);
    world_free(w);
    free(a);
}

/* A monitor of a name on another node is set and withdrawn under the name. Its DOWN comes from the
 * process that had the name. */
static void test_names(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    uint32_t oslo = world_node(w, "oslo");
    rusm_pid far = far_pid(w, "oslo"), none = { .node = oslo };
    uint64_t ref, other;

    assert_int_equal(rusm_monitor_name(a->self, oslo, "post", &ref), 0);
    assert_int_equal(rusm_monitor_name(a->self, oslo, "post", &other), 0);
    assert_int_equal(rusm_monitor_name(a->self, 99, "post", &other), RUSM_EINVAL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w->posts[i].post.kind, MESSAGE_MONITOR);
        assert_string_equal(w->posts[i].name, "post");
        assert_int_equal(w->posts[i].post.to.serial, 0);
    }
    process_deliver(a->self, world_message(w, RUSM_DOWN, far, ref, "died"));
    process_deliver(a->self, world_message(w, RUSM_DOWN, none, ref, "again"));
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_string_equal(probe_down(a, ref)->text, "died");
    w->post_count = 0;
    assert_int_equal(rusm_demonitor(a->self, w->posts[1].post.ref), 0);
    assert_int_equal(w->posts[0].post.kind, MESSAGE_DEMONITOR);
    assert_string_equal(w->posts[0].name, "post");
    assert_int_equal(rusm_monitor_name(a->self, oslo, "post", &ref), 0);
    runtime_node_lost(w->rt, oslo, 0xabc);
    world_run(w);
    assert_string_equal(probe_down(a, ref)->text, "noconnection");
    world_free(w);
    free(a);
}

/* NODE_UP comes before everything of that connection, NODE_DOWN after everything. */
static void test_nodes(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = trapper(w);
    rusm_pid far = far_pid(w, "oslo");
    uint64_t down, node, early, gone;

    assert_int_equal(rusm_monitor_node(a->self, far.node, &early), 0); /* not connected */
    assert_int_equal(rusm_monitor_node(a->self, 0, &gone), RUSM_EINVAL);
    assert_int_equal(rusm_monitor_nodes(a->self, true), 0);
    assert_int_equal(rusm_monitor_nodes(a->self, true), 0);
    runtime_node_up(w->rt, far.node, far.incarnation);
    process_deliver(a->self, world_message(w, RUSM_SEND, far, 0, "hi"));
    assert_int_equal(rusm_monitor_node(a->self, far.node, &node), 0);
    assert_int_equal(rusm_monitor_node(a->self, far.node, &gone), 0);
    assert_int_equal(rusm_monitor(a->self, far, &down), 0);
    assert_int_equal(rusm_link(a->self, far), 0);
    assert_int_equal(rusm_demonitor(a->self, gone), 0);
    /* The node cannot send its own NODE_DOWN. */
    process_deliver(a->self, world_message(w, RUSM_DOWN, far, node, "lie"));
    runtime_node_lost(w->rt, far.node, far.incarnation);
    runtime_node_lost(w->rt, far.node, far.incarnation);
    world_run(w);
    static const enum rusm_kind kinds[] = { RUSM_NODE_DOWN, RUSM_NODE_UP, RUSM_SEND,
                                            RUSM_DOWN,      RUSM_EXIT,    RUSM_NODE_DOWN,
                                            RUSM_NODE_DOWN };
    assert_int_equal(a->count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(a->got[i].kind, kinds[i]);
    }
    assert_int_equal(a->got[0].ref, early);
    assert_string_equal(a->got[1].text, "oslo");
    assert_int_equal(a->got[1].from.incarnation, far.incarnation);
    assert_int_equal(a->got[5].ref, node);
    assert_int_equal(a->got[6].ref, 0);
    assert_int_equal(a->got[6].from.node, far.node);
    assert_int_equal(probe_links(a), 0);

    assert_int_equal(rusm_monitor_nodes(a->self, false), 0);
    runtime_node_up(w->rt, far.node, 0xdef);
    assert_int_equal(rusm_monitor_nodes(a->self, true), 0);
    rusm_exit(a->self, "normal");
    world_run(w);
    runtime_node_lost(w->rt, far.node, 0xdef);
    assert_int_equal(a->count, 7);
    world_free(w);
    free(a);
}

/* A process that asked for gaps is told once for each connection, about all its lanes, before
 * NODE_DOWN. */
static void test_gaps(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = trapper(w), *b = trapper(w), *quiet = trapper(w);
    rusm_pid far = far_pid(w, "oslo");

    assert_false(runtime_gaps_wanted(w->rt));
    assert_int_equal(rusm_monitor_gaps(a->self, true), 0);
    assert_int_equal(rusm_monitor_gaps(a->self, true), 0);
    assert_int_equal(rusm_monitor_gaps(b->self, true), 0);
    assert_int_equal(rusm_monitor_nodes(a->self, true), 0);
    assert_true(runtime_gaps_wanted(w->rt));
    runtime_node_up(w->rt, far.node, far.incarnation);
    runtime_gap(w->rt, a->pid.serial, 3);
    runtime_gap(w->rt, quiet->pid.serial, 5);
    runtime_gap(w->rt, b->pid.serial, 0);
    runtime_gap(w->rt, a->pid.serial, 4);
    runtime_gap(w->rt, 4711, 4);
    runtime_gaps_tell(w->rt, far.node, far.incarnation, RUSM_ENOCONN);
    runtime_gaps_tell(w->rt, far.node, far.incarnation, RUSM_ENOCONN);
    runtime_node_lost(w->rt, far.node, far.incarnation);
    world_run(w);
    assert_int_equal(a->count, 3);
    assert_int_equal(a->got[0].kind, RUSM_NODE_UP);
    assert_int_equal(a->got[1].kind, RUSM_GAP);
    assert_int_equal(a->got[1].ref, 7);
    assert_int_equal(a->got[1].error, RUSM_ENOCONN);
    assert_int_equal(a->got[1].from.node, far.node);
    assert_int_equal(a->got[1].from.incarnation, far.incarnation);
    assert_string_equal(a->got[1].text, "oslo");
    assert_int_equal(a->got[2].kind, RUSM_NODE_DOWN);
    assert_int_equal(b->count, 1);
    assert_int_equal(b->got[0].kind, RUSM_GAP);
    assert_int_equal(b->got[0].ref, 0);
    assert_int_equal(quiet->count, 0);

    /* A process that no longer asks is not told. Neither is one that has ended. */
    assert_int_equal(rusm_monitor_gaps(a->self, false), 0);
    runtime_gap(w->rt, a->pid.serial, 1);
    runtime_gap(w->rt, b->pid.serial, 1);
    rusm_exit(b->self, "normal");
    world_run(w);
    assert_false(runtime_gaps_wanted(w->rt));
    runtime_gaps_tell(w->rt, far.node, far.incarnation, RUSM_ENOCONN);
    assert_int_equal(a->count, 3);
    world_free(w);
    free(a);
    free(b);
    free(quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),    cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_exit_trapped), cmocka_unit_test(test_unlink_crosses),
        cmocka_unit_test(test_undone),       cmocka_unit_test(test_node_lost),
        cmocka_unit_test(test_busy),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_nodes),        cmocka_unit_test(test_gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
