/* actor: spawning, by the node and by processes: arguments, inits that fail, inits within inits. */
#include "doubles/actor.h"
#include "actor/limits.h"
#include "base/limits.h"

static void init_effects(struct probe *p)
{
    uint64_t ref;
    rusm_pid far = { .serial = 3, .node = 1, .incarnation = 1 };

    assert_int_equal(rusm_register(p->self, p->pid, "early"), 0);
    assert_int_equal(rusm_send(p->self, p->pid, "to myself", 9, 0), 0);
    assert_int_equal(rusm_monitor(p->self, far, &ref), 0);
}

static void init_error(struct probe *p)
{
    init_effects(p);
    rusm_init_error(p->self, "no %s\nhere", "luck");
    rusm_init_error(p->self, "%s", (const char *)p->user);
}

static void init_exit(struct probe *p)
{
    rusm_exit(p->self, "changed my mind");
}

static void test_failed_init(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p = calloc(1, sizeof(*p));
    struct rusm_why why;
    char text[] = "bad\nluck";

    assert_non_null(p);
    assert_int_equal(world_node(w, "oslo"), 1);
    p->init_result = RUSM_EINVAL;
    p->on_init = init_effects;
    assert_int_equal(probe_try(w, p, &why), RUSM_EINIT);
    assert_string_equal(why.text, rusm_strerror(RUSM_EINVAL));
    assert_int_equal(p->stops, 0);
    assert_int_equal(runtime_count(w->rt), 0);
    uint64_t serial;
    assert_null(runtime_find_name(w->rt, "early", 5, &serial));
    assert_int_equal(runtime_counters(w->rt)->processes_started, 0);
    assert_int_equal(runtime_counters(w->rt)->processes_ended, 0);
    assert_int_equal(w->post_count, 2); /* the monitor and its withdrawal */
    assert_int_equal(w->posts[1].post.kind, MESSAGE_DEMONITOR);
    assert_int_equal(w->exit_count, 1);

    p->on_init = init_error;
    p->user = text;
    assert_int_equal(probe_try(w, p, &why), RUSM_EINIT);
    assert_string_equal(why.text, "bad\\x0aluck");
    assert_int_equal(probe_try(w, p, NULL), RUSM_EINIT);

    /* The process already has a state, so stop is called. */
    p->init_result = 0;
    p->on_init = init_exit;
    assert_int_equal(probe_try(w, p, &why), RUSM_EINIT);
    assert_string_equal(why.text, "changed my mind");
    assert_int_equal(p->stops, 1);
    assert_string_equal(p->reason, "changed my mind");
    assert_false(runtime_ready(w->rt));
    world_free(w);
    free(p);
}

static void init_sends(struct probe *p)
{
    assert_int_equal(rusm_send(p->self, p->pid, "started", 7, 0), 0);
}

static void test_init_may_send(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->on_init = init_sends;
    assert_int_equal(probe_try(w, p, NULL), 0);
    assert_true(runtime_ready(w->rt));
    world_run(w);
    assert_string_equal(p->got[0].text, "started");
    world_free(w);
    free(p);
}

static int deepest;

static int deep_init(struct rusm_process *self, const struct rusm_args *args, void **state);
static void deep_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    (void)m;
    rusm_exit(self, "normal");
}
static const struct rusm_behaviour deep = { .name = "deep",
                                            .init = deep_init,
                                            .receive = deep_receive };

static int deep_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    rusm_pid pid;

    (void)args;
    (void)state;
    deepest++;
    return rusm_spawn(self, &deep, NULL, &pid);
}

static void test_inits_in_inits_end(void **state)
{
    (void)state;
    struct world *w = world_new();
    rusm_pid pid;

    deepest = 0;
    assert_int_equal(runtime_spawn(w->rt, &deep, NULL, &pid, NULL, 1), RUSM_EINIT);
    assert_int_equal(deepest, LIMIT_INIT_DEPTH);
    assert_int_equal(runtime_count(w->rt), 0);
    world_free(w);
}

/* ---- spawned by processes ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_init),
        cmocka_unit_test(test_init_may_send),
        cmocka_unit_test(test_inits_in_inits_end),
        cmocka_unit_test(test_spawn),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_spawn_at_here),
        cmocka_unit_test(test_spawn_at_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
