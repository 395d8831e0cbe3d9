/* actor/send: messages from one process to another, on this node or another one, and what the
 * sender is told. */
#include "doubles/actor.h"

static void test_order_and_content(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    assert_int_equal(rusm_send(a->self, b->pid, NULL, 0, 0), 0);
    assert_int_equal(probe_send(a, b, "one"), 0);
    assert_int_equal(rusm_send(a->self, b->pid, "t\0o", 3, RUSM_UNORDERED), 0);
    assert_int_equal(b->count, 0); /* only runtime_run runs handlers */
    world_run(w);
    assert_int_equal(b->count, 3);
    assert_int_equal(b->got[0].len, 0);
    assert_string_equal(b->got[1].text, "one");
    assert_memory_equal(b->got[2].text, "t\0o", 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(b->got[i].kind, RUSM_SEND);
        assert_true(rusm_pid_eq(b->got[i].from, a->pid));
        assert_int_equal(b->got[i].ref, 0);
    }
    assert_int_equal(runtime_counters(w->rt)->messages_local, 3);
    assert_int_equal(runtime_counters(w->rt)->messages_handled, 3);
    assert_int_equal(w->post_count, 0);
    world_free(w);
    free(a);
    free(b);
}

static void test_long_messages(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint8_t *data = malloc(RUSM_MESSAGE_MAX + 1);

    assert_non_null(data);
    memset(data, 'x', RUSM_MESSAGE_MAX + 1);
    assert_int_equal(rusm_send(a->self, b->pid, data, RUSM_MESSAGE_MAX + 1, 0), RUSM_ETOOLARGE);
    assert_int_equal(rusm_send(a->self, b->pid, NULL, 1, 0), RUSM_EINVAL);
    /* More than the mailbox's bytes, but the mailbox is empty. */
    assert_int_equal(rusm_send(a->self, b->pid, data, RUSM_MESSAGE_MAX, 0), 0);
    world_run(w);
    assert_int_equal(b->count, 1);
    assert_int_equal(b->got[0].len, RUSM_MESSAGE_MAX);
    for (size_t len = 1; len < 20000; len = len * 5 / 4 + 1) {
        assert_int_equal(rusm_send(a->self, b->pid, data, len, 0), 0);
        world_run(w);
        assert_int_equal(b->got[b->count - 1].len, len);
    }
    world_free(w);
    free(data);
    free(a);
    free(b);
}

static void test_bounds_of_a_mailbox(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint8_t data[WORLD_BYTES + 1] = { 0 };

    for (int i = 0; i < WORLD_MESSAGES; i++) {
        assert_int_equal(probe_send(a, b, ""), 0);
    }
    assert_int_equal(probe_send(a, b, ""), RUSM_BUSY);
    assert_int_equal(rusm_send(a->self, b->pid, "", 0, RUSM_UNORDERED), RUSM_BUSY);
    world_run(w);
    assert_int_equal(b->count, WORLD_MESSAGES);

    /* Exactly full by bytes: an empty message still fits, one byte does not. */
    assert_int_equal(rusm_send(a->self, b->pid, data, 400, 0), 0);
    assert_int_equal(rusm_send(a->self, b->pid, data, 601, 0), RUSM_BUSY);
    world_run(w);
    assert_int_equal(rusm_send(a->self, b->pid, data, 400, 0), 0);
    assert_int_equal(rusm_send(a->self, b->pid, data, 600, 0), 0);
    assert_int_equal(rusm_send(a->self, b->pid, data, 0, 0), 0);
    assert_int_equal(rusm_send(a->self, b->pid, data, 1, 0), RUSM_BUSY);
    world_run(w);

    /* A message longer than the bound fits only into an empty mailbox. */
    assert_int_equal(rusm_send(a->self, b->pid, data, 0, 0), 0);
    assert_int_equal(rusm_send(a->self, b->pid, data, WORLD_BYTES + 1, 0), RUSM_BUSY);
    world_run(w);
    assert_int_equal(rusm_send(a->self, b->pid, data, WORLD_BYTES + 1, 0), 0);
    assert_int_equal(rusm_send(a->self, b->pid, data, 0, 0), RUSM_BUSY);
    world_run(w);
    assert_int_equal(runtime_counters(w->rt)->busy_local, 6);
    world_free(w);
    free(a);
    free(b);
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    rusm_pid old = b->pid, none = { 0 }, global = { .serial = 1, .node = RUSM_GLOBAL };
    rusm_pid unknown = { .serial = 1, .node = 77, .incarnation = 1 };
    uint64_t ref;

    old.incarnation++;
    assert_int_equal(rusm_send(a->self, old, "x", 1, 0), RUSM_ENOPROC);
    assert_int_equal(rusm_send(a->self, none, "x", 1, 0), RUSM_ENOPROC);
    assert_int_equal(rusm_request(a->self, old, "x", 1, RUSM_FOREVER, &ref), RUSM_ENOPROC);
    assert_int_equal(rusm_send_name(a->self, 0, "b", "x", 1, 0), RUSM_ENOPROC);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "gone"), 0);
    assert_int_equal(rusm_send(a->self, b->pid, "x", 1, 0), RUSM_ENOPROC);
    assert_int_equal(runtime_counters(w->rt)->noproc_local, 5);
    assert_int_equal(rusm_send(a->self, unknown, "x", 1, 0), RUSM_EINVAL);
    assert_int_equal(rusm_send(a->self, global, "x", 1, 0), RUSM_EINVAL);
    assert_int_equal(rusm_send_name(a->self, 77, "b", "x", 1, 0), RUSM_EINVAL);
    assert_int_equal(w->post_count, 0);
    world_run(w);
    assert_int_equal(b->count, 0);
    world_free(w);
    free(a);
    free(b);
}

static void test_call_and_reply(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    struct rusm_message call = { .kind = RUSM_CALL, .from = a->pid };
    uint64_t one, two;

    assert_int_equal(rusm_request(a->self, b->pid, "q1", 2, RUSM_FOREVER, &one), 0);
    assert_int_equal(rusm_request(a->self, b->pid, "q2", 2, RUSM_FOREVER, &two), 0);
    assert_true(one != two && one != 0 && two != 0);
    world_run(w);
    assert_int_equal(b->got[0].kind, RUSM_CALL);
    assert_int_equal(b->got[0].ref, one);
    assert_int_equal(b->got[1].ref, two);

    /* A full mailbox also takes a reply. */
    for (int i = 0; i < WORLD_MESSAGES; i++) {
        assert_int_equal(probe_send(b, a, "fill"), 0);
    }
    assert_int_equal(probe_send(b, a, "full"), RUSM_BUSY);
    call.ref = two;
    assert_int_equal(rusm_reply(b->self, &call, "a2", 2), 0);
    world_run(w);
    assert_int_equal(a->count, WORLD_MESSAGES + 1);
    assert_int_equal(a->got[WORLD_MESSAGES].kind, RUSM_REPLY);
    assert_int_equal(a->got[WORLD_MESSAGES].ref, two);
    assert_string_equal(a->got[WORLD_MESSAGES].text, "a2");
    assert_true(rusm_pid_eq(a->got[WORLD_MESSAGES].from, b->pid));

    call.kind = RUSM_SEND;
    assert_int_equal(rusm_reply(b->self, &call, "s", 1), 0);
    world_run(w);
    assert_int_equal(a->got[a->count - 1].kind, RUSM_SEND);
    assert_int_equal(a->got[a->count - 1].ref, 0);

    call.kind = RUSM_DOWN;
    assert_int_equal(rusm_reply(b->self, &call, "s", 1), RUSM_EINVAL);
    call.kind = RUSM_CALL;
    call.from.serial = 0;
    assert_int_equal(rusm_reply(b->self, &call, "s", 1), RUSM_ENOPROC);
    call.from.serial = 999;
    assert_int_equal(rusm_reply(b->self, &call, "s", 1), RUSM_ENOPROC);
    world_free(w);
    free(a);
    free(b);
}

static const struct world_post *last_post(struct world *w)
{
    assert_true(w->post_count > 0);
    return &w->posts[w->post_count - 1];
}

static void test_posts(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    uint32_t oslo = world_node(w, "oslo");
    rusm_pid far = { .serial = 17, .node = oslo, .incarnation = 0xabc };
    struct rusm_message call = { .kind = RUSM_CALL, .from = far, .ref = 55 };
    const struct world_post *p;
    uint64_t ref;

    assert_int_equal(rusm_send(a->self, far, NULL, 0, RUSM_UNORDERED), 0);
    p = last_post(w);
    assert_true(rusm_pid_eq(p->post.from, a->pid));
    assert_true(rusm_pid_eq(p->post.to, far));
    assert_int_equal(p->post.node, oslo);
    assert_int_equal(p->post.kind, RUSM_SEND);
    assert_int_equal(p->post.flags, RUSM_UNORDERED);
    assert_int_equal(p->post.len, 0);
    assert_null(p->post.name);

    assert_int_equal(rusm_request(a->self, far, "q", 1, RUSM_FOREVER, &ref), 0);
    p = last_post(w);
    assert_int_equal(p->post.kind, RUSM_CALL);
    assert_int_equal(p->post.ref, ref);
    assert_string_equal(p->data, "q");

    assert_int_equal(rusm_reply(a->self, &call, "r", 1), 0);
    p = last_post(w);
    assert_int_equal(p->post.kind, RUSM_REPLY);
    assert_int_equal(p->post.ref, 55);

    assert_int_equal(rusm_send_name(a->self, oslo, "bob", "x", 1, 0), 0);
    p = last_post(w);
    assert_int_equal(p->post.to.serial, 0);
    assert_int_equal(p->post.node, oslo);
    assert_string_equal(p->name, "bob");

    assert_int_equal(rusm_send_name(a->self, RUSM_GLOBAL, "bob", "x", 1, 0), RUSM_ENOPROC);
    w->holder = (rusm_pid){ .serial = 7, .node = oslo, .incarnation = 9 };
    assert_int_equal(rusm_send_name(a->self, RUSM_GLOBAL, "bob", "x", 1, 0), 0);
    p = last_post(w);
    assert_int_equal(p->post.node, oslo);
    assert_true(p->post.global);
    assert_string_equal(p->name, "bob");
    assert_int_equal(p->post.to.serial, 0);
    assert_int_equal(rusm_send_name(a->self, oslo, "b b", "x", 1, 0), RUSM_EINVAL);
    assert_int_equal(rusm_send_name(a->self, oslo, "", "x", 1, 0), RUSM_EINVAL);

    /* The sender gets the hook's result. */
    const int say[] = { RUSM_BUSY, RUSM_ENOCONN, RUSM_ENOPROC, RUSM_ETOOLARGE, RUSM_ENOMEM };
    for (size_t i = 0; i < sizeof(say) / sizeof(say[0]); i++) {
        w->post_result = say[i];
        assert_int_equal(rusm_send(a->self, far, "x", 1, 0), say[i]);
    }
    world_free(w);
    free(a);
}

static void test_addresses(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    char text[RUSM_ADDRESS_MAX];
    const struct world_post *p;

    assert_int_equal(rusm_register(a->self, b->pid, "bob"), 0);
    assert_int_equal(rusm_send_to(a->self, "bob", "1", 1, 0), 0);
    assert_int_equal(rusm_send_to(a->self, "bob@london", "2", 1, 0), 0);
    snprintf(text, sizeof(text), "%d", (int)b->pid.serial);
    assert_int_equal(rusm_send_to(a->self, text, "3", 1, 0), 0);
    snprintf(text, sizeof(text), "%d@london", (int)b->pid.serial);
    assert_int_equal(rusm_send_to(a->self, text, "4", 1, 0), 0);
    assert_true(rusm_pid_format(a->self, b->pid, text, sizeof(text)) > 0);
    assert_int_equal(rusm_send_to(a->self, text, "5", 1, 0), 0);
    world_run(w);
    assert_int_equal(b->count, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(b->got[i].text[0], '1' + i);
    }
    assert_int_equal(w->post_count, 0);

    snprintf(text, sizeof(text), "%d@london#1", (int)b->pid.serial);
    assert_int_equal(rusm_send_to(a->self, text, "x", 1, 0), RUSM_ENOPROC);
    assert_int_equal(rusm_send_to(a->self, "eve@london", "x", 1, 0), RUSM_ENOPROC);
    assert_int_equal(rusm_send_to(a->self, "no good", "x", 1, 0), RUSM_EINVAL);
    assert_int_equal(rusm_send_to(a->self, "", "x", 1, 0), RUSM_EINVAL);

    assert_int_equal(rusm_send_to(a->self, "eve@oslo", "x", 1, 0), 0);
    p = last_post(w);
    assert_string_equal(rusm_node_at(a->self, p->post.node), "oslo");
    assert_false(p->post.global);
    assert_string_equal(p->name, "eve");
    /* There is no such local name, so it is a global one. */
    w->holder = (rusm_pid){ .serial = 7, .node = p->post.node, .incarnation = 9 };
    assert_int_equal(rusm_send_to(a->self, "eve", "x", 1, 0), 0);
    assert_int_equal(last_post(w)->post.node, w->holder.node);
    assert_true(last_post(w)->post.global);
    assert_string_equal(last_post(w)->name, "eve");
    assert_int_equal(rusm_send_to(a->self, "5@oslo", "x", 1, 0), 0);
    p = last_post(w);
    assert_int_equal(p->post.to.serial, 5);
    assert_int_equal(p->post.to.incarnation, 0);
    assert_int_equal(rusm_send_to(a->self, "5@oslo#9f", "x", 1, 0), 0);
    assert_int_equal(last_post(w)->post.to.incarnation, 0x9f);
    world_free(w);
    free(a);
    free(b);
}

/* A global name whose process is on this node. */
static void test_post_to_ourselves(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    w->holder = b->pid;
    for (int i = 0; i < WORLD_MESSAGES; i++) {
        assert_int_equal(rusm_send_name(a->self, RUSM_GLOBAL, "g", "x", 1, 0), 0);
    }
    assert_int_equal(rusm_send_name(a->self, RUSM_GLOBAL, "g", "x", 1, 0), RUSM_BUSY);
    world_run(w);
    assert_int_equal(b->count, WORLD_MESSAGES);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 1);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "x"), 0);
    assert_int_equal(rusm_send_name(a->self, RUSM_GLOBAL, "g", "x", 1, 0), RUSM_ENOPROC);
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_content),   cmocka_unit_test(test_long_messages),
        cmocka_unit_test(test_bounds_of_a_mailbox), cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_call_and_reply),      cmocka_unit_test(test_posts),
        cmocka_unit_test(test_addresses),           cmocka_unit_test(test_post_to_ourselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
