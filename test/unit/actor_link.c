/* actor/link: links, exit signals and trap_exit between processes of one node, as in Erlang's
 * reference manual. The table of rules in rusm(7) names these tests. Links between nodes:
 * actor_link_far.c. */
#include "doubles/actor.h"

static void worlds_end(struct world *w, struct probe **p, size_t count)
{
    world_free(w);
    for (size_t i = 0; i < count; i++) {
        free(p[i]);
    }
}

/* A link is bidirectional. Whichever end exits, the other gets its reason. */
static void test_both_ways(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct world *w = world_new();
        struct probe *p[] = { probe_new(w), probe_new(w) };

        assert_int_equal(rusm_link(p[0]->self, p[1]->pid), 0);
        assert_int_equal(probe_links(p[0]), 1);
        assert_int_equal(probe_links(p[1]), 1);
        assert_int_equal(runtime_kill(w->rt, p[which]->pid.serial, "died"), 0);
        world_run(w);
        assert_string_equal(p[!which]->reason, "died");
        assert_int_equal(p[!which]->stops, 1);
        worlds_end(w, p, 2);
    }
}

/* There is at most one link between two processes, whichever end makes it. A process cannot link to
 * itself. */
static void test_one_at_most(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w) };

    for (int i = 0; i < 3; i++) {
        assert_int_equal(rusm_link(p[0]->self, p[1]->pid), 0);
        assert_int_equal(rusm_link(p[1]->self, p[0]->pid), 0);
        assert_int_equal(rusm_link(p[1]->self, p[1]->pid), 0);
    }
    assert_int_equal(probe_links(p[0]), 1);
    assert_int_equal(probe_links(p[1]), 1);
    rusm_trap_exit(p[0]->self, true);
    assert_int_equal(runtime_kill(w->rt, p[1]->pid.serial, "died"), 0);
    world_run(w);
    assert_int_equal(p[0]->count, 1);
    assert_int_equal(p[0]->got[0].kind, RUSM_EXIT);
    assert_string_equal(p[0]->got[0].text, "died");
    assert_true(rusm_pid_eq(p[0]->got[0].from, p[1]->pid));
    assert_int_equal(probe_links(p[0]), 0);
    worlds_end(w, p, 2);
}

/* unlink removes the link of both ends, from either end. Without a link it returns RUSM_ENOPROC. */
static void test_unlink(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w) };

    assert_int_equal(rusm_link(p[0]->self, p[1]->pid), 0);
    assert_int_equal(rusm_unlink(p[1]->self, p[0]->pid), 0);
    assert_int_equal(rusm_unlink(p[1]->self, p[0]->pid), RUSM_ENOPROC);
    assert_int_equal(rusm_unlink(p[0]->self, p[1]->pid), RUSM_ENOPROC);
    assert_int_equal(probe_links(p[0]) + probe_links(p[1]), 0);
    assert_int_equal(runtime_kill(w->rt, p[1]->pid.serial, "died"), 0);
    world_run(w);
    assert_int_equal(p[0]->stops + p[0]->count, 0);
    worlds_end(w, p, 2);
}

/* A link to a process that does not exist gives an exit signal "noproc", trapped or not. */
static void test_noproc(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w), probe_new(w) };
    rusm_pid gone = p[2]->pid, old = p[2]->pid;

    old.incarnation ^= 1;
    assert_int_equal(runtime_kill(w->rt, gone.serial, "x"), 0);
    rusm_trap_exit(p[0]->self, true);
    assert_int_equal(rusm_link(p[0]->self, gone), 0);
    assert_int_equal(rusm_link(p[0]->self, old), 0);
    assert_int_equal(rusm_link(p[1]->self, gone), 0);
    world_run(w);
    assert_int_equal(p[0]->count, 2);
    assert_string_equal(p[0]->got[0].text, "noproc");
    assert_true(rusm_pid_eq(p[0]->got[0].from, gone));
    assert_true(rusm_pid_eq(p[0]->got[1].from, old));
    assert_string_equal(p[1]->reason, "noproc");
    worlds_end(w, p, 3);
}

/* The exit signal "normal" does nothing to a process that does not trap. Any other reason ends the
 * process. */
static void test_normal_link(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w), probe_new(w) };

    rusm_trap_exit(p[1]->self, true);
    assert_int_equal(rusm_link(p[0]->self, p[2]->pid), 0);
    assert_int_equal(rusm_link(p[1]->self, p[2]->pid), 0);
    rusm_exit(p[2]->self, "normal");
    world_run(w);
    assert_int_equal(p[2]->stops, 1);
    assert_int_equal(p[0]->stops, 0);
    assert_int_equal(probe_links(p[0]), 0);
    assert_string_equal(p[1]->got[0].text, "normal"); /* trapped: a message */
    worlds_end(w, p, 3);
}

/* An exit goes from link to link with the same reason, and stops at a process that traps. */
static void test_chain(void **state)
{
    (void)state;
    enum { LONG = 50 };
    struct world *w = world_new();
    struct probe *p[LONG];

    for (int i = 0; i < LONG; i++) {
        p[i] = probe_new(w);
        if (i > 0) {
            assert_int_equal(rusm_link(p[i]->self, p[i - 1]->pid), 0);
        }
    }
    rusm_trap_exit(p[LONG / 2]->self, true);
    assert_int_equal(rusm_kill(p[5]->self, p[0]->pid, "wave"), 0);
    world_run(w);
    for (int i = 0; i < LONG; i++) {
        assert_int_equal(p[i]->stops, i < LONG / 2);
        if (i < LONG / 2) {
            assert_string_equal(p[i]->reason, "wave");
        }
    }
    assert_int_equal(p[LONG / 2]->count, 1);
    assert_true(rusm_pid_eq(p[LONG / 2]->got[0].from, p[LONG / 2 - 1]->pid));
    worlds_end(w, p, LONG);
}

/* rusm_kill: every row of the manual's list, trapping or not. */
static void test_exit_signals(void **state)
{
    (void)state;
    static const struct {
        const char *reason, *ends, *message; /* ends: the reason it ends with; NULL: it lives on */
        bool trap, self;
    } rows[] = {
        { "normal", NULL, NULL, false, false },
        { "normal", "normal", NULL, false, true },
        { "normal", NULL, "normal", true, false },
        { "normal", NULL, "normal", true, true },
        { "kill", "killed", NULL, false, false },
        { "kill", "killed", NULL, true, false },
        { "kill", "killed", NULL, true, true },
        { "killed", "killed", NULL, false, false },
        { "killed", NULL, "killed", true, false },
        { "any text", "any text", NULL, false, false },
        { "any text", NULL, "any text", true, false },
        { "", "", NULL, false, false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_new();
        struct probe *p[] = { probe_new(w), probe_new(w) };
        struct probe *from = rows[i].self ? p[1] : p[0];

        assert_false(rusm_trap_exit(p[1]->self, rows[i].trap));
        assert_int_equal(rusm_kill(from->self, p[1]->pid, rows[i].reason), 0);
        world_run(w);
        assert_int_equal(p[1]->stops, rows[i].ends != NULL);
        if (rows[i].ends) {
            assert_string_equal(p[1]->reason, rows[i].ends);
        }
        assert_int_equal(p[1]->count, rows[i].message != NULL);
        if (rows[i].message) {
            assert_int_equal(p[1]->got[0].kind, RUSM_EXIT);
            assert_string_equal(p[1]->got[0].text, rows[i].message);
            assert_true(rusm_pid_eq(p[1]->got[0].from, from->pid));
        }
        worlds_end(w, p, 2);
    }
}

/* The links of a killed process get the reason "killed". If a process exits by itself with the
 * reason "kill", that is a reason like any other, and can be trapped. */
static void test_kill_reads_killed(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w), probe_new(w), probe_new(w) };
    uint64_t ref;

    rusm_trap_exit(p[0]->self, true);
    assert_int_equal(rusm_link(p[0]->self, p[1]->pid), 0);
    assert_int_equal(rusm_link(p[0]->self, p[2]->pid), 0);
    assert_int_equal(rusm_link(p[3]->self, p[2]->pid), 0);
    assert_int_equal(rusm_monitor(p[0]->self, p[3]->pid, &ref), 0);
    assert_int_equal(rusm_kill(p[0]->self, p[1]->pid, "kill"), 0);
    world_run(w);
    assert_string_equal(p[0]->got[0].text, "killed");
    rusm_exit(p[2]->self, "kill");
    world_run(w);
    assert_string_equal(p[0]->got[1].text, "kill");
    assert_int_equal(p[0]->got[1].kind, RUSM_EXIT);
    assert_string_equal(p[3]->reason, "kill");
    assert_string_equal(probe_down(p[0], ref)->text, "kill");
    assert_int_equal(p[0]->stops, 0);
    worlds_end(w, p, 4);
}

static void untrap(struct probe *p, const struct rusm_message *m)
{
    (void)m;
    assert_true(rusm_trap_exit(p->self, false));
    p->on = NULL;
}

/* trap_exit counts when the signal comes. A signal that has already become a message stays a
 * message. */
static void test_trap_when_it_comes(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w) };

    rusm_trap_exit(p[1]->self, true);
    assert_int_equal(probe_send(p[0], p[1], "first"), 0);
    assert_int_equal(rusm_kill(p[0]->self, p[1]->pid, "soon"), 0);
    p[1]->on = untrap;
    world_run(w);
    assert_int_equal(p[1]->count, 2);
    assert_string_equal(p[1]->got[0].text, "first");
    assert_string_equal(p[1]->got[1].text, "soon");
    assert_int_equal(rusm_kill(p[0]->self, p[1]->pid, "now"), 0);
    world_run(w);
    assert_string_equal(p[1]->reason, "now");
    worlds_end(w, p, 2);
}

/* What a process sent before its end arrives before its exit signal and its DOWN. */
static void test_order(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w) };
    uint64_t ref;

    rusm_trap_exit(p[0]->self, true);
    assert_int_equal(rusm_link(p[0]->self, p[1]->pid), 0);
    assert_int_equal(rusm_monitor(p[0]->self, p[1]->pid, &ref), 0);
    assert_int_equal(probe_send(p[1], p[0], "one"), 0);
    assert_int_equal(probe_send(p[1], p[0], "two"), 0);
    rusm_exit(p[1]->self, "done");
    world_run(w);
    assert_int_equal(p[0]->count, 4);
    assert_string_equal(p[0]->got[0].text, "one");
    assert_string_equal(p[0]->got[1].text, "two");
    assert_int_equal(probe_kinds(p[0], RUSM_EXIT), 1);
    assert_string_equal(probe_down(p[0], ref)->text, "done");
    worlds_end(w, p, 2);
}

/* Links and monitors also get their notices when the mailbox is full. An exit signal of rusm_kill
 * is a mere message and waits for room like one. */
static void test_full_mailbox(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w) };

    rusm_trap_exit(p[0]->self, true);
    assert_int_equal(rusm_link(p[0]->self, p[1]->pid), 0);
    probe_fill(p[1], p[0], WORLD_MESSAGES);
    assert_int_equal(rusm_kill(p[1]->self, p[0]->pid, "x"), RUSM_BUSY);
    assert_int_equal(rusm_kill(p[0]->self, p[0]->pid, "y"), 0);
    rusm_exit(p[1]->self, "died");
    world_run(w);
    assert_int_equal(p[0]->count, WORLD_MESSAGES + 2);
    assert_string_equal(p[0]->got[WORLD_MESSAGES].text, "y");
    assert_string_equal(p[0]->got[WORLD_MESSAGES + 1].text, "died");
    worlds_end(w, p, 2);
}

/* After demonitor with flush there is no DOWN of that monitor, even if it was already in the
 * mailbox. Other DOWNs stay. */
static void test_flush(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w) };
    uint64_t ref[4];

    for (int i = 0; i < 4; i++) {
        assert_int_equal(rusm_monitor(p[0]->self, p[1]->pid, &ref[i]), 0);
    }
    assert_int_equal(rusm_demonitor_flush(p[0]->self, ref[0]), 0);
    assert_int_equal(probe_send(p[1], p[0], "kept"), 0);
    assert_int_equal(runtime_kill(w->rt, p[1]->pid.serial, "died"), 0);
    assert_int_equal(rusm_demonitor_flush(p[0]->self, ref[0]), RUSM_ENOPROC);
    assert_int_equal(rusm_demonitor_flush(p[0]->self, ref[3]), RUSM_ENOPROC); /* the newest DOWN */
    assert_int_equal(rusm_demonitor_flush(p[0]->self, ref[1]), RUSM_ENOPROC);
    world_run(w);
    assert_int_equal(p[0]->count, 2);
    assert_string_equal(p[0]->got[0].text, "kept");
    assert_string_equal(probe_down(p[0], ref[2])->text, "died");
    worlds_end(w, p, 2);
}

/* A monitor of a name watches the process that has the name now, whatever becomes of the name. */
static void test_names(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w), probe_new(w) };
    uint64_t ref, none, global, nobody;

    assert_int_equal(rusm_register(p[1]->self, p[1]->pid, "post"), 0);
    assert_int_equal(rusm_monitor_name(p[0]->self, 0, "post", &ref), 0);
    assert_int_equal(rusm_monitor_name(p[0]->self, 0, "nobody", &none), 0);
    assert_int_equal(rusm_monitor_name(p[0]->self, 0, "a b", &none), RUSM_EINVAL);
    assert_int_equal(rusm_monitor_name(p[0]->self, RUSM_GLOBAL, "bos", &nobody), 0);
    w->holder = p[1]->pid;
    assert_int_equal(rusm_monitor_name(p[0]->self, RUSM_GLOBAL, "boss", &global), 0);
    assert_int_equal(rusm_unregister(p[1]->self, "post"), 0);
    assert_int_equal(rusm_register(p[2]->self, p[2]->pid, "post"), 0);
    assert_int_equal(runtime_kill(w->rt, p[1]->pid.serial, "died"), 0);
    world_run(w);
    assert_string_equal(probe_down(p[0], ref)->text, "died");
    assert_string_equal(probe_down(p[0], global)->text, "died");
    assert_string_equal(probe_down(p[0], none)->text, "noproc");
    assert_string_equal(probe_down(p[0], nobody)->text, "noproc");
    assert_int_equal(p[0]->count, 4);
    worlds_end(w, p, 3);
}

static void link_in_stop(struct probe *p)
{
    struct probe *other = p->user;

    assert_int_equal(rusm_link(p->self, other->pid), 0);
}

/* A link that a process makes while it ends takes effect at once. */
static void test_made_in_stop(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), probe_new(w) };

    p[0]->user = p[1];
    p[0]->on_stop = link_in_stop;
    assert_int_equal(runtime_kill(w->rt, p[0]->pid.serial, "died"), 0);
    world_run(w);
    assert_string_equal(p[1]->reason, "died");
    worlds_end(w, p, 2);
}

/* The processes are linked from the start. */
static void test_spawn_link(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *p[] = { probe_new(w), calloc(1, sizeof(struct probe)) };
    rusm_pid pid;

    probe_next = p[1];
    assert_int_equal(rusm_spawn_link(p[0]->self, &probe_behaviour, NULL, &pid), 0);
    assert_true(rusm_pid_eq(pid, p[1]->pid));
    assert_int_equal(probe_links(p[1]), 1);
    assert_int_equal(runtime_kill(w->rt, p[0]->pid.serial, "died"), 0);
    world_run(w);
    assert_string_equal(p[1]->reason, "died");
    p[1]->init_result = RUSM_EIO;
    struct probe *q = probe_new(w);
    probe_next = p[1];
    assert_int_equal(rusm_spawn_link(q->self, &probe_behaviour, NULL, &pid), RUSM_EINIT);
    assert_int_equal(probe_links(q), 0);
    worlds_end(w, p, 2);
    free(q);
}

/* 60 processes make, undo and end links at random. Every process that traps gets exactly one exit
 * signal for each link. */
static void test_exactly_once(void **state)
{
    (void)state;
    enum { MANY = 60 };
    struct world *w = world_new();
    struct probe *p[MANY];
    bool linked[MANY][MANY] = { { false } };
    unsigned seed = 4711, told = 0, due = 0;

    for (int i = 0; i < MANY; i++) {
        p[i] = probe_new(w);
        rusm_trap_exit(p[i]->self, true);
    }
    for (int i = 0; i < 4000; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned a = (seed >> 16) % MANY, b = (seed >> 8) % MANY;
        bool cut = (seed >> 28) % 3 == 0;
        int err = cut ? rusm_unlink(p[a]->self, p[b]->pid) : rusm_link(p[a]->self, p[b]->pid);
        assert_int_equal(err, cut && !linked[a][b] ? RUSM_ENOPROC : 0);
        linked[a][b] = linked[b][a] = a != b && !cut;
    }
    for (int i = 0; i < MANY; i++) {
        rusm_exit(p[i]->self, "x");
        world_run(w);
        for (int k = i + 1; k < MANY; k++) {
            due += linked[i][k];
        }
    }
    for (int i = 0; i < MANY; i++) {
        for (size_t k = 0; k < p[i]->count; k++) {
            bool twice = false;
            for (size_t m = 0; m < k; m++) {
                twice |= rusm_pid_eq(p[i]->got[m].from, p[i]->got[k].from);
            }
            assert_false(twice);
            told++;
        }
    }
    assert_true(due > 200);
    assert_int_equal(told, due);
    worlds_end(w, p, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),    cmocka_unit_test(test_one_at_most),
        cmocka_unit_test(test_unlink),       cmocka_unit_test(test_noproc),
        cmocka_unit_test(test_normal_link),  cmocka_unit_test(test_chain),
        cmocka_unit_test(test_exit_signals), cmocka_unit_test(test_kill_reads_killed),
        cmocka_unit_test(test_order),        cmocka_unit_test(test_trap_when_it_comes),
        cmocka_unit_test(test_full_mailbox), cmocka_unit_test(test_flush),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_made_in_stop),
        cmocka_unit_test(test_spawn_link),   cmocka_unit_test(test_exactly_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
