/* actor/runtime and actor/self: the life of a runtime, spawning and names as processes ask for them. */
#include "help/actor.h"
#include "base/limits.h"

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
    for (int i = 2; i >= 0; i--) { /* newest first */
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

/* ---- spawning ---- */

static char args_seen[64];

static int args_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self;
    (void)state;
    args_seen[0] = 0;
    for (size_t i = 0; i < args->count; i++) {
        size_t len = strlen(args_seen);
        snprintf(args_seen + len, sizeof(args_seen) - len, "[%s]", args->value[i]);
    }
    if (args->count == 1) {
        rusm_init_error(self, "one is too few");
        return RUSM_EINVAL;
    }
    return 0;
}

static void args_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    (void)m;
    rusm_exit(self, "normal");
}

static const struct rusm_behaviour with_args = { .name = "args",
                                                 .init = args_init,
                                                 .receive = args_receive };

static void test_spawn(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    const char *value[RUSM_ARGS_MAX + 1];
    struct rusm_args args = { .count = 2, .value = value };
    char *large = malloc(LIMIT_ARGS_BYTES + 2);
    rusm_pid pid;

    for (int i = 0; i <= RUSM_ARGS_MAX; i++) {
        value[i] = "";
    }
    value[0] = "one";
    value[1] = "two words";
    assert_int_equal(rusm_spawn(a->self, &with_args, &args, &pid), 0);
    assert_string_equal(args_seen, "[one][two words]");
    assert_non_null(runtime_find(w->rt, pid.serial));
    assert_int_equal(rusm_spawn(a->self, &with_args, NULL, &pid), 0);
    assert_string_equal(args_seen, "");
    args.count = 1;
    assert_int_equal(rusm_spawn(a->self, &with_args, &args, &pid), RUSM_EINIT);
    args.count = RUSM_ARGS_MAX;
    assert_int_equal(rusm_spawn(a->self, &with_args, &args, &pid), 0);
    args.count = RUSM_ARGS_MAX + 1;
    assert_int_equal(rusm_spawn(a->self, &with_args, &args, &pid), RUSM_ELIMIT);
    assert_non_null(large);
    memset(large, 'x', LIMIT_ARGS_BYTES + 1);
    large[LIMIT_ARGS_BYTES + 1] = 0;
    value[0] = large;
    value[1] = "";
    args.count = 2;
    assert_int_equal(rusm_spawn(a->self, &with_args, &args, &pid), RUSM_ELIMIT);
    value[0] = large + 1;
    assert_int_equal(rusm_spawn(a->self, &with_args, &args, &pid), 0);
    world_free(w);
    free(large);
    free(a);
}

static void context_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    (void)m;
    ++*(int *)rusm_context(self);
}

static void test_context(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    int handled = 0;
    struct rusm_behaviour behaviour = { .name = "c", .receive = context_receive };
    rusm_pid pid;

    assert_null(rusm_context(a->self));
    behaviour.context = &handled;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rusm_spawn(a->self, &behaviour, NULL, &pid), 0);
        assert_int_equal(rusm_send(a->self, pid, "x", 1, 0), 0);
    }
    world_run(w);
    assert_int_equal(handled, 2);
    world_free(w);
    free(a);
}

static void test_spawn_at_here(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    const char *value[] = { "x", "y" };
    struct rusm_args args = { .count = 2, .value = value };
    uint64_t ok, unknown, failed;

    assert_int_equal(runtime_teach(w->rt, "args", &with_args), 0);
    assert_int_equal(rusm_spawn_at(a->self, 0, "args", &args, &ok), 0);
    assert_int_equal(rusm_spawn_at(a->self, 0, "nothing", NULL, &unknown), 0);
    args.count = 1;
    assert_int_equal(rusm_spawn_at(a->self, 0, "args", &args, &failed), 0);
    world_run(w);
    assert_int_equal(a->count, 3);
    assert_int_equal(a->got[0].kind, RUSM_SPAWNED);
    assert_int_equal(a->got[0].ref, ok);
    assert_non_null(runtime_find(w->rt, a->got[0].from.serial));
    assert_int_equal(a->got[1].kind, RUSM_FAILED);
    assert_int_equal(a->got[1].ref, unknown);
    assert_int_equal(a->got[1].error, RUSM_ENOSPAWNABLE);
    assert_int_equal(a->got[2].kind, RUSM_FAILED);
    assert_int_equal(a->got[2].ref, failed);
    assert_int_equal(a->got[2].error, RUSM_EINIT);
    assert_string_equal(a->got[2].text, "one is too few");
    assert_int_equal(w->spawns, 0);
    world_free(w);
    free(a);
}

static void test_spawn_at_another(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    uint32_t oslo = world_node(w, "oslo");
    uint64_t ref;

    assert_int_equal(rusm_spawn_at(a->self, oslo, "echo", NULL, &ref), 0);
    assert_int_equal(w->spawns, 1);
    w->post_result = RUSM_ENOCONN;
    assert_int_equal(rusm_spawn_at(a->self, oslo, "echo", NULL, &ref), RUSM_ENOCONN);
    assert_int_equal(rusm_spawn_at(a->self, 55, "echo", NULL, &ref), RUSM_EINVAL);
    assert_int_equal(w->spawns, 2);
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
    assert_int_equal(rusm_send_name(a->self, 0, "bob", 3, "x", 1, 0), 0);
    assert_int_equal(rusm_unregister(a->self, "bob"), 0);
    assert_int_equal(w->globals, 0);
    assert_int_equal(rusm_whereis(a->self, "bob", &pid), RUSM_ENOPROC);

    assert_int_equal(rusm_register_global(a->self, a->pid, "alice"), 0);
    assert_int_equal(w->globals, 1);
    assert_int_equal(rusm_register_global(a->self, a->pid, "17"), RUSM_EINVAL);
    assert_int_equal(rusm_register_global(a->self, far, "x"), RUSM_EINVAL);
    assert_int_equal(rusm_register_global(a->self, old, "x"), RUSM_ENOPROC);
    assert_int_equal(w->globals, 1);
    assert_int_equal(rusm_unregister(a->self, "alice"), 0); /* no local one: the global */
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

    /* A client's index is used again, and is nobody's name. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_node_name),
        cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_spawn),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_spawn_at_here),
        cmocka_unit_test(test_spawn_at_another),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_node_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
