/* actor/builtins: tests of echo, greeter, sink, crash, relay and bounce. */
#include "doubles/actor.h"

static rusm_pid start(struct world *w, const char *name, const char *arg)
{
    struct rusm_args args = { .count = arg != NULL, .value = &arg };
    rusm_pid pid;

    assert_non_null(builtin_find(name));
    assert_int_equal(runtime_spawn(w->rt, builtin_find(name), &args, &pid, NULL, w->now), 0);
    return pid;
}

static void test_list(void **state)
{
    (void)state;
    const struct rusm_behaviour *const *all = builtin_all();
    char names[100] = "";

    for (; *all; all++) {
        strcat(names, (*all)->name);
        strcat(names, " ");
        assert_ptr_equal(builtin_find((*all)->name), *all);
    }
    assert_string_equal(names, "echo greeter sink crash relay bounce ");
    assert_null(builtin_find("ech"));
    assert_null(builtin_find(""));
}

static void test_echo(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid echo = start(w, "echo", NULL);
    uint64_t ref;

    assert_int_equal(rusm_request(a->self, echo, "hi", 2, RUSM_FOREVER, &ref), 0);
    assert_int_equal(rusm_send(a->self, echo, "", 0, 0), 0); /* the echo answers only calls */
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].kind, RUSM_REPLY);
    assert_int_equal(a->got[0].ref, ref);
    assert_string_equal(a->got[0].text, "hi");
    assert_true(rusm_pid_eq(a->got[0].from, echo));
    /* There is no sender, so there is nobody to answer. */
    process_deliver(runtime_find(w->rt, echo.serial),
                    world_message(w, RUSM_SEND, (rusm_pid){ 0 }, 0, "x"));
    world_run(w);
    world_free(w);
    free(a);
}

static void test_greeter(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid greeter = start(w, "greeter", NULL);
    uint64_t ref;
    char longer[900];

    assert_int_equal(rusm_request(a->self, greeter, "hello", 5, RUSM_FOREVER, &ref), 0);
    world_run(w);
    assert_string_equal(w->line, "greeter received: hello");
    assert_int_equal(w->line_count, 1);
    assert_int_equal(a->got[0].kind, RUSM_REPLY);
    assert_string_equal(a->got[0].text, "hello, hello");
    /* The output stays one line, whatever bytes the message has. */
    assert_int_equal(rusm_request(a->self, greeter, "a\nb\x1b[2J", 7, RUSM_FOREVER, &ref), 0);
    world_run(w);
    assert_string_equal(w->line, "greeter received: a\\x0ab\\x1b[2J");
    assert_string_equal(a->got[1].text, "hello, a\nb\x1b[2J");
    memset(longer, 'y', sizeof(longer));
    assert_int_equal(rusm_request(a->self, greeter, longer, sizeof(longer), RUSM_FOREVER, &ref), 0);
    world_run(w);
    assert_int_equal(strlen(w->line), strlen("greeter received: ") + sizeof(longer));
    assert_int_equal(a->got[2].len, strlen("hello, ") + sizeof(longer));
    assert_int_equal(w->line_count, 3);
    /* A sender that does not call gets no answer. */
    assert_int_equal(rusm_send(a->self, greeter, "x", 1, 0), 0);
    world_run(w);
    assert_string_equal(w->line, "greeter received: x");
    assert_int_equal(a->count, 3);
    world_free(w);
    free(a);
}

/* If the answer has to wait, the greeter still prints the line only once. */
static void test_greeter_holds(void **state)
{
    (void)state;
    struct world *w = world_new();
    rusm_pid greeter = start(w, "greeter", NULL);
    rusm_pid far = { .serial = 4, .node = world_node(w, "oslo"), .incarnation = 3 };

    w->post_result = RUSM_BUSY;
    process_deliver(runtime_find(w->rt, greeter.serial), world_message(w, RUSM_CALL, far, 8, "x"));
    world_run(w);
    assert_int_equal(w->line_count, 0);
    w->post_result = 0;
    runtime_writable(w->rt, greeter);
    world_run(w);
    assert_int_equal(w->line_count, 1);
    assert_int_equal(w->post_count, 2);
    assert_int_equal(w->posts[1].post.ref, 8);
    world_free(w);
}

static void test_sink(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid sink = start(w, "sink", NULL);
    uint64_t ref;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(rusm_send(a->self, sink, "x", 1, 0), 0);
    }
    assert_int_equal(rusm_request(a->self, sink, "x", 1, RUSM_FOREVER, &ref), 0);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_string_equal(a->got[0].text, "3");
    world_free(w);
    free(a);
}

static void test_crash(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid crash = start(w, "crash", NULL);
    char longer[900];
    uint64_t ref;

    assert_int_equal(rusm_monitor(a->self, crash, &ref), 0);
    assert_int_equal(rusm_send(a->self, crash, "boom", 4, 0), 0);
    world_run(w);
    assert_int_equal(a->got[0].kind, RUSM_DOWN);
    assert_string_equal(a->got[0].text, "crashed: boom");
    crash = start(w, "crash", NULL);
    memset(longer, 'z', sizeof(longer));
    assert_int_equal(rusm_send(a->self, crash, longer, sizeof(longer), 0), 0);
    world_run(w);
    assert_int_equal(strlen(w->reason), strlen("crashed: ") + sizeof(longer));
    world_free(w);
    free(a);
}

static void test_relay(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid relay = start(w, "relay", "bob"), far = start(w, "relay", "eve@oslo"), pid;
    struct rusm_why why;
    const char *two[] = { "bob", "eve" }, *bad = "b b";
    struct rusm_args args = { .count = 2, .value = two };
    uint64_t ref;

    assert_int_equal(rusm_register(b->self, b->pid, "bob"), 0);
    assert_int_equal(rusm_send(a->self, relay, "1", 1, 0), 0);
    assert_int_equal(rusm_request(a->self, relay, "2", 1, RUSM_FOREVER, &ref), 0);
    world_run(w);
    assert_int_equal(b->count, 2);
    assert_string_equal(b->got[0].text, "1");
    assert_int_equal(b->got[1].kind, RUSM_CALL);
    assert_true(rusm_pid_eq(b->got[0].from, relay));

    w->post_result = RUSM_BUSY;
    assert_int_equal(rusm_send(a->self, far, "3", 1, 0), 0);
    world_run(w);
    w->post_result = 0;
    runtime_writable(w->rt, far);
    world_run(w);
    assert_int_equal(w->post_count, 2);
    assert_string_equal(w->posts[1].name, "eve");
    assert_string_equal(w->posts[1].data, "3");

    const struct rusm_behaviour *behaviour = builtin_find("relay");
    assert_int_equal(runtime_spawn(w->rt, behaviour, &args, &pid, &why, 1), RUSM_EINIT);
    assert_non_null(strstr(why.text, "one argument"));
    assert_int_equal(runtime_spawn(w->rt, behaviour, NULL, &pid, &why, 1), RUSM_EINIT);
    args = (struct rusm_args){ .count = 1, .value = &bad };
    assert_int_equal(runtime_spawn(w->rt, behaviour, &args, &pid, &why, 1), RUSM_EINIT);
    assert_non_null(strstr(why.text, "'b b'"));
    world_free(w);
    free(a);
    free(b);
}

static void answer(struct probe *p, const struct rusm_message *m)
{
    if (m->kind == RUSM_CALL) {
        assert_int_equal(rusm_reply(p->self, m, "answer", 6), 0);
    }
}

/* The relay passes the answer, or the failure, to the caller. */
static void test_relay_call(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid relay = start(w, "relay", "bob");
    uint64_t one, two, three;

    b->on = answer;
    assert_int_equal(rusm_register(b->self, b->pid, "bob"), 0);
    assert_int_equal(rusm_request(a->self, relay, "x", 1, RUSM_FOREVER, &one), 0);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].kind, RUSM_REPLY);
    assert_int_equal(a->got[0].ref, one);
    assert_string_equal(a->got[0].text, "answer");
    assert_true(rusm_pid_eq(a->got[0].from, relay));

    b->on = NULL;
    assert_int_equal(rusm_request(a->self, relay, "x", 1, RUSM_FOREVER, &two), 0);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "enough"), 0);
    world_run(w);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->got[1].kind, RUSM_FAILED);
    assert_int_equal(a->got[1].error, RUSM_ENOPROC);
    assert_int_equal(a->got[1].ref, two);
    assert_string_equal(a->got[1].text, "enough");

    assert_int_equal(rusm_request(a->self, relay, "x", 1, RUSM_FOREVER, &three), 0);
    world_run(w);
    assert_int_equal(a->count, 3);
    assert_int_equal(a->got[2].error, RUSM_ENOPROC);
    assert_string_equal(a->got[2].text, "noproc");
    assert_int_equal(probe_links(a), 0);
    world_free(w);
    free(a);
    free(b);
}

/* A relay sends to an echo. The message ends there and does not go round for ever. */
static void test_relay_echo(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid echo = start(w, "echo", NULL), relay;
    uint64_t ref;

    assert_int_equal(rusm_register(a->self, echo, "parrot"), 0);
    relay = start(w, "relay", "parrot");
    assert_int_equal(rusm_send(a->self, relay, "x", 1, 0), 0);
    assert_int_equal(rusm_request(a->self, relay, "y", 1, RUSM_FOREVER, &ref), 0);
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].kind, RUSM_REPLY);
    assert_string_equal(a->got[0].text, "y");
    assert_int_equal(runtime_counters(w->rt)->replies_late, 0);
    world_free(w);
    free(a);
}

static void test_bounce(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    rusm_pid bounce = start(w, "bounce", NULL);
    rusm_pid far = { .serial = 4, .node = world_node(w, "oslo"), .incarnation = 3 };
    static const char payload[] = "\1\2\3\4\5\6\7\10worker-17";
    struct message *m;

    assert_int_equal(rusm_register(a->self, a->pid, "worker-17"), 0);
    assert_int_equal(rusm_send(a->self, bounce, payload, 17, 0), 0);
    assert_int_equal(rusm_send(a->self, bounce, payload, 8, 0), 0); /* does not name a process */
    world_run(w);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].len, 17);
    assert_memory_equal(a->got[0].text, payload, 17);

    /* For a message from another node, the name is one on that node. A message that cannot be sent
     * now holds back the later ones, so their order is kept. */
    w->post_result = RUSM_BUSY;
    for (char i = '0'; i < '5'; i++) {
        m = world_message(w, RUSM_SEND, far, 0, payload);
        message_room(m)[0] = (uint8_t)i;
        process_deliver(runtime_find(w->rt, bounce.serial), m);
    }
    world_run(w);
    assert_int_equal(w->post_count, 1);
    w->post_count = 0;
    w->post_result = 0;
    runtime_writable(w->rt, bounce);
    world_run(w);
    assert_int_equal(w->post_count, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(w->posts[i].post.node, far.node);
        assert_string_equal(w->posts[i].name, "worker-17");
        assert_int_equal(w->posts[i].post.len, 17);
        assert_int_equal(w->posts[i].data[0], '0' + i);
    }
    world_free(w);
    free(a);
}

static void test_bounce_unordered(void **state)
{
    (void)state;
    struct world *w = world_new();
    rusm_pid ordered = start(w, "bounce", NULL), unordered = start(w, "bounce", "unordered"), pid;
    rusm_pid far = { .serial = 4, .node = world_node(w, "oslo"), .incarnation = 3 };
    const char *bad = "sideways";
    struct rusm_args args = { .count = 1, .value = &bad };

    process_deliver(runtime_find(w->rt, ordered.serial),
                    world_message(w, RUSM_SEND, far, 0, "12345678name"));
    process_deliver(runtime_find(w->rt, unordered.serial),
                    world_message(w, RUSM_SEND, far, 0, "12345678name"));
    world_run(w);
    assert_int_equal(w->post_count, 2);
    assert_int_equal(w->posts[0].post.flags, 0);
    assert_int_equal(w->posts[1].post.flags, RUSM_UNORDERED);
    assert_int_equal(runtime_spawn(w->rt, builtin_find("bounce"), &args, &pid, NULL, 1),
                     RUSM_EINIT);
    world_free(w);
}

/* The built-in behaviours ignore signals. */
static void test_signals_are_ignored(void **state)
{
    (void)state;
    const struct rusm_behaviour *const *all = builtin_all();
    struct world *w = world_new();

    for (; *all; all++) {
        rusm_pid pid = start(w, (*all)->name, strcmp((*all)->name, "relay") == 0 ? "x" : NULL);
        struct rusm_process *p = runtime_find(w->rt, pid.serial);
        process_deliver(p, world_message(w, RUSM_SPAWNED, pid, 3, ""));
        process_deliver(p, world_message(w, RUSM_REPLY, pid, 3, "a reply to nothing"));
    }
    world_run(w);
    assert_int_equal(w->post_count, 0);
    assert_int_equal(w->line_count, 0);
    assert_int_equal(w->exit_count, 0);
    assert_int_equal(runtime_counters(w->rt)->messages_local, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_greeter),
        cmocka_unit_test(test_greeter_holds),
        cmocka_unit_test(test_sink),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_relay),
        cmocka_unit_test(test_relay_call),
        cmocka_unit_test(test_relay_echo),
        cmocka_unit_test(test_bounce),
        cmocka_unit_test(test_bounce_unordered),
        cmocka_unit_test(test_signals_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
