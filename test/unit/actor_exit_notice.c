/* actor/exit_notice: if another node does not take an exit notice at once, it is kept. Notices stay
 * in order for each pair of processes, and hold up no other pair. */
#include "doubles/actor.h"

#include "actor/limits.h"

static uint32_t busy_node; /* the node that takes nothing; 0: all take everything */

static void on_post(struct world *w, const struct post *post)
{
    w->post_result = post->node == busy_node ? RUSM_BUSY : 0;
}

/* Like on_post, but only counts what the nodes take. */
static size_t taken;
static void on_post_counted(struct world *w, const struct post *post)
{
    on_post(w, post);
    taken += w->post_result == 0;
    w->post_count = 0;
}

static void retry(struct world *w)
{
    w->post_count = 0;
    runtime_writable(w->rt, (rusm_pid){ 0 });
}

static struct world *world_busy(uint32_t *oslo, uint32_t *rome)
{
    struct world *w = world_new();

    *oslo = world_node(w, "oslo");
    *rome = world_node(w, "rome");
    w->on_post = on_post;
    busy_node = *oslo;
    return w;
}

/* A node that takes nothing holds up no other node, however many notices wait for it. */
static void test_nodes(void **state)
{
    (void)state;
    uint32_t oslo, rome;
    struct world *w = world_busy(&oslo, &rome);
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 }, y = x;

    y.node = rome;
    assert_int_equal(process_monitor(a->self, x, 1), 0);
    assert_int_equal(process_monitor(b->self, y, 2), 0);
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "a's"), 0);
    assert_int_equal(w->post_count, 1);
    busy_node = rome;
    w->post_count = 0;
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "b's"), 0);
    assert_int_equal(w->post_count, 1);

    busy_node = oslo;
    retry(w);
    assert_int_equal(w->post_count, 2);
    assert_string_equal(w->posts[1].data, "b's");
    retry(w);
    assert_int_equal(w->post_count, 1); /* not sent twice */
    busy_node = 0;
    retry(w);
    assert_int_equal(w->post_count, 1);
    assert_string_equal(w->posts[0].data, "a's");
    retry(w);
    assert_int_equal(w->post_count, 0);
    world_free(w);
    free(a);
    free(b);
}

/* A process whose signal waits may send to every other process. What it sends to the same process
 * stays behind the signal. */
static void test_pairs(void **state)
{
    (void)state;
    uint32_t oslo, rome;
    struct world *w = world_busy(&oslo, &rome);
    struct probe *a = probe_new(w);
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 }, y = x, other = x;
    uint64_t ref, named;

    y.node = rome;
    other.serial = 4;
    busy_node = 0;
    assert_int_equal(rusm_monitor(a->self, x, &ref), 0);
    assert_int_equal(rusm_monitor_name(a->self, oslo, "post", &named), 0);
    busy_node = oslo;
    assert_int_equal(rusm_demonitor(a->self, ref), 0);
    assert_int_equal(rusm_demonitor(a->self, named), 0);
    busy_node = 0;
    w->post_count = 0;
    assert_int_equal(rusm_send(a->self, y, "y", 1, 0), 0);
    assert_int_equal(rusm_send(a->self, other, "o", 1, 0), 0);
    assert_int_equal(rusm_send_name(a->self, oslo, "past", "n", 1, 0), 0);
    assert_int_equal(w->post_count, 3);
    assert_int_equal(rusm_send(a->self, x, "x", 1, 0), RUSM_BUSY);
    assert_int_equal(rusm_send_name(a->self, oslo, "post", "n", 1, 0), RUSM_BUSY);
    assert_int_equal(w->post_count, 3);

    retry(w);
    assert_int_equal(w->post_count, 2);
    assert_int_equal(w->posts[0].post.ref, ref);
    assert_int_equal(w->posts[1].post.ref, named);
    assert_string_equal(w->posts[1].name, "post");
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].kind, RUSM_WRITABLE);
    assert_int_equal(rusm_send(a->self, x, "x", 1, 0), 0);
    world_free(w);
    free(a);
}

/* The order within a pair is kept, even if each retry sends only a part. */
static size_t take_left;
static void on_post_some(struct world *w, const struct post *post)
{
    (void)post;
    w->post_result = take_left > 0 ? 0 : RUSM_BUSY;
    take_left -= take_left > 0;
    w->post_count -= w->post_result != 0;
}

static void test_order(void **state)
{
    (void)state;
    uint32_t oslo, rome;
    struct world *w = world_busy(&oslo, &rome);
    rusm_pid ghost = { .serial = 999, .incarnation = WORLD_INCARNATION };
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 };

    w->on_post = on_post_some;
    take_left = 0;
    for (uint64_t ref = 1; ref <= 6; ref++) {
        assert_int_equal(runtime_signal(w->rt, NULL, ghost,
                                        ref == 4 ? MESSAGE_UNLINK : MESSAGE_MONITOR, x, ref),
                         RUSM_ENOPROC);
    }
    uint64_t next = 1;
    for (int i = 0; i < 3; i++) {
        take_left = 2;
        retry(w);
        assert_int_equal(w->post_count, 2);
        for (size_t k = 0; k < 2; k++, next++) {
            const struct world_post *p = &w->posts[k];
            assert_int_equal(p->post.ref, next);
            assert_int_equal(p->post.kind, next == 4 ? MESSAGE_UNLINKED : RUSM_DOWN);
            assert_string_equal(p->data, next == 4 ? "" : "noproc");
        }
    }
    take_left = 2;
    retry(w);
    assert_int_equal(w->post_count, 0);
    world_free(w);
}

/* A node asks for answers and does not take them. The node is given up, and its answers take no
 * more memory. */
static void test_answers_bounded(void **state)
{
    (void)state;
    uint32_t oslo, rome;
    struct world *w = world_busy(&oslo, &rome);
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 };

    w->on_post = on_post_counted;
    for (uint64_t i = 0; i < LIMIT_EXIT_NOTICES; i++) {
        rusm_pid ghost = { .serial = 1000 + i / 2, .incarnation = WORLD_INCARNATION };
        assert_int_equal(runtime_signal(w->rt, NULL, ghost, MESSAGE_MONITOR, x, i), RUSM_ENOPROC);
    }
    assert_int_equal(w->give_ups, 0);
    rusm_pid ghost = { .serial = 7, .incarnation = WORLD_INCARNATION };
    assert_int_equal(runtime_signal(w->rt, NULL, ghost, MESSAGE_MONITOR, x, 1), RUSM_ENOPROC);
    assert_int_equal(w->give_ups, 1);
    assert_int_equal(w->given_up, oslo);

    taken = 0;
    runtime_node_lost(w->rt, oslo, 5);
    busy_node = 0;
    retry(w);
    assert_int_equal(taken, 0);
    /* The next connection starts with no notices. */
    busy_node = oslo;
    assert_int_equal(runtime_signal(w->rt, NULL, ghost, MESSAGE_MONITOR, x, 1), RUSM_ENOPROC);
    assert_int_equal(w->give_ups, 1);
    busy_node = 0;
    retry(w);
    assert_int_equal(taken, 1);
    world_free(w);
}

/* If there is no memory to send a signal, the node is given up, so the loss does not go
 * unnoticed. */
static void test_no_memory(void **state)
{
    (void)state;
    uint32_t oslo, rome;
    struct world *w = world_busy(&oslo, &rome);
    struct probe *a = probe_new(w);
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 };

    w->on_post = NULL;
    w->post_result = RUSM_ENOMEM;
    assert_int_equal(process_monitor(a->self, x, 1), 0);
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "died"), 0);
    assert_int_equal(w->give_ups, 1);
    assert_int_equal(w->given_up, oslo);
    world_free(w);
    free(a);
}

/* The hook finds, while a notice is sent again, that the node is lost. */
static void on_post_lost(struct world *w, const struct post *post)
{
    runtime_node_lost(w->rt, post->node, post->to.incarnation);
    assert_string_equal(post->data, "died");
    w->post_result = RUSM_ENOCONN;
}

static void test_lost_meanwhile(void **state)
{
    (void)state;
    uint32_t oslo, rome;
    struct world *w = world_busy(&oslo, &rome);
    struct probe *a = probe_new(w);
    rusm_pid x = { .serial = 3, .node = oslo, .incarnation = 5 }, newer = x;

    newer.incarnation = 6;
    assert_int_equal(process_monitor(a->self, x, 1), 0);
    assert_int_equal(process_monitor(a->self, x, 2), 0);
    assert_int_equal(process_monitor(a->self, newer, 3), 0);
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "died"), 0);
    w->on_post = on_post_lost;
    retry(w);
    assert_int_equal(w->post_count, 2); /* one for each incarnation */
    retry(w);
    assert_int_equal(w->post_count, 0);
    world_free(w);
    free(a);
}

/* Many processes with many links end while their node takes nothing. Each exit signal arrives
 * exactly once. */
#define STORM_PROCESSES 20
#define STORM_LINKS 5000

static uint8_t storm_seen[STORM_PROCESSES * STORM_LINKS];
static bool storm_busy;
static void on_post_storm(struct world *w, const struct post *post)
{
    w->post_result = storm_busy ? RUSM_BUSY : 0;
    w->post_count = 0;
    if (!storm_busy) {
        assert_int_equal(post->kind, MESSAGE_LINK_EXIT);
        assert_string_equal(post->data, "a reason that is the same for all");
        assert_true(post->to.serial < sizeof(storm_seen));
        storm_seen[post->to.serial]++;
    }
}

static void test_storm(void **state)
{
    (void)state;
    uint32_t oslo, rome;
    struct world *w = world_busy(&oslo, &rome);
    struct probe *a = calloc(STORM_PROCESSES, sizeof(*a));
    rusm_pid x = { .serial = 0, .node = oslo, .incarnation = 5 };

    assert_non_null(a);
    w->on_post = on_post_storm;
    storm_busy = true;
    for (size_t i = 0; i < STORM_PROCESSES; i++) {
        assert_int_equal(probe_try(w, &a[i], NULL), 0);
        for (size_t k = 0; k < STORM_LINKS; k++, x.serial++) {
            assert_int_equal(runtime_signal(w->rt, a[i].self, a[i].pid, MESSAGE_LINK, x, 0), 0);
        }
    }
    for (size_t i = 0; i < STORM_PROCESSES; i++) {
        assert_int_equal(runtime_kill(w->rt, a[i].pid.serial, "a reason that is the same for all"),
                         0);
    }
    retry(w);
    storm_busy = false;
    retry(w);
    for (size_t i = 0; i < sizeof(storm_seen); i++) {
        assert_int_equal(storm_seen[i], 1);
    }
    world_free(w);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),     cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_order),     cmocka_unit_test(test_answers_bounded),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_lost_meanwhile),
        cmocka_unit_test(test_storm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
