/* schedulers: the schedulers of a node and their parts, from before there are threads until after.
 * They share the bridge (sched/bridge.h), the members (member.c), the registry (globals.c) and what
 * never changes. Called on the thread that makes, runs and frees the node. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "node/connection.h"
#include "node/dial.h"
#include "node/runfiles.h"
#include "node/frames.h"
#include "node/globals.h"
#include "node/http.h"
#include "node/http_tcp.h"
#include "node/hooks.h"
#include "node/node.h"
#include "node/programs.h"
#include "node/router.h"
#include "node/schedulers.h"
#include "node/tick.h"

/* ---- making and starting them ---- */

static void scheduler_init(struct scheduler *s, struct rusm_node *node, unsigned index,
                           uint64_t seed)
{
    s->node = node;
    s->index = index;
    s->connections_use = &frames_users;
    rng_init(&s->rng, seed);
    repeat_init(&s->repeat, &node->log);
    s->now_ns = node->started_ns;
    lane_budget_init(&s->budget, node->scheduler_count);
    lane_pools_init(&s->pools);
    router_init(s, rng_u64(&s->rng));
    list_init(&s->connections);
    list_init(&s->unready);
    list_init(&s->doubted);
    list_init(&s->feeds);
    list_init(&s->contended);
    dials_init(&s->dials, connection_dial);
    peers_init(&s->peers);
    pthread_mutex_init(&s->ticking, NULL);
}

int schedulers_new(struct rusm_node *node, unsigned count, uint64_t seed)
{
    struct rng rng;
    node->schedulers = calloc(count, sizeof(*node->schedulers));
    if (!node->schedulers) {
        return RUSM_ENOMEM;
    }
    node->first = node->schedulers;
    node->scheduler_count = count;
    rng_init(&rng, seed);
    for (unsigned i = 0; i < count; i++) {
        scheduler_init(&node->schedulers[i], node, i, rng_u64(&rng));
    }
    return 0;
}

static int service_whereis(void *context, const char *name, size_t len,
                           struct registry_holder *holder)
{
    return globals_whereis(context, name, len, holder);
}

static void service_global_name(void *context, uint64_t serial, char name[RUSM_NAME_MAX + 1])
{
    globals_name(context, serial, name);
}

static void service_stop(void *context)
{
    rusm_node_stop(((struct scheduler *)context)->node);
}

static bool service_watched(void *context)
{
    return events_watched(((struct scheduler *)context)->node);
}

static void service_spawned(void *context, const struct service_spawned *spawned)
{
    events_spawned(((struct scheduler *)context)->node, spawned);
}

static const struct service_node service_node = { .whereis = service_whereis,
                                                  .global_name = service_global_name,
                                                  .stop = service_stop,
                                                  .watched = service_watched,
                                                  .spawned = service_spawned };

int schedulers_open(struct rusm_node *node, struct runtime_options *options)
{
    int error = 0;
    options->hooks = &scheduler_runtime_hooks;
    if (node->scheduler_count > 1) {
        node->bridge = bridge_new(node->scheduler_count, options->seed);
        if (!node->bridge) {
            return RUSM_ENOMEM;
        }
    }
    for (unsigned i = 0; !error && i < node->scheduler_count; i++) {
        struct scheduler *s = &node->schedulers[i];
        options->blocks = &s->pools.blocks;
        options->context = s;
        error = node->bridge ? bridge_runtime_new(node->bridge, &s->runtime, i, options)
                             : runtime_new(&s->runtime, options);
        node->others_open += !error && i > 0;
        s->service = (struct service){ .runtime = s->runtime,
                                       .name = node->name,
                                       .incarnation = node->incarnation,
                                       .closed = &s->closed,
                                       .node = &service_node,
                                       .context = s };
    }
    return error;
}

int schedulers_watch(struct rusm_node *node, uint64_t spin_ns)
{
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        struct scheduler *s = &node->schedulers[i];
        int error = loop_init(&s->loop, endpoint_fd(s->endpoint), spin_ns);
        if (error) {
            return error;
        }
        if (i > 0) {
            loop_guard(&s->loop, &s->ticking);
        }
        resolver_init(&s->resolver, &s->loop);
        if ((error = programs_init(&s->programs, node, &s->loop)) != 0) {
            return error;
        }
    }
    return 0;
}

int schedulers_start(struct rusm_node *node)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    sigset_t all, before;
    int error = 0;
    /* Signals go to the program's thread, which runs the node. The exceptions are those that a
     * thread brings upon itself. */
    sigfillset(&all);
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        sigdelset(&all, own[i]);
    }
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 1; !error && i < node->scheduler_count; i++) {
        struct scheduler *s = &node->schedulers[i];
        error = pthread_create(&s->thread, NULL, tick_main, s);
        s->started = !error;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        log_error(&node->log, "cannot start the thread of a scheduler: %s", strerror(error));
    }
    return error ? RUSM_EIO : 0;
}

/* ---- ending and freeing them ---- */

static void join(struct rusm_node *node)
{
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        struct scheduler *s = &node->schedulers[i];
        atomic_store(&s->over, true);
        if (!s->started) {
            continue;
        }
        loop_wake(&s->loop);
        pthread_join(s->thread, NULL);
        s->started = false;
    }
}

/* Brings home all messages between schedulers. There are no threads and no processes any more, so
 * no message finds a receiver. */
static void drain(struct rusm_node *node)
{
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < node->scheduler_count; i++) {
            struct scheduler *s = &node->schedulers[i];
            if (!s->runtime) {
                continue;
            }
            runtime_flush(s->runtime);
            more |= runtime_receive(s->runtime, s->now_ns);
            runtime_flush(s->runtime);
        }
    }
}

static void close_all(struct rusm_node *node)
{
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        struct scheduler *s = &node->schedulers[i];
        s->closed = true;
        if (s->runtime) {
            runtime_close(s->runtime);
        }
    }
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        list_each_safe(link, &node->schedulers[i].connections) {
            connection_free(container_of(link, struct connection, link));
        }
    }
    if (!node->bridge) {
        return;
    }
    drain(node);
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        if (node->schedulers[i].runtime) {
            runtime_give_up_channels(node->schedulers[i].runtime);
        }
    }
    drain(node);
}

static void scheduler_fini(struct scheduler *s)
{
    runtime_free(s->runtime);
    port_host_fini(&s->programs.host);
    dials_fini(&s->dials);
    router_fini(s);
    lane_pools_fini(&s->pools);
    loop_fini(&s->loop);
    pthread_mutex_destroy(&s->ticking);
    free(s->by_index);
}

void schedulers_free(struct rusm_node *node)
{
    join(node);
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        resolver_fini(&node->schedulers[i].resolver);
    }
    runfiles_end(node->runfiles);
    close_all(node);
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        endpoint_free(node->schedulers[i].endpoint);
    }
    http_tcp_close(node);
    http_close(node);
    members_free(node);
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        scheduler_fini(&node->schedulers[i]);
    }
    bridge_free(node->bridge);
    node->bridge = NULL;
    free(node->schedulers);
    node->schedulers = node->first = NULL;
    node->scheduler_count = 0;
}
