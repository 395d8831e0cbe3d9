/* sched/sched_queue, bridge: many threads put in, one takes out, in order. The one is woken
 * whenever it sleeps. Names of processes of another scheduler. Traffic between schedulers with a
 * seed: test/sim/bridge.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include "sched/sched_queue.h"
#include "sched/sched.h"
#include "actor/limits.h"
#include "base/log.h"

/* ---- sched_queue ---- */

enum { PRODUCERS = 4, EACH = 50000 };

struct producer {
    struct sched_queue *sched_queue;
    sem_t *woken;
    struct message *messages;
    unsigned index;
    pthread_t thread;
};

/* Puts messages in one by one, and in chains of up to four. */
static void *produce(void *argument)
{
    struct producer *p = argument;

    for (unsigned i = 0; i < EACH;) {
        unsigned count = 1 + i % 4 < EACH - i ? 1 + i % 4 : EACH - i;
        struct message *newest = NULL, *oldest = &p->messages[i];
        for (unsigned k = 0; k < count; k++, i++) {
            struct message *m = &p->messages[i];
            m->home = (uint8_t)p->index;
            m->pub.ref = i;
            m->next = newest;
            newest = m;
        }
        if (sched_queue_push(p->sched_queue, newest, oldest)) {
            sem_post(p->woken);
        }
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    struct sched_queue *sched_queue = aligned_alloc(64, sizeof(*sched_queue));
    struct producer producer[PRODUCERS];
    uint64_t next[PRODUCERS] = { 0 };
    unsigned left = PRODUCERS * EACH;
    struct timespec until;
    sem_t woken;

    (void)state;
    assert_non_null(sched_queue);
    sched_queue_init(sched_queue);
    sem_init(&woken, 0, 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producer[i] = (struct producer){ .sched_queue = sched_queue, .woken = &woken, .index = i };
        producer[i].messages = calloc(EACH, sizeof(struct message));
        assert_non_null(producer[i].messages);
        assert_int_equal(pthread_create(&producer[i].thread, NULL, produce, &producer[i]), 0);
    }
    while (left > 0) {
        struct message *m = sched_queue_take(sched_queue);
        if (!m && sched_queue_sleep(sched_queue)) {
            assert_int_equal(sem_timedwait(&woken, &until), 0);
        }
        for (; m; m = m->next, left--) {
            assert_int_equal(m->pub.ref, next[m->home]);
            next[m->home]++;
        }
    }
    assert_false(sched_queue_any(sched_queue));
    assert_null(sched_queue_take(sched_queue));
    for (unsigned i = 0; i < PRODUCERS; i++) {
        pthread_join(producer[i].thread, NULL);
        free(producer[i].messages);
    }
    sem_destroy(&woken);
    free(sched_queue);
}

/* ---- two runtimes ---- */

struct pair {
    struct log log;
    struct bridge *bridge;
    struct runtime *rt[2];
    rusm_pid pid[2];
    struct rusm_process *self[2];
    unsigned wakes, exits, give_ups, taken;
    int post_result;
};

static int pair_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct rusm_process **out = rusm_context(self);

    (void)args, (void)state;
    out[rusm_self(self).serial & 1] = self;
    return 0;
}

static void pair_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)self, (void)state, (void)m;
}

static void hook_exited(void *context, rusm_pid pid, const char *reason, bool global)
{
    (void)pid, (void)reason;
    ((struct pair *)context)->exits += global;
}

static int hook_global(void *context, rusm_pid pid, const char *name)
{
    (void)context, (void)pid, (void)name;
    return 0;
}

static uint64_t hook_clock(void *context)
{
    (void)context;
    return 0;
}

static void hook_wake(void *context)
{
    ((struct pair *)context)->wakes++;
}

static int hook_post(void *context, const struct post *post)
{
    struct pair *p = context;

    assert_int_equal(post->kind, RUSM_DOWN);
    p->taken += p->post_result == 0;
    return p->post_result;
}

static void hook_give_up(void *context, uint32_t node)
{
    ((struct pair *)context)->give_ups++;
    assert_true(node > 0);
}

static const struct runtime_hooks hooks = { .post = hook_post,
                                            .give_up = hook_give_up,
                                            .exited = hook_exited,
                                            .register_global = hook_global,
                                            .unregister_global = hook_global,
                                            .clock_ns = hook_clock,
                                            .wake = hook_wake };

static void pair_tick(struct pair *p)
{
    for (int i = 0; i < 4; i++) {
        runtime_flush(p->rt[i % 2]);
        runtime_receive(p->rt[i % 2], 1);
        runtime_run(p->rt[i % 2], 100, 1);
    }
}

static struct pair *pair_new(struct rusm_behaviour *behaviour)
{
    struct pair *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    log_init(&p->log, 2, RUSM_LOG_ERROR, "pair");
    p->bridge = bridge_new(2, 1);
    assert_non_null(p->bridge);
    *behaviour = (struct rusm_behaviour){
        .name = "pair", .init = pair_init, .receive = pair_receive, .context = p->self
    };
    for (unsigned i = 0; i < 2; i++) {
        struct runtime_options options = { .node = "pair",
                                           .incarnation = 7,
                                           .mailbox_messages = 4,
                                           .mailbox_bytes = 1024,
                                           .log = &p->log,
                                           .hooks = &hooks,
                                           .context = p };
        static const struct rusm_args none;
        assert_int_equal(bridge_runtime_new(p->bridge, &p->rt[i], i, &options), 0);
        assert_int_equal(runtime_spawn(p->rt[i], behaviour, &none, &p->pid[i], NULL, 1), 0);
        assert_int_equal(runtime_whose(p->rt[0], p->pid[i].serial), i);
    }
    return p;
}

static void pair_free(struct pair *p)
{
    runtime_close(p->rt[0]);
    runtime_close(p->rt[1]);
    for (int i = 0; i < 4; i++) {
        runtime_flush(p->rt[i % 2]);
        runtime_receive(p->rt[i % 2], 1);
    }
    runtime_free(p->rt[0]);
    runtime_free(p->rt[1]);
    bridge_free(p->bridge);
    free(p);
}

static void test_names(void **state)
{
    struct rusm_behaviour behaviour;
    struct pair *p = pair_new(&behaviour);
    rusm_pid pid;

    (void)state;
    /* Each scheduler may register a name for a process of the other. Both see the name at once. */
    assert_int_equal(rusm_register(p->self[0], p->pid[1], "b"), 0);
    assert_int_equal(rusm_register(p->self[1], p->pid[1], "b"), RUSM_EEXIST);
    assert_int_equal(rusm_whereis(p->self[0], "b", &pid), 0);
    assert_true(rusm_pid_eq(pid, p->pid[1]));
    /* The name is removed before the process's scheduler has heard of it: by that scheduler, then
     * by the other one. */
    assert_int_equal(rusm_unregister(p->self[1], "b"), 0);
    assert_int_equal(rusm_register(p->self[0], p->pid[1], "b"), 0);
    assert_int_equal(rusm_unregister(p->self[0], "b"), 0);
    assert_int_equal(rusm_whereis(p->self[1], "b", &pid), RUSM_ENOPROC);
    pair_tick(p);
    /* A name ends with its process, even if the process ends before its scheduler has heard of the
     * name. */
    assert_int_equal(rusm_register(p->self[0], p->pid[1], "b"), 0);
    pair_tick(p);
    assert_int_equal(rusm_register(p->self[0], p->pid[1], "late"), 0);
    assert_int_equal(runtime_register_global(p->rt[0], p->pid[1], "global"), 0);
    assert_int_equal(runtime_kill(p->rt[1], p->pid[1].serial, "end"), 0);
    assert_int_equal(rusm_whereis(p->self[0], "b", &pid), RUSM_ENOPROC);
    pair_tick(p);
    assert_int_equal(rusm_whereis(p->self[0], "late", &pid), RUSM_ENOPROC);
    assert_int_equal(p->exits, 1);
    pair_free(p);
}

static void test_wake(void **state)
{
    struct rusm_behaviour behaviour;
    struct pair *p = pair_new(&behaviour);

    (void)state;
    pair_tick(p);
    assert_true(runtime_sleep(p->rt[1]));
    assert_int_equal(rusm_send(p->self[0], p->pid[1], "1", 1, 0), 0);
    runtime_flush(p->rt[0]);
    assert_int_equal(p->wakes, 1);
    assert_int_equal(rusm_send(p->self[0], p->pid[1], "2", 1, 0), 0);
    runtime_flush(p->rt[0]);
    assert_int_equal(p->wakes, 1); /* only once */
    assert_true(runtime_called(p->rt[1]));
    assert_false(runtime_sleep(p->rt[1]));
    pair_tick(p);
    assert_int_equal(p->wakes, 1); /* not while it is awake */
    pair_free(p);
}

/* A node asks about processes that another scheduler never had, and does not take the answers. The
 * answers are bounded. The scheduler that has the connection gives the node up. */
static void test_answers_bounded(void **state)
{
    struct rusm_behaviour behaviour;
    struct pair *p = pair_new(&behaviour);
    rusm_pid from = { .serial = 3, .incarnation = 5 };
    uint64_t ref = 0;

    (void)state;
    assert_int_equal(runtime_node_index(p->rt[0], "oslo", 4, &from.node), 0);
    assert_int_equal(runtime_node_up(p->rt[0], from.node, from.incarnation), 0);
    unsigned other = 1 - runtime_node_scheduler(p->rt[0], from.node);
    pair_tick(p);
    p->post_result = RUSM_BUSY;
    while (ref < LIMIT_EXIT_NOTICES + 2) {
        rusm_pid ghost = { .serial = 1000 + ref / 64 * 2 + other, .incarnation = 7 };
        assert_int_equal(runtime_signal(p->rt[other], NULL, ghost, MESSAGE_MONITOR, from, ref++),
                         RUSM_ENOPROC);
        if (ref % 1000 == 0 || ref >= LIMIT_EXIT_NOTICES) {
            pair_tick(p);
        }
        assert_int_equal(p->give_ups, ref <= LIMIT_EXIT_NOTICES ? 0 : ref - LIMIT_EXIT_NOTICES);
    }
    /* The node takes the answers after all. Then there is room for more. */
    p->post_result = 0;
    runtime_writable(p->rt[1 - other], (rusm_pid){ 0 });
    pair_tick(p);
    assert_int_equal(p->taken, LIMIT_EXIT_NOTICES);
    rusm_pid ghost = { .serial = 10 + other, .incarnation = 7 };
    assert_int_equal(runtime_signal(p->rt[other], NULL, ghost, MESSAGE_MONITOR, from, ref),
                     RUSM_ENOPROC);
    pair_tick(p);
    assert_int_equal(p->taken, LIMIT_EXIT_NOTICES + 1);
    assert_int_equal(p->give_ups, 2);
    runtime_node_lost(p->rt[1 - other], from.node, from.incarnation);
    pair_tick(p);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_answers_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
