/* rusm_hold: a process that cannot pass on what it got takes no more messages, and so holds back
 * its senders. */
#include "doubles/actor.h"

/* Passes the message on to the process in `user`. Holds it when that is busy. */
static void pass_on(struct probe *p, const struct rusm_message *m)
{
    struct probe *to = p->user;

    assert_int_equal(m->kind, RUSM_SEND);
    int err = rusm_send(p->self, to->pid, m->data, m->len, 0);
    if (err == RUSM_BUSY) {
        rusm_hold(p->self);
    } else {
        assert_int_equal(err, 0);
    }
}

/* a must be told of room in b, although a also waits for c, which takes nothing. */
static void test_each_target_wakes(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);
    struct probe far = { .pid = { .serial = 5, .node = world_node(w, "oslo"), .incarnation = 9 } };

    c->user = &far;
    c->on = pass_on;
    w->post_result = RUSM_BUSY;
    probe_fill(a, c, WORLD_MESSAGES);
    world_run(w);
    assert_int_equal(probe_send(a, c, "x"), RUSM_BUSY);
    probe_fill(a, b, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, b, "x"), RUSM_BUSY);
    world_run(w);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 1);
    w->post_result = 0;
    runtime_writable(w->rt, c->pid);
    world_run(w);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 2);

    /* a is also told if one of them ends. It may then try to send, and gets RUSM_ENOPROC. */
    probe_fill(a, b, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, b, "x"), RUSM_BUSY);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "gone"), 0);
    world_run(w);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 3);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

/* Sends the numbers to `to`, as many as it takes. The rest follow when `to` has room again. */
struct feed {
    struct probe *to;
    int left;
};

static void feed_on(struct probe *p, const struct rusm_message *m)
{
    struct feed *f = p->user;

    assert_int_equal(m->kind, RUSM_SEND);
    for (; f->left > 0; f->left--) {
        char text[16];
        snprintf(text, sizeof(text), "%d", f->left);
        int err = probe_send(p, f->to, text);
        if (err == RUSM_BUSY) {
            rusm_hold(p->self);
            return;
        }
        assert_int_equal(err, 0);
    }
}

static void test_hold_loses_nothing(void **state)
{
    (void)state;
    enum { MANY = 500 };
    struct world *w = world_new();
    struct probe *a = probe_new(w), *pass = probe_new(w), *slow = probe_new(w);
    struct feed feed = { .to = pass, .left = MANY };

    pass->user = slow;
    pass->on = pass_on;
    a->user = &feed;
    a->on = feed_on;
    probe_fill(a, slow, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, a, "go"), 0);
    world_run(w);
    assert_int_equal(feed.left, 0);
    assert_int_equal(slow->count, WORLD_MESSAGES + MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(atoi(slow->got[WORLD_MESSAGES + i].text), MANY - i);
    }
    world_free(w);
    free(a);
    free(pass);
    free(slow);
}

static void test_hold_until_writable(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *pass = probe_new(w);
    uint32_t oslo = world_node(w, "oslo");
    struct probe far = { .pid = { .serial = 5, .node = oslo, .incarnation = 9 } };
    struct process_info info;

    pass->user = &far;
    pass->on = pass_on;
    w->post_result = RUSM_BUSY;
    probe_fill(a, pass, 3);
    world_run(w); /* it sleeps: nothing is ready */
    assert_int_equal(w->post_count, 1);
    assert_int_equal(pass->count, 1);
    process_info(pass->self, &info, w->now);
    assert_int_equal(info.mailbox, 3);
    assert_int_equal(info.received, 0);
    assert_string_equal(info.state, "holding");

    /* The target is still busy. The process tries the same message once more. */
    runtime_writable(w->rt, pass->pid);
    world_run(w);
    assert_int_equal(w->post_count, 2);
    /* The mailbox of a process that holds is bounded. */
    probe_fill(a, pass, WORLD_MESSAGES - 3);
    assert_int_equal(probe_send(a, pass, "x"), RUSM_BUSY);

    w->post_result = 0;
    runtime_writable(w->rt, pass->pid);
    world_run(w);
    assert_int_equal(w->post_count, 2 + WORLD_MESSAGES);
    assert_int_equal(probe_kinds(pass, RUSM_WRITABLE), 0);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 1);
    /* The process no longer waits for anyone, so it is not woken again. */
    runtime_writable(w->rt, pass->pid);
    assert_false(runtime_ready(w->rt));
    world_free(w);
    free(a);
    free(pass);
}

static int held;

static void hold_three_times(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    if (held < 3) {
        held++;
        rusm_hold(p->self);
    }
}

static void hold_always(struct probe *p)
{
    rusm_hold(p->self);
}

static void test_hold_without_busy(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w);
    struct probe *odd = calloc(1, sizeof(*odd));

    held = 0;
    a->on = hold_three_times;
    probe_fill(a, a, 1);
    world_run(w);
    assert_int_equal(a->count, 4);
    assert_string_equal(a->got[3].text, "fill");

    /* rusm_hold has no effect in init and stop. */
    assert_non_null(odd);
    odd->on_init = hold_always;
    odd->on_stop = hold_always;
    assert_int_equal(probe_try(w, odd, NULL), 0);
    probe_fill(a, odd, 1);
    world_run(w);
    assert_int_equal(odd->count, 1);
    assert_int_equal(runtime_kill(w->rt, odd->pid.serial, "x"), 0);
    assert_int_equal(odd->stops, 1);
    world_free(w);
    free(a);
    free(odd);
}

/* ---- rusm_hold_for ---- */

enum { MS = 1000000 };

/* Takes only the message "go". Holds others for as many milliseconds as they say. */
static void hold_for(struct probe *p, const struct rusm_message *m)
{
    if (m->kind == RUSM_SEND && p->user == NULL) {
        rusm_hold_for(p->self, (uint32_t)strtoul((const char *)m->data, NULL, 10));
    }
}

static void world_until(struct world *w, uint64_t now_ns)
{
    w->now = now_ns - 1; /* world_run adds 1 before it runs */
    world_run(w);
}

static void test_hold_for_a_time(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *slow = probe_new(w), *other = probe_new(w);

    slow->on = other->on = hold_for;
    assert_true(runtime_next_ns(w->rt) == UINT64_MAX);
    assert_int_equal(probe_send(a, slow, "5"), 0);
    assert_int_equal(probe_send(a, slow, "6"), 0);
    assert_int_equal(probe_send(a, other, "3"), 0);
    world_until(w, 1 * MS);
    assert_int_equal(runtime_next_ns(w->rt), 4 * MS);
    world_until(w, 4 * MS);
    assert_int_equal(other->count, 2); /* it sleeps on until 7 ms */
    assert_int_equal(runtime_next_ns(w->rt), 6 * MS);
    world_until(w, 6 * MS - 1);
    assert_int_equal(slow->count, 1);
    world_until(w, 6 * MS);
    assert_int_equal(slow->count, 2);
    assert_string_equal(slow->got[1].text, "5");

    /* The process takes both in order. Messages that came meanwhile are behind them. */
    slow->user = w;
    probe_fill(a, slow, 1);
    world_until(w, 11 * MS);
    assert_int_equal(slow->count, 5);
    assert_string_equal(slow->got[2].text, "5");
    assert_string_equal(slow->got[3].text, "6");
    assert_string_equal(slow->got[4].text, "fill");
    assert_int_equal(probe_kinds(slow, RUSM_WRITABLE), 0);

    /* A process that ends in its sleep is not woken. */
    assert_int_equal(runtime_kill(w->rt, other->pid.serial, "x"), 0);
    assert_true(runtime_next_ns(w->rt) == UINT64_MAX);
    world_free(w);
    free(a);
    free(slow);
    free(other);
}

/* Passes on to the process in `user`. Waits at most 5 ms if that is busy. */
static void pass_on_in_time(struct probe *p, const struct rusm_message *m)
{
    struct probe *to = p->user;

    assert_int_equal(m->kind, RUSM_SEND);
    if (rusm_send(p->self, to->pid, m->data, m->len, 0) == RUSM_BUSY) {
        rusm_hold_for(p->self, 5);
    }
}

static void test_hold_for_until_writable(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *pass = probe_new(w);
    struct probe far = { .pid = { .serial = 5, .node = world_node(w, "oslo"), .incarnation = 9 } };

    pass->user = &far;
    pass->on = pass_on_in_time;
    w->post_result = RUSM_BUSY;
    probe_fill(a, pass, 1);
    world_until(w, 1 * MS);
    assert_int_equal(pass->count, 1);
    world_until(w, 6 * MS); /* the time is up and the target is still busy */
    assert_int_equal(pass->count, 2);
    assert_int_equal(runtime_next_ns(w->rt), 11 * MS);
    w->post_result = 0;
    runtime_writable(w->rt, pass->pid);
    world_until(w, 7 * MS);
    assert_int_equal(pass->count, 3);
    assert_true(runtime_next_ns(w->rt) == UINT64_MAX);
    world_until(w, 20 * MS);
    assert_int_equal(pass->count, 3);
    world_free(w);
    free(a);
    free(pass);
}

static void hold_and_exit(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    rusm_hold(p->self);
    rusm_exit(p->self, "enough");
}

static void test_end_while_holding(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *pass = probe_new(w);
    struct probe far = { .pid = { .serial = 5, .node = world_node(w, "oslo"), .incarnation = 9 } };

    a->on = hold_and_exit;
    probe_fill(b, a, 2);
    world_run(w);
    assert_int_equal(a->stops, 1);
    assert_string_equal(a->reason, "enough");

    pass->user = &far;
    pass->on = pass_on;
    w->post_result = RUSM_BUSY;
    probe_fill(b, pass, 2);
    world_run(w);
    assert_int_equal(runtime_kill(w->rt, pass->pid.serial, "kill"), 0);
    assert_int_equal(pass->stops, 1);
    assert_string_equal(pass->reason, "killed");
    assert_int_equal(runtime_counters(w->rt)->mailbox_discarded, 1 + 2);
    runtime_writable(w->rt, pass->pid);
    world_run(w);
    world_free(w);
    free(a);
    free(b);
    free(pass);
}

/* Something other than messages that a process waits for. The process holds until it is woken. */
struct room {
    bool there, unasked;
    size_t taken;
};

static void hold_for_room(struct probe *p, const struct rusm_message *m)
{
    struct room *room = p->user;

    if (m->kind == RUSM_WRITABLE) {
        return;
    }
    if (room->there) {
        room->taken++;
    } else {
        process_hold(p->self, room->unasked);
    }
}

static void test_hold_until_woken(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    struct room room = { 0 };

    b->user = &room;
    b->on = hold_for_room;
    probe_fill(a, b, 3);
    world_run(w);
    assert_int_equal(b->count, 1); /* the first message, which it holds */
    process_wake(b->self);
    world_run(w);
    assert_int_equal(b->count, 2); /* the same message again */
    room.there = true;
    world_run(w);
    assert_int_equal(room.taken, 0);
    process_wake(b->self);
    world_run(w);
    assert_int_equal(room.taken, 3);
    assert_int_equal(probe_kinds(b, RUSM_WRITABLE), 0);
    process_wake(b->self); /* it holds nothing, so it gets RUSM_WRITABLE */
    world_run(w);
    assert_int_equal(probe_kinds(b, RUSM_WRITABLE), 1);
    assert_ptr_equal(process_context(b->self), w);
    world_free(w);
    free(a);
    free(b);
}

static void test_hold_until_unasked(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    struct room room = { .there = true, .unasked = true };
    uint64_t ref, other;

    b->user = &room;
    b->on = hold_for_room;
    assert_int_equal(rusm_request(a->self, b->pid, "x", 1, RUSM_FOREVER, &ref), 0);
    assert_int_equal(rusm_request(a->self, b->pid, "x", 1, RUSM_FOREVER, &other), 0);
    world_run(w);
    assert_int_equal(room.taken, 2);
    assert_true(process_asked(b->self, a->pid, ref));
    assert_false(process_asked(b->self, b->pid, ref));
    assert_false(process_asked(a->self, a->pid, ref));
    room.there = false;
    assert_int_equal(probe_send(a, b, "y"), 0);
    world_run(w);
    assert_int_equal(b->count, 3);
    assert_int_equal(rusm_request_end(a->self, ref), 0);
    assert_false(process_asked(b->self, a->pid, ref));
    room.unasked = false;
    world_run(w);
    assert_int_equal(b->count, 4); /* held again, but now the end of a request does not wake it */
    assert_int_equal(rusm_request_end(a->self, other), 0);
    world_run(w);
    assert_int_equal(b->count, 4);
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_target_wakes),   cmocka_unit_test(test_hold_loses_nothing),
        cmocka_unit_test(test_hold_until_writable), cmocka_unit_test(test_hold_without_busy),
        cmocka_unit_test(test_hold_for_a_time),     cmocka_unit_test(test_hold_for_until_writable),
        cmocka_unit_test(test_end_while_holding),   cmocka_unit_test(test_hold_until_woken),
        cmocka_unit_test(test_hold_until_unasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
