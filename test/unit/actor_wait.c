/* actor/wait: a sender that waits for room in a mailbox is woken once, in order, when there is
 * room. */
#include "doubles/actor.h"

/* ---- local senders ---- */

static void test_writable_once(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    probe_fill(a, b, WORLD_MESSAGES);
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

/* Sends to `to` as long as there is room. */
struct flood {
    struct probe *to;
    int left;
    int burst; /* the most it sends each time it is writable */
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
    /* No sender finishes long before the others: when the first one is done, more than half of all
     * messages have arrived. */
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

    probe_fill(a, b, WORLD_MESSAGES);
    assert_int_equal(probe_send(a, b, "first"), RUSM_BUSY);
    /* One message is handled. The free slot belongs to a. */
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

    /* a and b wait. Both are woken although a does not use its slot. In the last round a ends while
     * it has a slot. */
    for (int round = 0; round < 3; round++) {
        probe_fill(to, to, WORLD_MESSAGES);
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
    assert_int_equal(probe_send(to, to, "x"), 0); /* a's slot */
    assert_int_equal(probe_send(to, to, "x"), RUSM_BUSY);
    world_run(w);
    /* No slot stays reserved. */
    probe_fill(to, to, WORLD_MESSAGES);
    world_run(w);
    world_free(w);
    free(to);
    free(a);
    free(b);
}

/* ---- waiters from outside ---- */

struct lane {
    struct waiter waiter; /* first member */
    struct world *w;
    struct probe *to;
    int readies, records, order;
    bool later;  /* does not deliver in its ready callback */
    bool closed; /* its owner goes away in the ready callback */
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

    probe_fill(to, to, WORLD_MESSAGES);
    assert_false(process_has_room(p, 0));
    for (int i = 0; i < LANES; i++) {
        lane_init(&lane[i], w, to, 1);
        process_wait(p, &lane[i].waiter);
        process_wait(p, &lane[i].waiter); /* waiting again keeps its place */
    }
    process_wait(p, &lane[0].waiter);
    lane_order = 0;
    /* There are three slots, so the first three are woken. */
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
    enum { LANES = 2 + WORLD_MESSAGES + 2 };
    struct world *w = world_new();
    struct probe *to = probe_new(w);
    struct lane lane[LANES];

    probe_fill(to, to, WORLD_MESSAGES);
    for (int i = 0; i < LANES; i++) {
        lane_init(&lane[i], w, to, 1);
        lane[i].later = true;
        process_wait(to->self, &lane[i].waiter);
    }
    /* They deliver later. No more are woken than there are slots. */
    runtime_run(w->rt, 2, ++w->now);
    assert_int_equal(lane[0].readies + lane[1].readies, 2);
    assert_int_equal(lane[2].readies, 0);
    lane_deliver(&lane[0]);
    lane_deliver(&lane[1]);
    assert_false(process_has_room(to->self, 1));
    /* Woken waiters that never deliver do not keep the others asleep. */
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

    probe_fill(to, to, 2);
    lane_init(&large, w, to, 1);
    large.len = WORLD_BYTES + 1;
    lane_deliver(&large); /* it must wait for an empty mailbox */
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

/* True inside a handler. The ready callback must never be called there. */
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

    probe_fill(to, to, WORLD_MESSAGES);
    for (int i = 0; i < 20; i++) {
        lane_init(&lane[i], w, to, 1);
        lane[i].waiter.ready = outside_ready;
        process_wait(to->self, &lane[i].waiter);
    }
    lane_init(&gone, w, to, 1);
    process_wait(to->self, &gone.waiter);
    list_remove(&gone.waiter.link); /* its owner went away first */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writable_once),          cmocka_unit_test(test_floods_share_in_order),
        cmocka_unit_test(test_newcomers_queue_behind), cmocka_unit_test(test_unused_slot_goes_on),
        cmocka_unit_test(test_lanes_in_turn),          cmocka_unit_test(test_as_many_as_slots),
        cmocka_unit_test(test_large_is_not_starved),   cmocka_unit_test(test_all_when_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
