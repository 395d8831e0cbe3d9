/* actor/wait: who waits for room in a mailbox is woken once, in order, when there is some; and
 * rusm_hold, which is built on it. */
#include "help/actor.h"

/* Fills p's mailbox with n messages of probe a. */
static void fill(struct probe *a, struct probe *p, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(probe_send(a, p, "fill"), 0);
    }
}

/* ---- local senders ---- */

static void test_writable_once(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    fill(a, b, WORLD_MESSAGES);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(probe_send(a, b, "more"), RUSM_BUSY);
    }
    assert_int_equal(a->count, 0);
    world_run(w);
    assert_int_equal(b->count, WORLD_MESSAGES);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->got[0].kind, RUSM_WRITABLE);
    assert_int_equal(a->got[0].from.serial, 0);
    world_run(w);
    assert_int_equal(a->count, 1);
    world_free(w);
    free(a);
    free(b);
}

/* Sends to its user's `to` as long as there is room. */
struct flood {
    struct probe *to;
    int left;
    int burst; /* the most it sends when it is writable */
};

static void flood_on(struct probe *p, const struct rusm_message *m)
{
    struct flood *f = p->user;

    (void)m;
    for (int i = 0; f->left > 0 && i < f->burst; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", f->left);
        if (probe_send(p, f->to, text) != 0) {
            return;
        }
        f->left--;
    }
    if (f->left > 0) {
        assert_int_equal(probe_send(p, p, "again"), 0);
    }
}

static void test_floods_share_in_order(void **state)
{
    (void)state;
    enum { SENDERS = 20, EACH = 100 };
    struct world *w = world_new();
    struct probe *to = probe_new(w), *from[SENDERS];
    struct flood flood[SENDERS];
    int next[SENDERS], first_done = 0;

    for (int i = 0; i < SENDERS; i++) {
        from[i] = probe_new(w);
        flood[i] = (struct flood){ .to = to, .left = EACH, .burst = EACH };
        from[i]->user = &flood[i];
        from[i]->on = flood_on;
        next[i] = EACH;
        assert_int_equal(probe_send(to, from[i], "go"), 0);
    }
    world_run(w);
    assert_int_equal(to->count, SENDERS * EACH);
    for (size_t k = 0; k < to->count; k++) {
        int i = (int)(to->got[k].from.serial - from[0]->pid.serial);
        assert_int_equal(atoi(to->got[k].text), next[i]);
        next[i]--;
        if (next[i] == 0 && !first_done) {
            first_done = (int)k;
        }
    }
    /* Nobody is done long before the others: all had had more than half of their turns. */
    assert_true(first_done > SENDERS * EACH / 2);
    world_free(w);
    free(to);
    for (int i = 0; i < SENDERS; i++) {
        free(from[i]);
    }
}

static void test_newcomers_queue_behind(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);

    fill(a, b, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, b, "first"), RUSM_BUSY);
    /* One message is handled: a slot is free, and it is a's. */
    runtime_run(w->rt, 1, ++w->now);
    assert_int_equal(b->count, 1);
    assert_int_equal(a->count, 0);
    assert_int_equal(probe_send(c, b, "second"), RUSM_BUSY);
    assert_int_equal(probe_send(a, b, "first"), 0);
    assert_int_equal(probe_send(a, b, "third"), RUSM_BUSY);
    world_run(w);
    assert_string_equal(b->got[WORLD_MESSAGES].text, "first");
    assert_int_equal(probe_kinds(c, RUSM_WRITABLE), 1);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

static void test_unused_slot_goes_on(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *to = probe_new(w), *a = probe_new(w), *b = probe_new(w);

    /* a and b wait; both are told although a does nothing with its slot; a dies with one. */
    for (int round = 0; round < 3; round++) {
        fill(to, to, WORLD_MESSAGES);
        assert_int_equal(probe_send(a, to, "x"), RUSM_BUSY);
        assert_int_equal(probe_send(b, to, "x"), RUSM_BUSY);
        if (round < 2) {
            world_run(w);
            assert_int_equal(probe_kinds(a, RUSM_WRITABLE), (size_t)round + 1);
            assert_int_equal(probe_kinds(b, RUSM_WRITABLE), (size_t)round + 1);
        }
    }
    runtime_run(w->rt, 2, ++w->now); /* two slots, reserved for a and b */
    assert_int_equal(runtime_kill(w->rt, a->pid.serial, "gone"), 0);
    assert_int_equal(probe_send(b, to, "x"), 0);
    assert_int_equal(probe_send(to, to, "x"), 0); /* a's */
    assert_int_equal(probe_send(to, to, "x"), RUSM_BUSY);
    world_run(w);
    /* Nothing stays reserved. */
    fill(to, to, WORLD_MESSAGES);
    world_run(w);
    world_free(w);
    free(to);
    free(a);
    free(b);
}

/* ---- waiters from outside ---- */

struct lane {
    struct waiter waiter; /* first */
    struct world *w;
    struct probe *to;
    int readies, records, order;
    bool later;  /* does not deliver in ready */
    bool closed; /* owner goes away in ready */
    size_t len;
};

static int lane_order;

static void lane_deliver(struct lane *l)
{
    struct rusm_process *p = runtime_find(l->w->rt, l->to->pid.serial);

    while (p && l->records > 0) {
        if (!process_has_room(p, l->len)) {
            process_wait_for(p, &l->waiter, l->len);
            return;
        }
        struct message *m = message_new(runtime_pool(l->w->rt), l->len);
        assert_non_null(m);
        memset(message_room(m), 'l', l->len);
        process_deliver(p, m);
        l->records--;
    }
}

static void lane_ready(struct waiter *waiter)
{
    struct lane *l = (struct lane *)(void *)waiter;

    assert_false(list_linked(&waiter->link));
    l->readies++;
    l->order = ++lane_order;
    if (!l->later) {
        lane_deliver(l);
    }
}

static void lane_init(struct lane *l, struct world *w, struct probe *to, int records)
{
    *l = (struct lane){ .w = w, .to = to, .records = records, .len = 1 };
    list_init(&l->waiter.link);
    l->waiter.ready = lane_ready;
}

static void test_lanes_in_turn(void **state)
{
    (void)state;
    enum { LANES = 12 };
    struct world *w = world_new();
    struct probe *to = probe_new(w);
    struct rusm_process *p = to->self;
    struct lane lane[LANES];

    fill(to, to, WORLD_MESSAGES);
    assert_false(process_has_room(p, 0));
    for (int i = 0; i < LANES; i++) {
        lane_init(&lane[i], w, to, 1);
        process_wait(p, &lane[i].waiter);
        process_wait(p, &lane[i].waiter); /* again: keeps its place */
    }
    process_wait(p, &lane[0].waiter);
    lane_order = 0;
    /* Three slots: three are woken, the first three. */
    runtime_run(w->rt, 3, ++w->now);
    for (int i = 0; i < LANES; i++) {
        assert_int_equal(lane[i].readies, i < 3);
    }
    world_run(w);
    for (int i = 0; i < LANES; i++) {
        assert_int_equal(lane[i].readies, 1);
        assert_int_equal(lane[i].order, i + 1);
        assert_int_equal(lane[i].records, 0);
    }
    assert_int_equal(to->count, WORLD_MESSAGES + LANES);
    world_free(w);
    free(to);
}

static void test_as_many_as_slots(void **state)
{
    (void)state;
    enum { LANES = 6 };
    struct world *w = world_new();
    struct probe *to = probe_new(w);
    struct lane lane[LANES];

    fill(to, to, WORLD_MESSAGES);
    for (int i = 0; i < LANES; i++) {
        lane_init(&lane[i], w, to, 1);
        lane[i].later = true;
        process_wait(to->self, &lane[i].waiter);
    }
    /* They deliver later: still no more are woken than there are slots. */
    runtime_run(w->rt, 2, ++w->now);
    assert_int_equal(lane[0].readies + lane[1].readies, 2);
    assert_int_equal(lane[2].readies, 0);
    lane_deliver(&lane[0]);
    lane_deliver(&lane[1]);
    assert_false(process_has_room(to->self, 1));
    /* Woken ones that never deliver don't keep the others asleep. */
    world_run(w);
    for (int i = 0; i < LANES; i++) {
        assert_int_equal(lane[i].readies, 1);
    }
    world_free(w);
    free(to);
}

static void test_large_is_not_starved(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *to = probe_new(w);
    struct lane large, small;

    fill(to, to, 2);
    lane_init(&large, w, to, 1);
    large.len = WORLD_BYTES + 1;
    lane_deliver(&large); /* must wait for an empty mailbox */
    assert_int_equal(large.records, 1);
    lane_init(&small, w, to, 100);
    assert_false(process_has_room(to->self, 1)); /* though a slot is free */
    lane_deliver(&small);
    assert_int_equal(small.records, 100);
    runtime_run(w->rt, 1, ++w->now);
    assert_int_equal(large.readies, 0); /* not before it fits */
    runtime_run(w->rt, 1, ++w->now);
    assert_int_equal(large.records, 0);
    assert_int_equal(large.readies, 1);
    world_run(w);
    assert_int_equal(small.records, 0);
    assert_int_equal(to->count, 2 + 1 + 100);
    assert_int_equal(to->got[2].len, WORLD_BYTES + 1);
    world_free(w);
    free(to);
}

/* Asserts that it does not run inside of a behaviour: ready is outside of any. */
static bool inside;

static void inside_on(struct probe *p, const struct rusm_message *m)
{
    struct probe *victim = p->user;

    (void)m;
    inside = true;
    assert_int_equal(rusm_kill(p->self, victim->pid, "by another"), 0);
    inside = false;
}

static void outside_ready(struct waiter *waiter)
{
    assert_false(inside);
    lane_ready(waiter);
}

static void test_all_when_it_ends(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *to = probe_new(w), *killer = probe_new(w), *sender = probe_new(w);
    struct lane lane[20], gone;

    fill(to, to, WORLD_MESSAGES);
    for (int i = 0; i < 20; i++) {
        lane_init(&lane[i], w, to, 1);
        lane[i].waiter.ready = outside_ready;
        process_wait(to->self, &lane[i].waiter);
    }
    lane_init(&gone, w, to, 1);
    process_wait(to->self, &gone.waiter);
    list_remove(&gone.waiter.link); /* its owner went first */
    assert_int_equal(probe_send(sender, to, "x"), RUSM_BUSY);
    killer->user = to;
    killer->on = inside_on;
    to->on = NULL;
    assert_int_equal(probe_send(sender, killer, "go"), 0);
    world_run(w);
    assert_int_equal(to->stops, 1);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(lane[i].readies, 1);
    }
    assert_int_equal(gone.readies, 0);
    assert_int_equal(probe_kinds(sender, RUSM_WRITABLE), 1);
    world_free(w);
    free(to);
    free(killer);
    free(sender);
}

/* ---- hold ---- */

/* Passes on to user; holds when it can't. */
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

/* b's room must be told to a, although a waits for c as well, who takes nothing. */
static void test_each_target_wakes(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);
    struct probe far = { .pid = { .serial = 5, .node = world_node(w, "oslo"), .incarnation = 9 } };

    c->user = &far;
    c->on = pass_on;
    w->post_result = RUSM_BUSY;
    fill(a, c, WORLD_MESSAGES);
    world_run(w);
    assert_int_equal(probe_send(a, c, "x"), RUSM_BUSY);
    fill(a, b, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, b, "x"), RUSM_BUSY);
    world_run(w);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 1);
    w->post_result = 0;
    runtime_writable(w->rt, c->pid);
    world_run(w);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 2);

    /* The end of one is told too: it may be tried, with RUSM_ENOPROC. */
    fill(a, b, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, b, "x"), RUSM_BUSY);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "gone"), 0);
    world_run(w);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 3);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

static void test_hold_loses_nothing(void **state)
{
    (void)state;
    enum { MANY = 500 };
    struct world *w = world_new();
    struct probe *a = probe_new(w), *pass = probe_new(w), *slow = probe_new(w);
    struct flood flood = { .to = pass, .left = MANY, .burst = 7 };

    pass->user = slow;
    pass->on = pass_on;
    a->user = &flood;
    a->on = flood_on;
    fill(a, slow, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, a, "go"), 0);
    world_run(w);
    assert_int_equal(flood.left, 0);
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
    fill(a, pass, 3);
    world_run(w); /* it sleeps: nothing is ready */
    assert_int_equal(w->post_count, 1);
    assert_int_equal(pass->count, 1);
    process_info(pass->self, &info, w->now);
    assert_int_equal(info.mailbox, 3);
    assert_int_equal(info.received, 0);
    assert_string_equal(info.state, "waiting");

    /* Still busy: the same message is tried once more. */
    runtime_writable(w->rt, pass->pid);
    world_run(w);
    assert_int_equal(w->post_count, 2);
    /* The mailbox it holds back is bounded. */
    fill(a, pass, WORLD_MESSAGES - 3);
    assert_int_equal(probe_send(a, pass, "x"), RUSM_BUSY);

    w->post_result = 0;
    runtime_writable(w->rt, pass->pid);
    world_run(w);
    assert_int_equal(w->post_count, 2 + WORLD_MESSAGES);
    assert_int_equal(probe_kinds(pass, RUSM_WRITABLE), 0);
    assert_int_equal(probe_kinds(a, RUSM_WRITABLE), 1);
    /* Nobody is busy any more: not told again. */
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
    fill(a, a, 1);
    world_run(w);
    assert_int_equal(a->count, 4);
    assert_string_equal(a->got[3].text, "fill");

    /* Means nothing in init and stop. */
    assert_non_null(odd);
    odd->on_init = hold_always;
    odd->on_stop = hold_always;
    assert_int_equal(probe_try(w, odd, NULL), 0);
    fill(a, odd, 1);
    world_run(w);
    assert_int_equal(odd->count, 1);
    assert_int_equal(runtime_kill(w->rt, odd->pid.serial, "x"), 0);
    assert_int_equal(odd->stops, 1);
    world_free(w);
    free(a);
    free(odd);
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
    fill(b, a, 2);
    world_run(w);
    assert_int_equal(a->stops, 1);
    assert_string_equal(a->reason, "enough");

    pass->user = &far;
    pass->on = pass_on;
    w->post_result = RUSM_BUSY;
    fill(b, pass, 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writable_once),          cmocka_unit_test(test_floods_share_in_order),
        cmocka_unit_test(test_newcomers_queue_behind), cmocka_unit_test(test_unused_slot_goes_on),
        cmocka_unit_test(test_lanes_in_turn),          cmocka_unit_test(test_as_many_as_slots),
        cmocka_unit_test(test_large_is_not_starved),   cmocka_unit_test(test_all_when_it_ends),
        cmocka_unit_test(test_each_target_wakes),      cmocka_unit_test(test_hold_loses_nothing),
        cmocka_unit_test(test_hold_until_writable),    cmocka_unit_test(test_hold_without_busy),
        cmocka_unit_test(test_end_while_holding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
