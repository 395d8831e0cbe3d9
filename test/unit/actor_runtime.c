/* actor/runtime and actor/self: the life of a runtime, and names as processes ask for them. */
#include "doubles/actor.h"
#include <unistd.h>

/* ---- life ---- */

static void test_bad_node_name(void **state)
{
    (void)state;
    struct world w;
    struct runtime_options options = { .node = "-x", .mailbox_messages = 1, .hooks = &world_hooks };

    assert_int_equal(runtime_new(&w.rt, &options), RUSM_EINVAL);
    runtime_free(NULL);
}

static struct probe *order[3];
static int order_next;

static void ends_in_order(struct probe *p)
{
    rusm_pid pid;

    assert_ptr_equal(order[order_next++], p);
    assert_int_equal(rusm_spawn(p->self, &probe_behaviour, NULL, &pid), RUSM_ECLOSED);
}

static void test_shutdown(void **state)
{
    (void)state;
    struct world *w = world_new();

    order_next = 0;
    for (int i = 2; i >= 0; i--) { /* the newest ends first */
        order[i] = probe_new(w);
        order[i]->on_stop = ends_in_order;
    }
    assert_int_equal(probe_send(order[0], order[1], "never handled"), 0);
    runtime_free(w->rt);
    assert_int_equal(w->exit_count, 3);
    assert_int_equal(order_next, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(order[i]->stops, 1);
        assert_int_equal(order[i]->count, 0);
        assert_string_equal(order[i]->reason, "shutdown");
        free(order[i]);
    }
    free(w);
}

static void test_times(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);

    runtime_run(w->rt, 1, 77);
    assert_int_equal(rusm_now_ns(a->self), 77);
    assert_string_equal(rusm_self_node(a->self), "london");
    assert_true(rusm_pid_eq(rusm_self(a->self), a->pid));
    assert_int_equal(a->pid.node, 0);
    assert_int_equal(a->pid.incarnation, WORLD_INCARNATION);
    world_free(w);
    free(a);
}

/* ---- names ---- */

static void test_names(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid pid, old = b->pid, far = b->pid;

    old.incarnation++;
    far.node = world_node(w, "oslo");
    assert_int_equal(rusm_register(a->self, b->pid, "bob"), 0);
    assert_int_equal(rusm_register(a->self, b->pid, "bob"), RUSM_EEXIST);
    assert_int_equal(rusm_register(a->self, a->pid, "bob"), RUSM_EEXIST);
    assert_int_equal(rusm_register(a->self, b->pid, "robert"), 0);
    assert_int_equal(rusm_register(a->self, b->pid, "b ob"), RUSM_EINVAL);
    assert_int_equal(rusm_register(a->self, old, "x"), RUSM_ENOPROC);
    assert_int_equal(rusm_register(a->self, far, "x"), RUSM_EINVAL);
    assert_int_equal(rusm_whereis(a->self, "robert", &pid), 0);
    assert_true(rusm_pid_eq(pid, b->pid));
    assert_int_equal(rusm_send_name(a->self, 0, "bob", "x", 1, 0), 0);
    assert_int_equal(rusm_unregister(a->self, "bob"), 0);
    assert_int_equal(w->globals, 0);
    assert_int_equal(rusm_whereis(a->self, "bob", &pid), RUSM_ENOPROC);

    assert_int_equal(rusm_register_global(a->self, a->pid, "alice"), 0);
    assert_int_equal(w->globals, 1);
    assert_int_equal(rusm_register_global(a->self, a->pid, "17"), RUSM_EINVAL);
    assert_int_equal(rusm_register_global(a->self, far, "x"), RUSM_EINVAL);
    assert_int_equal(rusm_register_global(a->self, old, "x"), RUSM_ENOPROC);
    assert_int_equal(w->globals, 1);
    assert_int_equal(rusm_unregister(a->self, "alice"), 0); /* no such local name: the global one */
    assert_int_equal(w->globals, 2);

    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "x"), 0);
    assert_int_equal(rusm_whereis(a->self, "robert", &pid), RUSM_ENOPROC);
    assert_int_equal(rusm_register(a->self, a->pid, "robert"), 0);
    world_free(w);
    free(a);
    free(b);
}

static void test_node_names(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    uint32_t oslo, again, own, client, other;

    assert_int_equal(rusm_node_index(a->self, "london", &own), 0);
    assert_int_equal(own, 0);
    assert_int_equal(rusm_node_index(a->self, "oslo", &oslo), 0);
    assert_int_equal(rusm_node_index(a->self, "oslo", &again), 0);
    assert_int_equal(oslo, again);
    assert_string_equal(rusm_node_at(a->self, oslo), "oslo");
    assert_string_equal(rusm_node_at(a->self, 0), "london");
    assert_null(rusm_node_at(a->self, oslo + 1));
    assert_null(rusm_node_at(a->self, RUSM_GLOBAL));
    assert_int_equal(rusm_node_index(a->self, "no good", &again), RUSM_EINVAL);

    /* A client's index is used again. It has no node name. */
    assert_int_equal(runtime_client_up(w->rt, &client), 0);
    assert_true(client > oslo);
    assert_int_equal(runtime_client_up(w->rt, &other), 0);
    assert_true(other != client);
    runtime_client_down(w->rt, client);
    assert_int_equal(runtime_client_up(w->rt, &again), 0);
    assert_int_equal(again, client);
    assert_int_equal(rusm_node_index(a->self, "client", &again), 0);
    assert_true(again != client && again != other);
    world_free(w);
    free(a);
}

static struct world *slow_world;

static void slow(struct probe *p, const struct rusm_message *m)
{
    (void)p;
    slow_world->clock += (uint64_t)(m->data[0] - '0') * 60000000;
}

/* A handler that runs for more than 100 ms is logged with its pid and behaviour, and counted. */
static void test_long_handler(void **state)
{
    (void)state;
    struct world *w = slow_world = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    char text[256] = "";
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    log_init(&w->log, pipes[1], RUSM_LOG_WARN, "london");
    a->on = slow;
    assert_int_equal(probe_send(b, a, "1"), 0);
    world_run(w);
    assert_int_equal(runtime_counters(w->rt)->handlers_long, 0);
    assert_int_equal(probe_send(b, a, "2"), 0);
    assert_int_equal(probe_send(a, b, "x"), 0);
    world_run(w);
    assert_int_equal(runtime_counters(w->rt)->handlers_long, 1);
    assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "process 1 (probe) held its scheduler for 120 ms"));
    close(pipes[0]);
    close(pipes[1]);
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_handler), cmocka_unit_test(test_bad_node_name),
        cmocka_unit_test(test_shutdown),     cmocka_unit_test(test_times),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_node_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
