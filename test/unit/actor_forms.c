/* actor: functions with a target: send, request, monitor, link, kill and send_after take a pid, a
 * name on a node, or an address in text. All three forms mean the same process. */
#include "doubles/actor.h"

#define MS ((uint64_t)1000000)

struct scene {
    struct world *w;
    struct probe *a, *b;
    uint32_t oslo;
};

static struct scene begin(void)
{
    struct scene s = { .w = world_new() };

    s.a = probe_new(s.w);
    s.b = probe_new(s.w);
    s.oslo = world_node(s.w, "oslo");
    assert_int_equal(rusm_register(s.b->self, s.b->pid, "bob"), 0);
    return s;
}

static void end(struct scene *s)
{
    world_free(s->w);
    free(s->a);
    free(s->b);
}

static void test_send_after(void **state)
{
    struct scene s = begin();
    uint64_t ref;

    (void)state;
    assert_int_equal(rusm_send_after(s.a->self, 5, s.b->pid, "1", 1, &ref), 0);
    assert_int_equal(rusm_send_after_name(s.a->self, 10, 0, "bob", "2", 1, &ref), 0);
    assert_int_equal(rusm_send_after_to(s.a->self, 15, "bob", "3", 1, &ref), 0);
    assert_int_equal(rusm_send_after_to(s.a->self, 20, "bob@london", "4", 1, &ref), 0);
    assert_int_equal(rusm_send_after_to(s.a->self, 25, "carl@oslo", "5", 1, &ref), 0);
    assert_int_equal(rusm_send_after_name(s.a->self, 30, s.oslo, "carl", "6", 1, &ref), 0);
    assert_int_equal(rusm_send_after_name(s.a->self, 30, 0, "", "x", 1, &ref), RUSM_EINVAL);
    assert_int_equal(rusm_send_after_name(s.a->self, 30, 77, "carl", "x", 1, &ref), RUSM_EINVAL);
    assert_int_equal(rusm_send_after_to(s.a->self, 30, "a b", "x", 1, &ref), RUSM_EINVAL);
    for (int i = 0; i < 8; i++) {
        s.w->now += 5 * MS;
        world_run(s.w);
    }
    assert_int_equal(s.b->count, 4);
    for (size_t i = 0; i < 4; i++) {
        const char digit[] = { (char)('1' + i), 0 };
        assert_string_equal(s.b->got[i].text, digit);
        assert_true(rusm_pid_eq(s.b->got[i].from, s.a->pid));
    }
    assert_int_equal(s.w->post_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(s.w->posts[i].post.node, s.oslo);
        assert_string_equal(s.w->posts[i].name, "carl");
    }
    end(&s);
}

/* The name is looked up when the time has come, not when the timer is set. */
static void test_send_after_late(void **state)
{
    struct scene s = begin();
    uint64_t ref;

    (void)state;
    assert_int_equal(rusm_send_after_name(s.a->self, 5, 0, "late", "1", 1, &ref), 0);
    assert_int_equal(rusm_send_after_name(s.a->self, 5, 0, "never", "1", 1, &ref), 0);
    assert_int_equal(rusm_register(s.b->self, s.b->pid, "late"), 0);
    uint64_t gone = runtime_counters(s.w->rt)->noproc_local;
    s.w->now += 8 * MS;
    world_run(s.w);
    assert_int_equal(s.b->count, 1);
    assert_true(runtime_counters(s.w->rt)->noproc_local == gone + 1);
    end(&s);
}

static void test_monitor(void **state)
{
    struct scene s = begin();
    uint64_t ref[3], far;

    (void)state;
    assert_int_equal(rusm_monitor(s.a->self, s.b->pid, &ref[0]), 0);
    assert_int_equal(rusm_monitor_name(s.a->self, 0, "bob", &ref[1]), 0);
    assert_int_equal(rusm_monitor_to(s.a->self, "bob@london", &ref[2]), 0);
    assert_int_equal(rusm_monitor_to(s.a->self, "a b", &far), RUSM_EINVAL);
    assert_int_equal(rusm_monitor_to(s.a->self, "carl@oslo", &far), 0);
    assert_int_equal(s.w->post_count, 1);
    assert_int_equal(s.w->posts[0].post.kind, MESSAGE_MONITOR);
    assert_string_equal(s.w->posts[0].name, "carl");
    runtime_kill(s.w->rt, s.b->pid.serial, "gone");
    world_run(s.w);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(probe_down(s.a, ref[i])->text, "gone");
    }
    assert_int_equal(rusm_monitor_to(s.a->self, "bob", &far), 0); /* noproc: DOWN at once */
    world_run(s.w);
    assert_string_equal(probe_down(s.a, far)->text, "noproc");
    end(&s);
}

static void test_link(void **state)
{
    struct scene s = begin();

    (void)state;
    rusm_trap_exit(s.a->self, true);
    assert_int_equal(rusm_link_name(s.a->self, 0, "bob"), 0);
    assert_int_equal(rusm_link_to(s.a->self, "bob"), 0); /* at most one link for a pair */
    assert_int_equal(probe_links(s.a), 1);
    assert_int_equal(rusm_link_to(s.a->self, "carl@oslo"), RUSM_ENOCONN);
    assert_int_equal(rusm_link_name(s.a->self, s.oslo, "carl"), RUSM_ENOCONN);
    assert_int_equal(rusm_link_name(s.a->self, 77, "carl"), RUSM_EINVAL);
    assert_int_equal(rusm_link_to(s.a->self, "a b"), RUSM_EINVAL);
    assert_int_equal(rusm_link_name(s.a->self, 0, "nobody"), 0);
    world_run(s.w);
    assert_int_equal(s.a->count, 1);
    assert_string_equal(s.a->got[0].text, "noproc");
    runtime_kill(s.w->rt, s.b->pid.serial, "gone");
    world_run(s.w);
    assert_int_equal(s.a->count, 2);
    assert_int_equal(s.a->got[1].kind, RUSM_EXIT);
    assert_string_equal(s.a->got[1].text, "gone");
    end(&s);
}

static void test_kill(void **state)
{
    struct scene s = begin();

    (void)state;
    assert_int_equal(rusm_kill_name(s.a->self, 0, "nobody", "x"), RUSM_ENOPROC);
    assert_int_equal(rusm_kill_to(s.a->self, "nobody", "x"), RUSM_ENOPROC);
    assert_int_equal(rusm_kill_to(s.a->self, "a b", "x"), RUSM_EINVAL);
    assert_int_equal(rusm_kill_to(s.a->self, "carl@oslo", "far"), 0);
    assert_int_equal(rusm_kill_name(s.a->self, s.oslo, "carl", "far"), 0);
    assert_int_equal(s.w->post_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(s.w->posts[i].post.kind, RUSM_EXIT);
        assert_string_equal(s.w->posts[i].name, "carl");
        assert_string_equal(s.w->posts[i].data, "far");
    }
    assert_int_equal(rusm_kill_to(s.a->self, "bob@london", "gone"), 0);
    world_run(s.w);
    assert_string_equal(s.b->reason, "gone");
    s.w->holder = s.a->pid;
    assert_int_equal(rusm_kill_name(s.a->self, RUSM_GLOBAL, "boss", "self"), 0);
    world_run(s.w);
    assert_string_equal(s.a->reason, "self");
    end(&s);
}

/* The three forms of a call that blocks. */
static struct {
    int error[5];
    bool done;
} caller;

static void caller_body(struct rusm_process *self, void *state)
{
    const struct rusm_message *reply;
    rusm_pid pid;

    (void)state;
    assert_int_equal(rusm_whereis(self, "echo", &pid), 0);
    caller.error[0] = rusm_call(self, pid, "1", 1, 100, &reply);
    assert_string_equal((const char *)reply->data, "1");
    caller.error[1] = rusm_call_name(self, 0, "echo", "2", 1, 100, &reply);
    assert_string_equal((const char *)reply->data, "2");
    caller.error[2] = rusm_call_to(self, "echo@london", "3", 1, 100, &reply);
    assert_string_equal((const char *)reply->data, "3");
    caller.error[3] = rusm_call_name(self, 0, "nobody", "4", 1, 100, &reply);
    caller.error[4] = rusm_call_to(self, "a b", "5", 1, 100, &reply);
    caller.done = true;
}

static void test_call(void **state)
{
    static const struct rusm_behaviour behaviour = { .name = "caller", .body = caller_body };
    struct scene s = begin();
    const struct rusm_message *reply;
    rusm_pid echo, pid;

    (void)state;
    caller.done = false;
    assert_int_equal(runtime_spawn(s.w->rt, builtin_find("echo"), NULL, &echo, NULL, s.w->now), 0);
    assert_int_equal(rusm_register(s.a->self, echo, "echo"), 0);
    assert_int_equal(runtime_spawn(s.w->rt, &behaviour, NULL, &pid, NULL, s.w->now), 0);
    world_run(s.w);
    assert_true(caller.done);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(caller.error[i], 0);
    }
    assert_int_equal(caller.error[3], RUSM_ENOPROC);
    assert_int_equal(caller.error[4], RUSM_EINVAL);
    /* Only a body can block. */
    assert_int_equal(rusm_call(s.a->self, echo, "x", 1, 1, &reply), RUSM_EINVAL);
    assert_int_equal(rusm_call_name(s.a->self, 0, "echo", "x", 1, 1, &reply), RUSM_EINVAL);
    assert_int_equal(rusm_call_to(s.a->self, "echo", "x", 1, 1, &reply), RUSM_EINVAL);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send_after), cmocka_unit_test(test_send_after_late),
        cmocka_unit_test(test_monitor),    cmocka_unit_test(test_link),
        cmocka_unit_test(test_kill),       cmocka_unit_test(test_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
