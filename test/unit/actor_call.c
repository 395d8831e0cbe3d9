/* actor/call: each call has exactly one outcome: the reply, the end of the callee, the loss of its
 * node, or the timeout. */
#include "doubles/actor.h"

#define MS ((uint64_t)1000000)

struct trio {
    struct world *w;
    struct probe *a, *b;
    rusm_pid far;
    uint64_t ref;
};

static struct trio begin(void)
{
    struct trio t = { .w = world_new() };

    t.a = probe_new(t.w);
    t.b = probe_new(t.w);
    t.far = (rusm_pid){ .serial = 9, .node = world_node(t.w, "oslo"), .incarnation = 7 };
    return t;
}

static void end(struct trio *t)
{
    world_free(t->w);
    free(t->a);
    free(t->b);
}

/* Checks the i-th outcome that a got. */
static void outcome(const struct trio *t, size_t i, enum rusm_kind kind, int error,
                    const char *text)
{
    assert_true(t->a->count > i);
    assert_int_equal(t->a->got[i].kind, kind);
    assert_int_equal(t->a->got[i].error, error);
    assert_true(t->a->got[i].ref == t->ref);
    assert_string_equal(t->a->got[i].text, text);
}

static uint64_t late(const struct trio *t)
{
    return runtime_counters(t->w->rt)->replies_late;
}

static void reply(struct trio *t, size_t i)
{
    struct rusm_message call = { .kind = RUSM_CALL, .from = t->b->got[i].from };

    call.ref = t->b->got[i].ref;
    assert_int_equal(rusm_reply(t->b->self, &call, "answer", 6), 0);
    world_run(t->w);
}

static void test_answered(void **state)
{
    struct trio t = begin();

    (void)state;
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, 10, &t.ref), 0);
    world_run(t.w);
    assert_int_equal(probe_links(t.a), 1);
    reply(&t, 0);
    outcome(&t, 0, RUSM_REPLY, 0, "answer");
    assert_int_equal(probe_links(t.a) + probe_links(t.b), 0);
    assert_true(runtime_next_ns(t.w->rt) == UINT64_MAX); /* no timer for the deadline is left */
    reply(&t, 0);                                        /* a second reply: nobody waits for it */
    runtime_kill(t.w->rt, t.b->pid.serial, "over");
    t.w->now += 100 * MS;
    world_run(t.w);
    assert_int_equal(t.a->count, 1);
    assert_int_equal(late(&t), 1);
    end(&t);
}

static void test_timeout(void **state)
{
    struct trio t = begin();

    (void)state;
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, 10, &t.ref), 0);
    t.w->now += 9 * MS;
    world_run(t.w);
    assert_int_equal(t.a->count, 0);
    t.w->now += 3 * MS;
    world_run(t.w);
    outcome(&t, 0, RUSM_FAILED, RUSM_ETIMEOUT, "timeout");
    reply(&t, 0);
    assert_int_equal(t.a->count, 1);
    assert_int_equal(late(&t), 1);
    assert_int_equal(probe_links(t.a) + probe_links(t.b), 0);
    end(&t);
}

static void test_ended(void **state)
{
    struct trio t = begin();
    uint64_t ref;

    (void)state;
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, RUSM_FOREVER, &t.ref), 0);
    world_run(t.w);
    runtime_kill(t.w->rt, t.b->pid.serial, "kill");
    world_run(t.w);
    outcome(&t, 0, RUSM_FAILED, RUSM_ENOPROC, "killed");
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, 10, &ref), RUSM_ENOPROC);
    assert_int_equal(rusm_request_to(t.a->self, "nobody", "q", 1, 10, &ref), RUSM_ENOPROC);
    assert_int_equal(rusm_request_to(t.a->self, "no body", "q", 1, 10, &ref), RUSM_EINVAL);
    t.far.serial = 0;
    assert_int_equal(rusm_request(t.a->self, t.far, "q", 1, 10, &ref), RUSM_EINVAL);
    assert_int_equal(rusm_request(t.a->self, t.a->pid, NULL, 1, 10, &ref), RUSM_EINVAL);
    t.w->now += 100 * MS;
    world_run(t.w);
    assert_int_equal(t.a->count, 1);
    end(&t);
}

static void test_busy(void **state)
{
    struct trio t = begin();
    uint64_t ref;

    (void)state;
    probe_fill(t.a, t.b, WORLD_MESSAGES);
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, 10, &ref), RUSM_BUSY);
    assert_int_equal(probe_links(t.a), 0);
    world_run(t.w);
    t.w->now += 100 * MS;
    world_run(t.w);
    assert_int_equal(t.a->count, 1);
    assert_int_equal(t.a->got[0].kind, RUSM_WRITABLE);
    t.w->post_result = RUSM_ENOCONN;
    assert_int_equal(rusm_request(t.a->self, t.far, "q", 1, 10, &ref), RUSM_ENOCONN);
    assert_int_equal(rusm_request_end(t.a->self, ref), RUSM_ENOPROC);
    end(&t);
}

static void test_given_up(void **state)
{
    struct trio t = begin();

    (void)state;
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, 10, &t.ref), 0);
    assert_int_equal(rusm_request_end(t.b->self, t.ref), RUSM_ENOPROC); /* not b's request */
    assert_int_equal(rusm_request_end(t.a->self, t.ref), 0);
    assert_int_equal(rusm_request_end(t.a->self, t.ref), RUSM_ENOPROC);
    world_run(t.w);
    reply(&t, 0);
    t.w->now += 100 * MS;
    world_run(t.w);
    assert_int_equal(t.a->count, 0);
    assert_int_equal(late(&t), 1);
    end(&t);
}

static void test_refused(void **state)
{
    struct trio t = begin();
    struct rusm_message call = { .kind = RUSM_CALL };

    (void)state;
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, 10, &t.ref), 0);
    world_run(t.w);
    call.from = t.a->pid;
    call.ref = t.ref;
    assert_int_equal(rusm_refuse(t.b->self, &call, "noconnection"), 0);
    world_run(t.w);
    outcome(&t, 0, RUSM_FAILED, RUSM_ENOCONN, "noconnection");
    assert_int_equal(probe_links(t.a), 0);
    assert_int_equal(rusm_refuse(t.b->self, &call, "again"), 0);
    assert_int_equal(late(&t), 1);
    call.from = t.far;
    assert_int_equal(rusm_refuse(t.b->self, &call, "no"), 0);
    assert_int_equal(t.w->posts[0].post.kind, RUSM_DOWN);
    assert_true(t.w->posts[0].post.ref == t.ref);
    call.kind = RUSM_SEND;
    assert_int_equal(rusm_refuse(t.b->self, &call, "no"), RUSM_EINVAL);
    end(&t);
}

/* Calls to another node: the reply, a DOWN, the loss of the node, the timeout. A reply after the
 * outcome is late. */
static void test_far(void **state)
{
    struct trio t = begin();
    rusm_pid other = t.far;

    (void)state;
    assert_int_equal(rusm_request(t.a->self, t.far, "q", 1, 10, &t.ref), 0);
    assert_int_equal(t.w->post_count, 1);
    process_deliver(t.a->self, world_message(t.w, RUSM_REPLY, t.far, t.ref, "r"));
    process_deliver(t.a->self, world_message(t.w, RUSM_REPLY, t.far, t.ref, "r"));
    world_run(t.w);
    outcome(&t, 0, RUSM_REPLY, 0, "r");
    assert_int_equal(late(&t), 1);
    assert_int_equal(t.w->post_count, 1); /* no DEMONITOR: the reply ends their monitor too */

    assert_int_equal(rusm_request_to(t.a->self, "bob@oslo", "q", 1, 10, &t.ref), 0);
    other.node = world_node(t.w, "rome"); /* a node that speaks for another one */
    process_deliver(t.a->self, world_message(t.w, RUSM_DOWN, other, t.ref, "lie"));
    process_deliver(t.a->self, world_message(t.w, RUSM_DOWN, t.far, t.ref, "noproc"));
    world_run(t.w);
    outcome(&t, 1, RUSM_FAILED, RUSM_ENOPROC, "noproc");

    assert_int_equal(rusm_request(t.a->self, t.far, "q", 1, 10, &t.ref), 0);
    runtime_node_lost(t.w->rt, t.far.node, 6); /* an earlier incarnation */
    runtime_node_lost(t.w->rt, t.far.node, 7);
    world_run(t.w);
    outcome(&t, 2, RUSM_FAILED, RUSM_ENOCONN, "noconnection");

    t.w->post_count = 0;
    assert_int_equal(rusm_request_to(t.a->self, "bob@oslo", "q", 1, 10, &t.ref), 0);
    t.w->now += 20 * MS;
    world_run(t.w);
    outcome(&t, 3, RUSM_FAILED, RUSM_ETIMEOUT, "timeout");
    assert_int_equal(t.w->post_count, 2);
    assert_int_equal(t.w->posts[1].post.kind, MESSAGE_DEMONITOR);
    assert_string_equal(t.w->posts[1].name, "bob");
    assert_true(t.w->posts[1].post.ref == t.ref);
    assert_int_equal(t.a->count, 4);
    end(&t);
}

static void test_global(void **state)
{
    struct trio t = begin();
    uint64_t ref;

    (void)state;
    assert_int_equal(rusm_request_to(t.a->self, "boss", "q", 1, 10, &ref), RUSM_ENOPROC);
    t.w->holder = t.b->pid;
    assert_int_equal(rusm_request_to(t.a->self, "boss", "q", 1, 10, &t.ref), 0);
    world_run(t.w);
    reply(&t, 0);
    outcome(&t, 0, RUSM_REPLY, 0, "answer");
    assert_int_equal(t.w->post_count, 0);
    t.w->holder = t.far;
    assert_int_equal(rusm_request_name(t.a->self, RUSM_GLOBAL, "boss", "q", 1, 10, &t.ref), 0);
    assert_int_equal(t.w->posts[0].post.node, t.far.node);
    assert_true(t.w->posts[0].post.global);
    runtime_node_lost(t.w->rt, t.far.node, 7);
    world_run(t.w);
    outcome(&t, 1, RUSM_FAILED, RUSM_ENOCONN, "noconnection");
    end(&t);
}

/* The caller ends, so the other side need not monitor any more. */
static void test_caller_ends(void **state)
{
    struct trio t = begin();

    (void)state;
    assert_int_equal(rusm_request(t.a->self, t.far, "q", 1, 10, &t.ref), 0);
    assert_int_equal(rusm_request(t.a->self, t.b->pid, "q", 1, 10, &t.ref), 0);
    world_run(t.w);
    runtime_kill(t.w->rt, t.a->pid.serial, "kill");
    assert_int_equal(t.w->post_count, 2);
    assert_int_equal(t.w->posts[1].post.kind, MESSAGE_DEMONITOR);
    assert_int_equal(probe_links(t.b), 0);
    assert_true(runtime_next_ns(t.w->rt) == UINT64_MAX);
    end(&t);
}

/* A call from another node: the callee has a monitor until it replies. */
static void test_asked_from_afar(void **state)
{
    struct trio t = begin();

    (void)state;
    process_deliver(t.b->self, world_message(t.w, RUSM_CALL, t.far, 5, "q"));
    process_deliver(t.b->self, world_message(t.w, RUSM_CALL, t.far, 6, "q"));
    world_run(t.w);
    assert_int_equal(probe_links(t.b), 2);
    reply(&t, 0);
    assert_int_equal(probe_links(t.b), 1);
    assert_int_equal(t.w->post_count, 1);
    runtime_kill(t.w->rt, t.b->pid.serial, "gone");
    assert_int_equal(t.w->post_count, 2);
    assert_int_equal(t.w->posts[1].post.kind, RUSM_DOWN);
    assert_true(t.w->posts[1].post.ref == 6);
    assert_string_equal(t.w->posts[1].data, "gone");
    end(&t);
}

static void test_many(void **state)
{
    struct trio t = begin();
    uint32_t nodes[] = { 0, t.far.node, 4000, 0 };
    uint64_t refs[4];

    (void)state;
    assert_int_equal(rusm_register(t.b->self, t.b->pid, "bob"), 0);
    rusm_request_many(t.a->self, nodes, 4, "bob", "q", 1, 10, refs);
    world_run(t.w);
    assert_int_equal(t.a->count, 1); /* the only one that could not be asked */
    assert_true(t.a->got[0].ref == refs[2]);
    assert_int_equal(t.a->got[0].kind, RUSM_FAILED);
    assert_int_equal(t.a->got[0].error, RUSM_EINVAL);
    reply(&t, 1);
    reply(&t, 0);
    process_deliver(t.a->self, world_message(t.w, RUSM_REPLY, t.far, refs[1], "far"));
    world_run(t.w);
    assert_int_equal(t.a->count, 4);
    assert_true(t.a->got[1].ref == refs[3]);
    assert_true(t.a->got[2].ref == refs[0]);
    assert_true(t.a->got[3].ref == refs[1]);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),    cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_ended),       cmocka_unit_test(test_busy),
        cmocka_unit_test(test_given_up),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_far),         cmocka_unit_test(test_global),
        cmocka_unit_test(test_caller_ends), cmocka_unit_test(test_asked_from_afar),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
