/* bench_local: `local`: what processes cost on one node that talks to nobody. The node's process
 * "local" takes one order at a time and works on it in slices, each begun by a message to itself, so
 * that no handler holds the scheduler for long. */
#include "bench.h"

#include <string.h>

#define LOCAL_MS 1000 /* of a measurement that takes a time */
#define LOCAL_POLL_MS 20
#define LOCAL_SLICE 256 /* processes or timers in a row */
#define LOCAL_IDLE ((uint64_t)1000000)
#define LOCAL_TIMERS ((uint64_t)1000000) /* that are set, beside those that are set and cancelled */
#define LOCAL_SCHEDULERS 1

enum local_what {
    LOCAL_ASK,
    LOCAL_CALLBACKS,
    LOCAL_COROUTINES,
    LOCAL_SPAWNS,
    LOCAL_RESTARTS,
    LOCAL_TIMER,
    LOCAL_MEMORY,
    LOCAL_ORDERS
};

struct local_state {
    bool done;
    int error;
    uint64_t count, elapsed_ns;
};

struct local {
    enum local_what what;
    struct local_state state;
    uint64_t start_ns;
    uint64_t left;    /* processes or timers still to be made */
    rusm_pid pair[2]; /* of a ping-pong; the first alone: what is to be ended */
};

/* ---- what is measured --------------------------------------------------------------------------- */

static rusm_pid pong_other(const struct rusm_process *self, const struct local *l)
{
    return l->pair[rusm_pid_eq(rusm_self(self), l->pair[0])];
}

static void pong_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct local *l = rusm_context(self);

    (void)state;
    if (m->kind == RUSM_SEND && !l->state.done) {
        l->state.count++;
        rusm_send(self, pong_other(self, l), m->data, m->len, 0);
    }
}

static void pong_body(struct rusm_process *self, void *state)
{
    struct local *l = rusm_context(self);
    const struct rusm_message *m;

    (void)state;
    while (rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0) {
        if (!l->state.done) {
            l->state.count++;
            rusm_send(self, pong_other(self, l), m->data, m->len, 0);
        }
    }
}

/* Ends with its first message. */
static void short_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct local *l = rusm_context(self);

    (void)state;
    (void)m;
    l->state.count += !l->state.done;
    rusm_exit(self, "normal");
}

/* The same, over and over: it sends itself that message. */
static int child_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)args;
    (void)state;
    return rusm_send(self, rusm_self(self), "", 0, 0);
}

static void child_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct local *l = rusm_context(self);

    (void)state;
    (void)m;
    if (!l->state.done) {
        l->state.count++;
        rusm_exit(self, "again");
    }
}

static void idle_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)self;
    (void)state;
    (void)m;
}

/* Their context is the node's struct local: one a process of the system, which is forked for it. */
static struct rusm_behaviour local_pong = { .name = "pong", .receive = pong_receive };
static struct rusm_behaviour local_coroutine = { .name = "coroutine", .body = pong_body };
static struct rusm_behaviour local_short = { .name = "short", .receive = short_receive };
static struct rusm_behaviour local_idle = { .name = "idle", .receive = idle_receive };
static struct rusm_behaviour local_child = { .name = "child",
                                             .init = child_init,
                                             .receive = child_receive };

/* ---- the one that takes orders -------------------------------------------------------------------- */

static int local_pair(struct rusm_process *self, struct local *l,
                      const struct rusm_behaviour *behaviour)
{
    int error = rusm_spawn(self, behaviour, NULL, &l->pair[0]);

    error = error == 0 ? rusm_spawn(self, behaviour, NULL, &l->pair[1]) : error;
    return error == 0 ? rusm_send(self, l->pair[0], "ping", 4, 0) : error;
}

static int local_supervise(struct rusm_process *self, struct local *l)
{
    const struct rusm_child child = { .behaviour = &local_child, .restart = RUSM_PERMANENT };
    const struct rusm_supervisor supervisor = { .max_restarts = RUSM_UNLIMITED,
                                                .children = &child,
                                                .child_count = 1 };

    rusm_trap_exit(self, true); /* it is linked with the supervisor, which is ended later */
    return rusm_supervise(self, &supervisor, &l->pair[0]);
}

static int local_spawns(struct rusm_process *self, struct local *l)
{
    rusm_pid pid;
    int error = 0;

    for (int i = 0; error == 0 && i < LOCAL_SLICE; i++) {
        error = rusm_spawn(self, &local_short, NULL, &pid);
        error = error == 0 ? rusm_send(self, pid, "", 0, 0) : error;
    }
    l->left = 1; /* until the time is over */
    return error;
}

static int local_idles(struct rusm_process *self, struct local *l)
{
    rusm_pid pid;
    int error = 0;

    for (int i = 0; error == 0 && i < LOCAL_SLICE && l->left > 0; i++, l->left--) {
        error = rusm_spawn(self, &local_idle, NULL, &pid);
        l->state.count++;
    }
    return error;
}

/* A million, from a minute to an hour, and then as many that are set and cancelled among them. */
static int local_timers(struct rusm_process *self, struct local *l)
{
    bool cancelled = l->left <= LOCAL_TIMERS;
    uint64_t ref, start = bench_now_ns();
    int error = 0;

    for (int i = 0; error == 0 && i < LOCAL_SLICE && l->left > 0; i++, l->left--) {
        error = rusm_timer(self, (uint32_t)(60000 + l->left * 7919 % 3540000), &ref);
        error = error == 0 && cancelled ? rusm_cancel(self, ref) : error;
        l->state.count += cancelled;
    }
    l->state.elapsed_ns += cancelled ? bench_now_ns() - start : 0;
    return error;
}

static void local_done(struct rusm_process *self, struct local *l, int error)
{
    if (l->what != LOCAL_TIMER) {
        l->state.elapsed_ns = bench_now_ns() - l->start_ns;
    }
    l->state.error = error;
    l->state.done = true;
    l->left = 0;
    for (size_t i = 0; i < 2 && l->pair[i].serial; i++) {
        rusm_kill(self, l->pair[i], "shutdown");
        l->pair[i] = (rusm_pid){ 0 };
    }
}

static int local_slice(struct rusm_process *self, struct local *l)
{
    switch (l->what) {
    case LOCAL_SPAWNS: return local_spawns(self, l);
    case LOCAL_TIMER: return local_timers(self, l);
    case LOCAL_MEMORY: return local_idles(self, l);
    default: return 0;
    }
}

/* Another slice, or the end. */
static void local_go_on(struct rusm_process *self, struct local *l)
{
    int error = local_slice(self, l);

    if (error == 0 && l->left > 0) {
        error = rusm_send(self, rusm_self(self), "", 0, 0);
    } else if (error == 0) {
        local_done(self, l, 0);
    }
    if (error != 0) {
        local_done(self, l, error);
    }
}

static int local_begin(struct rusm_process *self, struct local *l)
{
    uint64_t ref;
    int error = 0;

    l->state = (struct local_state){ 0 };
    l->start_ns = bench_now_ns();
    switch (l->what) {
    case LOCAL_CALLBACKS: error = local_pair(self, l, &local_pong); break;
    case LOCAL_COROUTINES: error = local_pair(self, l, &local_coroutine); break;
    case LOCAL_RESTARTS: error = local_supervise(self, l); break;
    case LOCAL_TIMER: l->left = 2 * LOCAL_TIMERS; break;
    case LOCAL_MEMORY: l->left = LOCAL_IDLE; break;
    default: break;
    }
    if (error == 0 && l->what < LOCAL_TIMER) {
        error = rusm_timer(self, LOCAL_MS, &ref);
    }
    if (error == 0 && (l->what == LOCAL_SPAWNS || l->what >= LOCAL_TIMER)) {
        error = rusm_send(self, rusm_self(self), "", 0, 0);
    }
    return error;
}

static void local_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct local *l = rusm_context(self);
    enum local_what what;

    (void)state;
    if (m->kind == RUSM_TIMER && !l->state.done) {
        local_done(self, l, 0);
    } else if (m->kind == RUSM_SEND && !l->state.done) {
        local_go_on(self, l);
    } else if (m->kind == RUSM_CALL && m->len == sizeof(what)) {
        memcpy(&what, m->data, sizeof(what));
        if (what != LOCAL_ASK) {
            l->what = what;
            int error = local_begin(self, l);
            if (error != 0) {
                local_done(self, l, error);
            }
        }
        rusm_reply(self, m, &l->state, sizeof(l->state));
    }
}

static int local_boot(struct rusm_node *node, size_t index, struct rusm_why *why)
{
    static struct local local;
    static struct rusm_behaviour orders = { .name = "local", .receive = local_receive };
    int error;

    (void)index;
    orders.context = local_pong.context = local_coroutine.context = &local;
    local_short.context = local_child.context = &local;
    error = rusm_node_teach(node, "local", &orders);
    return error == 0 ? cluster_boot(node, "local", "local", NULL, why) : error;
}

/* ---- the parent ------------------------------------------------------------------------------------- */

static int local_order(const struct cluster *c, const struct bench *b, enum local_what what,
                       struct local_state *state)
{
    const enum local_what ask = LOCAL_ASK;
    int status =
        cluster_call(c, b->options->cmd, "local", &what, sizeof(what), state, sizeof(*state));

    while (status == 0 && !state->done) {
        bench_wait(b, NULL, LOCAL_POLL_MS);
        status =
            cluster_call(c, b->options->cmd, "local", &ask, sizeof(ask), state, sizeof(*state));
    }
    if (status == 0 && state->error != 0) {
        status =
            failure_say(b->options->cmd, EXIT_FAILED, "local: %s", rusm_strerror(state->error));
    }
    return status;
}

static double local_rate(const struct local_state *s)
{
    return s->elapsed_ns ? (double)s->count * 1e9 / (double)s->elapsed_ns : 0;
}

static void local_print(const struct bench *b, const struct local_state *s, double bytes)
{
    const struct local_state *t = &s[LOCAL_TIMER];
    double timer_ns = t->count ? (double)t->elapsed_ns / (double)t->count : 0;

    if (b->json) {
        bench_print_json(json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "bench", "local",
                                   "schedulers", LOCAL_SCHEDULERS, "messages_per_s",
                                   local_rate(&s[LOCAL_CALLBACKS]), "coroutine_messages_per_s",
                                   local_rate(&s[LOCAL_COROUTINES]), "spawns_per_s",
                                   local_rate(&s[LOCAL_SPAWNS]), "restarts_per_s",
                                   local_rate(&s[LOCAL_RESTARTS]), "bytes_per_process", bytes,
                                   "timer_ns", timer_ns));
        return;
    }
    printf("one node, %d scheduler, one message between two processes at a time\n",
           LOCAL_SCHEDULERS);
    printf("messages: %.0f/s between callbacks, %.0f/s between coroutines\n",
           local_rate(&s[LOCAL_CALLBACKS]), local_rate(&s[LOCAL_COROUTINES]));
    printf("spawned, sent a message and ended: %.0f processes/s\n", local_rate(&s[LOCAL_SPAWNS]));
    printf("ended and restarted by a supervisor: %.0f/s\n", local_rate(&s[LOCAL_RESTARTS]));
    printf("a timer set and cancelled: %.1f ns (beside %llu)\n", timer_ns,
           (unsigned long long)LOCAL_TIMERS);
    printf("an idle process: %.0f bytes (%llu of them)\n", bytes,
           (unsigned long long)s[LOCAL_MEMORY].count);
}

int bench_local(struct bench *b)
{
    struct local_state states[LOCAL_ORDERS] = { 0 };
    struct cluster cluster;
    uint64_t before_kib = 0;
    int status = cluster_start(&cluster, b->options->cmd, 1, local_boot);

    for (enum local_what what = LOCAL_CALLBACKS; status == 0 && what < LOCAL_ORDERS; what++) {
        before_kib = cluster_rss_kib(&cluster, 0);
        status = local_order(&cluster, b, what, &states[what]);
    }
    if (status == 0) {
        uint64_t grown_kib = cluster_rss_kib(&cluster, 0) - before_kib;
        local_print(b, states, (double)grown_kib * 1024 / (double)LOCAL_IDLE);
    }
    cluster_stop(&cluster);
    return status;
}
