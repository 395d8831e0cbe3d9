/* scheduler: the schedulers but the first: each a thread with a loop and a runtime of its own, which
 * does nothing but run its processes. What they share with the others is the crossing
 * (actor/crossing.h), the registry (globals.c) and what never changes. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "node/node.h"

/* How often spare memory is looked at, while there is any. */
#define TICK_NS ((uint64_t)1000000000)

/* How long scheduler 0 waits for another's turn to end, once: many times what its budget takes. */
#define ENTER_NS ((uint64_t)50000000)

struct runtime *scheduler_runtime(const struct rusm_node *node, unsigned index)
{
    return index == 0 ? node->runtime : node->others[index - 1].runtime;
}

/* ---- looking at another's processes ---- */

bool scheduler_enter(struct rusm_node *node, unsigned index)
{
    struct scheduler *s = index ? &node->others[index - 1] : NULL;
    struct timespec until;
    if (!s)
        return true;
    int error = pthread_mutex_trylock(&s->turning);
    if (error && !s->stuck) {
        uint64_t until_ns = endpoint_now_ns() + ENTER_NS;
        until = (struct timespec){ .tv_sec = (time_t)(until_ns / 1000000000),
                                   .tv_nsec = (long)(until_ns % 1000000000) };
        atomic_store(&s->wanted, true);
        error = pthread_mutex_clocklock(&s->turning, CLOCK_MONOTONIC, &until);
        atomic_store(&s->wanted, false);
    }
    s->stuck = error != 0;
    return !error;
}

void scheduler_leave(struct rusm_node *node, unsigned index)
{
    if (index)
        pthread_mutex_unlock(&node->others[index - 1].turning);
}

const struct scheduler_counters *scheduler_counters(struct rusm_node *node, unsigned index)
{
    struct scheduler_counters *c = index ? &node->others[index - 1].counters : &node->counters;
    struct runtime *rt = scheduler_runtime(node, index);
    if (scheduler_enter(node, index)) {
        c->runtime = *runtime_counters(rt);
        c->processes = runtime_count(rt);
        scheduler_leave(node, index);
    }
    return c;
}

/* ---- life ---- */

static void close_run(struct errand *errand, struct runtime *there)
{
    uint64_t now_ns = endpoint_now_ns(), end_ns = now_ns + LIMIT_LEAVE_NS / 4;
    (void)errand;
    while (runtime_ready(there) && now_ns < end_ns) {
        runtime_run(there, LIMIT_TURN_BUDGET, now_ns);
        now_ns = endpoint_now_ns();
    }
    runtime_close(there);
}

static void close_done(struct errand *errand, struct runtime *here)
{
    struct scheduler *s = (struct scheduler *)(void *)errand;
    (void)here;
    s->node->others_open--;
}

int schedulers_open(struct rusm_node *node, struct runtime_options *options, uint64_t spin_ns)
{
    options->hooks = &node_runtime_hooks;
    options->context = node;
    if (node->schedulers > 1) {
        node->crossing = crossing_new(node->schedulers, options->seed);
        node->others = calloc(node->schedulers - 1, sizeof *node->others);
        if (!node->crossing || !node->others)
            return RUSM_ENOMEM;
        options->crossing = node->crossing;
    }
    int error = runtime_new(&node->runtime, options);
    for (unsigned i = 1; !error && i < node->schedulers; i++) {
        struct scheduler *s = &node->others[i - 1];
        s->node = node;
        s->close = (struct errand){ .run = close_run, .done = close_done };
        blocks_init(&s->blocks);
        pthread_mutex_init(&s->turning, NULL);
        if ((error = loop_init(&s->loop, -1, spin_ns)) != 0)
            return error;
        if ((error = programs_init(&s->programs, node, &s->loop)) != 0)
            return error;
        options->index = i;
        options->blocks = &s->blocks;
        options->hooks = &scheduler_runtime_hooks;
        options->context = s;
        error = runtime_new(&s->runtime, options);
        node->others_open += !error;
    }
    return error;
}

/* ---- running ---- */

static bool called(void *context, bool first)
{
    (void)first;
    return runtime_called(context);
}

/* One turn without the wait. Returns true if there is more to do at once. */
static bool turn(struct scheduler *s, uint64_t now_ns, uint64_t *tick_ns)
{
    struct runtime *rt = s->runtime;
    while (atomic_load_explicit(&s->wanted, memory_order_relaxed))
        sched_yield();
    pthread_mutex_lock(&s->turning);
    bool more = runtime_receive(rt, now_ns);
    port_host_look(&s->programs.host);
    if (runtime_ready(rt) || runtime_next_ns(rt) <= now_ns)
        runtime_run(rt, LIMIT_TURN_BUDGET, now_ns);
    more |= port_host_turn(&s->programs.host, now_ns);
    runtime_flush(rt);
    if (!blocks_any(&s->blocks)) {
        *tick_ns = now_ns + TICK_NS;
    } else if (now_ns >= *tick_ns) {
        *tick_ns = now_ns + TICK_NS;
        blocks_tick(&s->blocks);
    }
    more |= runtime_ready(rt);
    pthread_mutex_unlock(&s->turning);
    return more;
}

static void *scheduler_main(void *argument)
{
    struct scheduler *s = argument;
    struct fault *fault = s->node->name_overflow ? fault_begin(s->node, &s->runtime) : NULL;
    uint64_t tick_ns = 0;
    while (!atomic_load(&s->over)) {
        uint64_t now_ns = endpoint_now_ns(), next_ns;
        bool more = turn(s, now_ns, &tick_ns);
        next_ns = runtime_next_ns(s->runtime);
        if (port_host_next_ns(&s->programs.host) < next_ns)
            next_ns = port_host_next_ns(&s->programs.host);
        if (blocks_any(&s->blocks) && tick_ns < next_ns)
            next_ns = tick_ns;
        if (!more)
            more = loop_spin(&s->loop, next_ns, called, s->runtime);
        if (more)
            loop_look(&s->loop, now_ns);
        else if (runtime_sleep(s->runtime))
            loop_wait(&s->loop, now_ns, next_ns, false);
    }
    fault_end(fault);
    return NULL;
}

int schedulers_start(struct rusm_node *node)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    sigset_t all, before;
    int error = 0;
    /* Signals are the program's, whose thread runs the node; but for those that a thread brings upon
     * itself. */
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 1; !error && i < node->schedulers; i++) {
        struct scheduler *s = &node->others[i - 1];
        error = pthread_create(&s->thread, NULL, scheduler_main, s);
        s->started = !error;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        log_error(&node->log, "no thread for a scheduler: %s", strerror(error));
    return error ? RUSM_EIO : 0;
}

void schedulers_close(struct rusm_node *node)
{
    for (unsigned i = 1; i < node->schedulers; i++)
        /* Without memory for it, its processes end when its thread has. */
        if (runtime_errand(node->runtime, i, &node->others[i - 1].close) != 0)
            node->others_open--;
}

/* ---- the end ---- */

static void join(struct rusm_node *node)
{
    for (unsigned i = 1; i < node->schedulers && node->others; i++) {
        struct scheduler *s = &node->others[i - 1];
        if (!s->started)
            continue;
        atomic_store(&s->over, true);
        loop_wake(&s->loop);
        pthread_join(s->thread, NULL);
        s->started = false;
    }
}

/* There are no threads any more, and no processes: what is under way finds nobody, and goes home. */
static void drain(struct rusm_node *node)
{
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < node->schedulers; i++) {
            struct runtime *rt = scheduler_runtime(node, i);
            if (!rt)
                continue;
            runtime_flush(rt);
            more |= runtime_receive(rt, node->now_ns);
            runtime_flush(rt);
        }
    }
}

void schedulers_free(struct rusm_node *node)
{
    join(node);
    for (unsigned i = 0; i < node->schedulers && node->others; i++)
        if (scheduler_runtime(node, i))
            runtime_close(scheduler_runtime(node, i));
    if (node->runtime && node->others) {
        drain(node);
        runtime_ungate(node->runtime);
        drain(node);
    }
    for (unsigned i = 1; i < node->schedulers && node->others; i++) {
        struct scheduler *s = &node->others[i - 1];
        runtime_free(s->runtime);
        port_host_fini(&s->programs.host);
        loop_fini(&s->loop);
        blocks_fini(&s->blocks);
        pthread_mutex_destroy(&s->turning);
    }
    runtime_free(node->runtime);
    node->runtime = NULL;
    crossing_free(node->crossing);
    node->crossing = NULL;
    free(node->others);
    node->others = NULL;
    node->schedulers = 1;
}
