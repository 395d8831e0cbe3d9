/* local: `local`: what processes cost on one node without peers, with one scheduler and with all.
 * There is a process on each scheduler that takes one order at a time. It works on the order in
 * slices, each begun by a message to itself, so that no handler holds its scheduler for long. These
 * processes have nothing to do with each other. */
#include "bench.h"

#include <stdalign.h>
#include <string.h>

#define LOCAL_MS 1000 /* length of a measurement that takes a fixed time */
#define LOCAL_POLL_MS 20
#define LOCAL_SLICE 256 /* processes or timers in one slice */
#define LOCAL_IDLE ((uint64_t)1000000)
#define LOCAL_TIMERS ((uint64_t)1000000) /* timers that stay set beside those that are measured */
#define LOCAL_SCHEDULERS_MAX 64

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

struct local_order {
    enum local_what what;
    uint32_t parts; /* schedulers that share the work */
};

struct local_state {
    bool done;
    int error;
    uint64_t count, elapsed_ns;
};

/* What the processes of one scheduler share. It has cache lines of its own. */
struct local {
    alignas(128) enum local_what what;
    struct local_state state;
    uint64_t start_ns;
    uint64_t left;    /* processes or timers still to make */
    rusm_pid pair[2]; /* the two of a ping-pong, or pair[0] alone: local_done ends them */
    uint64_t parts;   /* schedulers that share a million */
    struct rusm_behaviour orders, pong, coroutine, brief, child;
    char name[16];
};

/* ---- what is measured ---- */

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

/* Ends the process with its first message. */
static void short_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct local *l = rusm_context(self);

    (void)state;
    (void)m;
    l->state.count += !l->state.done;
    rusm_exit(self, "normal");
}

/* Sends itself the message that ends it. A supervisor starts it over and over. */
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

static const struct rusm_behaviour local_idle = { .name = "idle", .receive = idle_receive };

/* ---- the process that takes orders ---- */

static int local_pair(struct rusm_process *self, struct local *l,
                      const struct rusm_behaviour *behaviour)
{
    int error = rusm_spawn(self, behaviour, NULL, &l->pair[0]);

    error = error == 0 ? rusm_spawn(self, behaviour, NULL, &l->pair[1]) : error;
    return error == 0 ? rusm_send(self, l->pair[0], "ping", 4, 0) : error;
}

static int local_supervise(struct rusm_process *self, struct local *l)
{
    const struct rusm_child child = { .behaviour = &l->child, .restart = RUSM_PERMANENT };
    const struct rusm_supervisor supervisor = { .max_restarts = RUSM_UNLIMITED,
                                                .children = &child,
                                                .child_count = 1 };

    rusm_trap_exit(self, true); /* it is linked with the supervisor, and ends that later */
    return rusm_supervise(self, &supervisor, &l->pair[0]);
}

static int local_spawns(struct rusm_process *self, struct local *l)
{
    rusm_pid pid;
    int error = 0;

    for (int i = 0; error == 0 && i < LOCAL_SLICE; i++) {
        error = rusm_spawn(self, &l->brief, NULL, &pid);
        error = error == 0 ? rusm_send(self, pid, "", 0, 0) : error;
    }
    l->left = 1; /* goes on until the time is over */
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

/* Sets a million timers of a minute to an hour. Then sets as many again among them, and cancels
 * each at once. Only the latter are measured. */
static int local_timers(struct rusm_process *self, struct local *l)
{
    bool cancelled = l->left <= LOCAL_TIMERS / l->parts;
    uint64_t ref, start = common_now_ns();
    int error = 0;

    for (int i = 0; error == 0 && i < LOCAL_SLICE && l->left > 0; i++, l->left--) {
        error = rusm_timer(self, (uint32_t)(60000 + l->left * 7919 % 3540000), &ref);
        error = error == 0 && cancelled ? rusm_cancel(self, ref) : error;
        l->state.count += cancelled;
    }
    l->state.elapsed_ns += cancelled ? common_now_ns() - start : 0;
    return error;
}

static void local_done(struct rusm_process *self, struct local *l, int error)
{
    if (l->what != LOCAL_TIMER) {
        l->state.elapsed_ns = common_now_ns() - l->start_ns;
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

/* Does another slice, or ends the order. */
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
    l->start_ns = common_now_ns();
    switch (l->what) {
    case LOCAL_CALLBACKS: error = local_pair(self, l, &l->pong); break;
    case LOCAL_COROUTINES: error = local_pair(self, l, &l->coroutine); break;
    case LOCAL_RESTARTS: error = local_supervise(self, l); break;
    case LOCAL_TIMER: l->left = LOCAL_TIMERS / l->parts * 2; break;
    case LOCAL_MEMORY: l->left = LOCAL_IDLE / l->parts; break;
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
    struct local_order order;

    (void)state;
    if (m->kind == RUSM_TIMER && !l->state.done) {
        local_done(self, l, 0);
    } else if (m->kind == RUSM_SEND && !l->state.done) {
        local_go_on(self, l);
    } else if (m->kind == RUSM_CALL && m->len == sizeof(order)) {
        memcpy(&order, m->data, sizeof(order));
        if (order.what != LOCAL_ASK) {
            l->what = order.what;
            l->parts = order.parts;
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
    /* It is static because each node has an OS process of its own. */
    static struct local local[LOCAL_SCHEDULERS_MAX];
    int error = 0;

    (void)index;
    (void)why;
    for (unsigned i = 0; error == 0 && i < LOCAL_SCHEDULERS_MAX; i++) {
        struct local *l = &local[i];
        l->orders =
            (struct rusm_behaviour){ .name = "local", .receive = local_receive, .context = l };
        l->pong = (struct rusm_behaviour){ .name = "pong", .receive = pong_receive, .context = l };
        l->coroutine =
            (struct rusm_behaviour){ .name = "coroutine", .body = pong_body, .context = l };
        l->brief =
            (struct rusm_behaviour){ .name = "brief", .receive = short_receive, .context = l };
        l->child = (struct rusm_behaviour){
            .name = "child", .init = child_init, .receive = child_receive, .context = l
        };
        snprintf(l->name, sizeof(l->name), "local%u", i);
        error = rusm_node_teach(node, l->name, &l->orders);
    }
    return error;
}

/* ---- the parent ---- */

/* What all schedulers of a node did together. */
struct local_sum {
    uint64_t count;
    double per_s, each_ns;
};

/* Gives all processes the same order at the same time, and waits until they are done. */
static int local_order(const struct cluster *c, const struct bench *b, enum local_what what,
                       struct local_sum *sum)
{
    struct local_state state[LOCAL_SCHEDULERS_MAX] = { 0 };
    struct local_order order = { .what = what, .parts = c->schedulers };
    int status = 0;
    char name[16];

    for (bool asked = false, more = true; status == 0 && more; asked = true) {
        more = false;
        for (uint32_t i = 0; status == 0 && i < c->schedulers; i++) {
            if (asked && state[i].done) {
                continue;
            }
            snprintf(name, sizeof(name), "local%u", i);
            status = cluster_call(c, b->options->cmd, name, &order, sizeof(order), &state[i],
                                  sizeof(state[i]));
            more |= !asked || !state[i].done;
        }
        order.what = LOCAL_ASK;
        if (status == 0 && more) {
            common_wait(b, NULL, LOCAL_POLL_MS);
        }
    }
    *sum = (struct local_sum){ 0 };
    for (uint32_t i = 0; status == 0 && i < c->schedulers; i++) {
        const struct local_state *s = &state[i];
        if (s->error != 0) {
            return failure_say(b->options->cmd, EXIT_FAILED, "local: %s", rusm_strerror(s->error));
        }
        sum->count += s->count;
        sum->per_s += s->elapsed_ns ? (double)s->count * 1e9 / (double)s->elapsed_ns : 0;
        sum->each_ns += s->count ? (double)s->elapsed_ns / (double)s->count / c->schedulers : 0;
    }
    return status;
}

static void local_print(const struct bench *b, uint32_t schedulers, const struct local_sum *s,
                        double bytes)
{
    if (b->json) {
        common_print_json(
            json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "bench", "local", "schedulers",
                      (int)schedulers, "messages_per_s", s[LOCAL_CALLBACKS].per_s,
                      "coroutine_messages_per_s", s[LOCAL_COROUTINES].per_s, "spawns_per_s",
                      s[LOCAL_SPAWNS].per_s, "restarts_per_s", s[LOCAL_RESTARTS].per_s,
                      "bytes_per_process", bytes, "timer_ns", s[LOCAL_TIMER].each_ns));
        return;
    }
    printf("one node, %u scheduler%s, one message between two processes at a time%s\n", schedulers,
           schedulers > 1 ? "s" : "", schedulers > 1 ? " on each" : "");
    printf("messages: %.0f/s between callbacks, %.0f/s between coroutines\n",
           s[LOCAL_CALLBACKS].per_s, s[LOCAL_COROUTINES].per_s);
    printf("spawned, sent a message and ended: %.0f processes/s\n", s[LOCAL_SPAWNS].per_s);
    printf("ended and restarted by a supervisor: %.0f/s\n", s[LOCAL_RESTARTS].per_s);
    printf("a timer set and cancelled: %.1f ns (beside %llu)\n", s[LOCAL_TIMER].each_ns,
           (unsigned long long)LOCAL_TIMERS);
    printf("an idle process: %.0f bytes (%llu of them)\n", bytes,
           (unsigned long long)s[LOCAL_MEMORY].count);
}

/* Starts the node and its processes. There is one process on each scheduler, because the node gives
 * spawns from outside to its schedulers in turn. */
static int local_start(struct cluster *c, const struct bench *b, uint32_t schedulers)
{
    int status = cluster_make(c, b->options->cmd);
    char name[16], pid[RUSM_PID_TEXT_MAX];
    struct rusm_why why;

    c->schedulers = schedulers;
    status = status == 0 ? cluster_grow(c, b->options->cmd, 1, local_boot) : status;
    status = status == 0 ? cluster_client(c, b->options->cmd, 0) : status;
    for (uint32_t i = 0; status == 0 && i < schedulers; i++) {
        snprintf(name, sizeof(name), "local%u", i);
        int error = rusm_client_spawn(c->hub, name, NULL, name, false, pid, &why);
        status = error != 0 ? failure_report(b->options->cmd, error, &why) : 0;
    }
    return status;
}

static int local_with(struct bench *b, uint32_t schedulers)
{
    struct local_sum sums[LOCAL_ORDERS] = { 0 };
    struct cluster cluster;
    uint64_t before_kib = 0;
    int status = local_start(&cluster, b, schedulers);

    for (enum local_what what = LOCAL_CALLBACKS; status == 0 && what < LOCAL_ORDERS; what++) {
        before_kib = cluster_rss_kib(&cluster, 0);
        status = local_order(&cluster, b, what, &sums[what]);
    }
    if (status == 0) {
        uint64_t grown_kib = cluster_rss_kib(&cluster, 0) - before_kib;
        local_print(b, schedulers, sums,
                    (double)grown_kib * 1024 / (double)sums[LOCAL_MEMORY].count);
    }
    cluster_stop(&cluster);
    return status;
}

int bench_local(struct bench *b)
{
    uint32_t all = (uint32_t)cores_usable(LOCAL_SCHEDULERS_MAX);
    int status = local_with(b, 1);

    return status == 0 && all > 1 ? local_with(b, all) : status;
}
