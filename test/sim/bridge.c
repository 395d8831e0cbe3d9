/* sim: several runtimes joined by a bridge, on one thread. A seed decides which runtime runs next
 * and what its processes do. Checks: the order of each pair. Nothing sent to a process that lives
 * is lost. Each monitor, link and call gives exactly one notice. A process that was told RUSM_BUSY
 * gets RUSM_WRITABLE. A name has one holder. All memory that has crossed comes home.
 * SIM_SEEDS=FIRST:LAST, otherwise 200 seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "actor/runtime.h"
#include "sched/sched.h"
#include "base/log.h"
#include "base/rng.h"
#include "doubles/no_globals.h"

#define RUNTIMES 4
#define ACTORS 24
#define STEPS 3000
#define MAILBOX 8
#define WATCHES 4096

struct sim;

struct actor {
    struct sim *sim;
    struct rusm_process *self; /* NULL: it has ended */
    rusm_pid pid;
    unsigned index, home;
    uint32_t sent[ACTORS], got[ACTORS]; /* by the other's index */
    bool deaf, held, busy;
    uint64_t calls, outcomes;
};

/* A monitor or a link. */
struct watch {
    unsigned by, of;
    uint64_t ref; /* 0: a link */
    unsigned told;
    bool given_up;
};

struct sim {
    struct rng rng;
    struct log log;
    struct bridge *bridge;
    struct runtime *rt[RUNTIMES];
    unsigned runtimes;
    uint64_t now;
    struct actor actor[ACTORS];
    struct watch watch[WATCHES];
    size_t watches;
    unsigned wakes;
    bool ending;
};

static struct sim *current; /* the only thread's, new for each seed */

static unsigned pick(struct sim *s, unsigned below)
{
    return (unsigned)(rng_u64(&s->rng) % below);
}

/* ---- hooks ---- */

static int hook_post(void *context, const struct post *post)
{
    (void)context, (void)post;
    return RUSM_ENOCONN;
}

static uint64_t hook_clock(void *context)
{
    (void)context;
    return 0;
}

static void hook_wake(void *context)
{
    ((struct sim *)context)->wakes++;
}

static const struct runtime_hooks hooks = { .post = hook_post,
                                            .exited = no_globals_exited,
                                            .register_global = no_globals_register,
                                            .unregister_global = no_globals_register,
                                            .whereis_global = no_globals_whereis,
                                            .clock_ns = hook_clock,
                                            .wake = hook_wake };

/* ---- the processes ---- */

struct note {
    uint32_t from, number;
};

static int actor_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct actor *a = &current->actor[strtoul(args->value[0], NULL, 10)];

    a->self = self;
    a->pid = rusm_self(self);
    rusm_trap_exit(self, true);
    *state = a;
    return 0;
}

static void actor_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    ((struct actor *)state)->self = NULL;
}

static void actor_told(struct actor *a, rusm_pid of, uint64_t ref)
{
    struct sim *s = a->sim;

    for (size_t i = 0; i < s->watches; i++) {
        struct watch *w = &s->watch[i];
        if (w->by == a->index && w->ref == ref && !w->given_up && w->told == 0 &&
            rusm_pid_eq(s->actor[w->of].pid, of)) {
            w->told = 1;
            return;
        }
    }
    assert_true(s->ending); /* otherwise nobody asked, or it was already told */
}

static void actor_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct actor *a = state;
    struct note note;

    /* A process that holds gets the message again instead of RUSM_WRITABLE. */
    if (m->kind == RUSM_WRITABLE || a->held) {
        a->busy = a->held = false;
    }
    if (m->kind == RUSM_WRITABLE) {
        return;
    }
    if (a->deaf) {
        a->held = true;
        rusm_hold_for(self, 1);
        return;
    }
    switch (m->kind) {
    case RUSM_SEND:
        assert_int_equal(m->len, sizeof(note));
        memcpy(&note, m->data, sizeof(note));
        assert_int_equal(note.number, a->got[note.from]);
        a->got[note.from]++;
        break;
    case RUSM_CALL:
        if (rusm_reply(self, m, "!", 1) == RUSM_BUSY) {
            a->held = true;
            rusm_hold(self);
        }
        break;
    case RUSM_REPLY:
    case RUSM_FAILED: a->outcomes++; break;
    case RUSM_DOWN: actor_told(a, m->from, m->ref); break;
    case RUSM_EXIT: actor_told(a, m->from, 0); break;
    default: fail();
    }
}

static const struct rusm_behaviour actor_behaviour = {
    .name = "actor", .init = actor_init, .receive = actor_receive, .stop = actor_stop
};

/* ---- actions ---- */

static struct watch *watch_new(struct sim *s, unsigned by, unsigned of, uint64_t ref)
{
    assert_true(s->watches < WATCHES);
    s->watch[s->watches] = (struct watch){ .by = by, .of = of, .ref = ref };
    return &s->watch[s->watches++];
}

static bool linked(const struct sim *s, unsigned a, unsigned b)
{
    for (size_t i = 0; i < s->watches; i++) {
        const struct watch *w = &s->watch[i];
        if (w->ref == 0 && !w->given_up &&
            ((w->by == a && w->of == b) || (w->by == b && w->of == a))) {
            return true;
        }
    }
    return false;
}

static void act_send(struct actor *a, struct actor *b)
{
    struct note note = { .from = a->index, .number = a->sent[b->index] };
    int err = rusm_send(a->self, b->pid, &note, sizeof(note), 0);

    if (err == 0) {
        a->sent[b->index]++;
    } else if (err == RUSM_BUSY) {
        a->busy = true;
    } else {
        assert_int_equal(err, RUSM_ENOPROC);
        assert_null(b->self);
    }
}

static void act_watch(struct sim *s, struct actor *a, struct actor *b)
{
    uint64_t ref;

    if (pick(s, 2)) {
        int err = rusm_monitor(a->self, b->pid, &ref);
        if (err == 0) {
            struct watch *w = watch_new(s, a->index, b->index, ref);
            if (pick(s, 4) == 0) {
                w->given_up = rusm_demonitor_flush(a->self, ref) == 0;
                w->told += !w->given_up;
            }
        }
        assert_true(err == 0 || err == RUSM_BUSY);
        a->busy |= err == RUSM_BUSY;
    } else if (a != b && !linked(s, a->index, b->index)) {
        int err = rusm_link(a->self, b->pid);
        assert_true(err == 0 || err == RUSM_BUSY);
        a->busy |= err == RUSM_BUSY;
        if (err == 0) {
            watch_new(s, a->index, b->index, 0);
            watch_new(s, b->index, a->index, 0)->given_up = !b->self;
        }
    }
}

static void act(struct sim *s)
{
    unsigned among = pick(s, 4) ? 4 : ACTORS; /* some have much to do with each other */
    struct actor *a = &s->actor[pick(s, among)], *b = &s->actor[pick(s, among)];
    uint64_t ref;

    if (!a->self) {
        return;
    }
    switch (pick(s, 64)) {
    case 0: a->deaf = !a->deaf; break;
    case 1:
        if (pick(s, 10) == 0) {
            rusm_kill(a->self, b->pid, "kill");
        }
        break;
    case 2:
    case 3:
    case 4: act_watch(s, a, b); break;
    case 5:
    case 6:
        if (a != b) {
            int err = rusm_request(a->self, b->pid, "?", 1, RUSM_FOREVER, &ref);
            a->calls += err == 0;
            a->busy |= err == RUSM_BUSY;
        }
        break;
    default: act_send(a, b);
    }
}

static bool tick(struct sim *s, unsigned i)
{
    bool any = runtime_receive(s->rt[i], s->now);

    if (runtime_ready(s->rt[i]) || runtime_next_ns(s->rt[i]) <= s->now) {
        runtime_run(s->rt[i], 1 + pick(s, 50), s->now);
        any = true;
    }
    runtime_flush(s->rt[i]);
    return any;
}

static void settle(struct sim *s)
{
    bool any = true;

    while (any) {
        any = false;
        s->now += 1000000;
        for (unsigned i = 0; i < s->runtimes; i++) {
            any |= tick(s, i);
        }
    }
}

/* ---- a run ---- */

static struct sim *sim_new(uint64_t seed)
{
    struct sim *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    current = s;
    rng_init(&s->rng, seed);
    log_init(&s->log, 2, RUSM_LOG_ERROR, "sim");
    s->now = 1000000;
    s->runtimes = 2 + pick(s, RUNTIMES - 1);
    s->bridge = bridge_new(s->runtimes, seed);
    assert_non_null(s->bridge);
    for (unsigned i = 0; i < s->runtimes; i++) {
        struct runtime_options options = { .node = "sim",
                                           .incarnation = 7,
                                           .mailbox_messages = MAILBOX,
                                           .mailbox_bytes = 1 << 20,
                                           .seed = seed,
                                           .log = &s->log,
                                           .hooks = &hooks,
                                           .context = s };
        assert_int_equal(bridge_runtime_new(s->bridge, &s->rt[i], i, &options), 0);
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        char number[8];
        const char *value = number;
        struct rusm_args args = { .count = 1, .value = &value };
        rusm_pid pid;
        s->actor[i].sim = s;
        s->actor[i].index = i;
        s->actor[i].home = pick(s, s->runtimes);
        snprintf(number, sizeof(number), "%u", i);
        assert_int_equal(runtime_spawn(s->rt[s->actor[i].home], &actor_behaviour, &args, &pid, NULL,
                                       s->now),
                         0);
    }
    return s;
}

static void check(struct sim *s)
{
    for (unsigned i = 0; i < ACTORS; i++) {
        struct actor *a = &s->actor[i];
        for (unsigned k = 0; k < ACTORS && a->self; k++) {
            assert_int_equal(a->got[k], s->actor[k].sent[i]);
        }
        if (a->self) {
            assert_false(a->busy);
            assert_int_equal(a->outcomes, a->calls);
        }
    }
    for (size_t i = 0; i < s->watches; i++) {
        struct watch *w = &s->watch[i];
        if (s->actor[w->by].self && !w->given_up) {
            assert_int_equal(w->told, s->actor[w->of].self == NULL);
        }
    }
}

static void sim_free(struct sim *s)
{
    bool any = true;

    s->ending = true;
    for (unsigned i = 0; i < s->runtimes; i++) {
        runtime_close(s->rt[i]);
    }
    while (any) {
        any = false;
        for (unsigned i = 0; i < s->runtimes; i++) {
            runtime_flush(s->rt[i]);
            any |= runtime_receive(s->rt[i], s->now);
            runtime_flush(s->rt[i]);
        }
    }
    for (unsigned i = 0; i < s->runtimes; i++) {
        runtime_free(s->rt[i]); /* checks that all its messages are home */
    }
    bridge_free(s->bridge);
    free(s);
}

/* Runs one seed. Returns how often a window or a mailbox was full. */
static uint64_t run_seed(uint64_t seed)
{
    struct sim *s = sim_new(seed);
    uint64_t busy = 0;

    for (unsigned i = 0; i < STEPS; i++) {
        unsigned acts = pick(s, 20);
        for (unsigned k = 0; k < acts; k++) {
            act(s);
        }
        s->now += pick(s, 400000);
        tick(s, pick(s, s->runtimes));
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        s->actor[i].deaf = false;
    }
    settle(s);
    check(s);
    for (unsigned i = 0; i < s->runtimes; i++) {
        busy += runtime_counters(s->rt[i])->busy_local;
    }
    sim_free(s);
    return busy;
}

static void test_seeds(void **state)
{
    const char *given = getenv("SIM_SEEDS");
    unsigned long long first = 1, last = 200;
    uint64_t busy = 0;

    (void)state;
    if (given) {
        assert_int_equal(sscanf(given, "%llu:%llu", &first, &last), 2);
    }
    for (unsigned long long seed = first; seed <= last; seed++) {
        fprintf(stderr, "\r# seed %llu", seed);
        busy += run_seed(seed);
    }
    fprintf(stderr, "\n# %llu times busy\n", (unsigned long long)busy);
    assert_true(busy > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_seeds) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
