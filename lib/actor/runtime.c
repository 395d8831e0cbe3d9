/* runtime: see the header. Life, running and names of a runtime. Spawning is in spawn.c, the way in
 * from the network in deliver.c, the views for attach in views.c. Called by the node, on its
 * thread. */
#include "actor/runtime.h"

#include <stdlib.h>
#include <string.h>
#include "actor/call.h"
#include "actor/coroutine.h"
#include "actor/exit_notice.h"
#include "actor/gap.h"
#include "actor/process_event.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "actor/signal.h"
#include "actor/sleep.h"
#include "actor/timer.h"
#include "actor/watch.h"
#include "actor/wait.h"
#include "actor/limits.h"
#include "base/must.h"

/* ---- what is undone when a process ends ---- */

static void runtime_end_nodes(struct rusm_process *p)
{
    (void)signal_watch_nodes(p, false);
}

static void runtime_end_gaps(struct rusm_process *p)
{
    (void)gap_watch(p, false);
}

static const struct process_parts runtime_parts = {
    .end = { [PART_NAMES] = names_forget,
             [PART_WAITS] = wait_ended,
             [PART_SLEEP] = sleep_end,
             [PART_OWNED] = process_end_owned,
             [PART_BODY] = coroutine_end,
             [PART_NODES] = runtime_end_nodes,
             [PART_GAPS] = runtime_end_gaps,
             [PART_MAILBOX] = process_end_mailbox,
             [PART_MONITORS] = monitor_ended,
             [PART_LINKS] = link_ended },
    .took_timer = timer_taken,
    .writable_begins = sleep_end,
    .writable_done = wait_release,
    .takes_down = call_down,
};

/* ---- life ---- */

static void runtime_init(struct runtime *rt, const struct runtime_options *options)
{
    process_table_init(&rt->processes_by_serial, options->bits);
    list_init(&rt->run);
    list_init(&rt->dying);
    list_init(&rt->wake);
    list_init(&rt->waking);
    list_init(&rt->orphans);
    exit_notice_init(rt, options->seed);
    list_init(&rt->node_watches);
    spawnables_init(&rt->spawnables, options->seed);
    gap_init(rt, options->seed);
    map_init(&rt->monitors, options->seed);
    map_init(&rt->links, options->seed);
    map_init(&rt->waits, options->seed);
    slab_init(&rt->processes, sizeof(struct rusm_process));
    monitor_slab_init(rt);
    link_slab_init(rt);
    wait_slab_init(rt);
    sleep_init(rt);
    timer_init(rt);
    call_init(rt, options->seed);
    watch_init(rt, options->seed);
    coroutine_rt_init(rt);
    rt->limits.messages = options->mailbox_messages;
    rt->limits.bytes = options->mailbox_bytes;
    rt->log = options->log;
    rt->hooks = options->hooks;
    rt->watched = options->watched;
    rt->context = options->context;
    rt->incarnation = options->incarnation;
    rt->trace.room = LIMIT_TRACE_BURST;
    rt->schedulers = 1;
    rt->parts = &runtime_parts;
}

/* Takes the shared table of names, or makes one if there is none. */
static int runtime_names(struct runtime *rt, const struct runtime_options *options)
{
    if (options->names) {
        rt->names = options->names;
        return 0;
    }
    rt->names = malloc(sizeof(*rt->names));
    if (rt->names) {
        names_init(rt->names, options->seed, NULL);
    }
    return rt->names ? 0 : RUSM_ENOMEM;
}

int runtime_new(struct runtime **out, const struct runtime_options *options)
{
    struct runtime *rt = aligned_alloc(alignof(struct runtime), sizeof(*rt));

    if (!rt) {
        return RUSM_ENOMEM;
    }
    memset(rt, 0, sizeof(*rt));
    runtime_init(rt, options);
    int err = nodes_init(&rt->nodes, options->node, options->node_names, options->seed);
    err = err ? err : runtime_names(rt, options);
    rt->pool = err ? NULL : message_pool_new(options->blocks);
    if (err || !rt->pool) {
        runtime_free(rt);
        return err ? err : RUSM_ENOMEM;
    }
    *out = rt;
    return 0;
}

void runtime_close(struct runtime *rt)
{
    must(rt->depth == 0);
    rt->closing = true;
    while (!list_empty(&rt->processes_by_serial.all)) {
        struct rusm_process *newest =
            container_of(rt->processes_by_serial.all.prev, struct rusm_process, all);
        process_kill(newest, "shutdown", strlen("shutdown"));
        runtime_reap(rt);
    }
    wait_wake(rt);
}

void runtime_free(struct runtime *rt)
{
    if (!rt) {
        return;
    }
    runtime_close(rt);
    exit_notice_fini(rt);
    if (rt->far) {
        rt->far->leave(rt);
    }
    nodes_fini(&rt->nodes);
    message_pool_free(rt->pool);
    if (rt->names && !rt->names->tell) {
        names_fini(rt->names);
        free(rt->names);
    }
    spawnables_fini(&rt->spawnables);
    gap_fini(rt);
    map_fini(&rt->monitors);
    map_fini(&rt->links);
    map_fini(&rt->waits);
    process_table_fini(&rt->processes_by_serial);
    slab_fini(&rt->processes);
    slab_fini(&rt->monitor_slab);
    slab_fini(&rt->link_slab);
    slab_fini(&rt->wait_slab);
    sleep_fini(rt);
    timer_fini(rt);
    call_fini(rt);
    watch_fini(rt);
    coroutine_rt_fini(rt);
    free(rt);
}

/* ---- running ---- */

/* Counts and logs a process that held the scheduler too long, for one handler or for a batch of
 * them. It may have ended, so its serial and behaviour are passed. */
static void runtime_long(struct runtime *rt, uint64_t serial,
                         const struct rusm_behaviour *behaviour, uint64_t took_ns)
{
    rt->counters.handlers_long++;
    log_warn(rt->log, "process %llu (%s) held its scheduler for %llu ms",
             (unsigned long long)serial, behaviour->name, (unsigned long long)took_ns / 1000000);
}

static void runtime_run_one(struct runtime *rt, struct rusm_process *p, unsigned *budget)
{
    uint64_t serial = p->serial, before_ns = rt->clock_ns;
    const struct rusm_behaviour *behaviour = p->behaviour;

    unsigned limit = *budget < LIMIT_RUN_BATCH ? *budget : LIMIT_RUN_BATCH;

    p->running = true;
    unsigned done = p->co ? coroutine_run(p) : process_run(p, limit);
    process_ran(p);
    *budget -= done < limit ? done : limit;
    rt->clock_ns = rt->hooks->clock_ns(rt->context);
    if (rt->clock_ns - before_ns > LIMIT_HANDLER_NS) {
        runtime_long(rt, serial, behaviour, rt->clock_ns - before_ns);
        rt->now_ns = rt->clock_ns > rt->now_ns ? rt->clock_ns : rt->now_ns; /* for timers */
    }
}

bool runtime_run(struct runtime *rt, unsigned budget, uint64_t now_ns)
{
    struct list *l;

    must(rt->depth == 0);
    rt->now_ns = now_ns;
    runtime_reap(rt);
    sleep_wake(rt);
    wheel_advance(&rt->wheel, now_ns);
    runtime_reap(rt);
    rt->clock_ns = rt->hooks->clock_ns(rt->context);
    while (budget > 0 && (l = list_first(&rt->run))) {
        list_remove(l);
        runtime_run_one(rt, container_of(l, struct rusm_process, run), &budget);
        if (rt->gathered) {
            rt->far->flush(rt);
        }
    }
    wait_wake(rt);
    if (rt->gathered) {
        rt->far->flush(rt);
    }
    return runtime_ready(rt);
}

bool runtime_ready(const struct runtime *rt)
{
    return !list_empty(&rt->run) || !list_empty(&rt->dying) || !list_empty(&rt->wake) ||
           !list_empty(&rt->orphans);
}

uint64_t runtime_next_ns(const struct runtime *rt)
{
    const struct heap_node *first = heap_min(&rt->sleeping);
    uint64_t wheel_ns = wheel_next_ns(&rt->wheel);

    return first && first->key < wheel_ns ? first->key : wheel_ns;
}

struct message_pool *runtime_pool(struct runtime *rt)
{
    return rt->pool;
}

/* ---- processes ---- */

int runtime_kill(struct runtime *rt, uint64_t serial, const char *reason)
{
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, serial);

    if (!p) {
        return RUSM_ENOPROC;
    }
    process_kill(p, strcmp(reason, "kill") == 0 ? "killed" : reason,
                 strcmp(reason, "kill") == 0 ? strlen("killed") : strlen(reason));
    runtime_reap(rt);
    return 0;
}

int runtime_exit(struct runtime *rt, uint64_t serial, rusm_pid from, const char *reason)
{
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, serial);

    if (!p) {
        return RUSM_ENOPROC;
    }
    process_exit_signal(p, from, reason, strlen(reason), false);
    runtime_reap(rt);
    return 0;
}

static void runtime_writable_one(struct rusm_process *p)
{
    if (p->busy_far) {
        p->busy_far = false;
        wait_writable(p);
    }
}

void runtime_writable(struct runtime *rt, rusm_pid pid)
{
    struct rusm_process *p = runtime_local(rt, pid);

    if (pid.serial == 0) {
        exit_notice_retry(rt);
    }
    if (rt->far) {
        rt->far->writable(rt, pid);
    }
    if (p) {
        runtime_writable_one(p);
    } else if (pid.serial == 0) {
        list_each(l, &rt->processes_by_serial.all) {
            runtime_writable_one(container_of(l, struct rusm_process, all));
        }
    }
}

/* ---- names ---- */

int runtime_teach(struct runtime *rt, const char *name, const struct rusm_behaviour *behaviour)
{
    return spawnables_teach(&rt->spawnables, name, behaviour);
}

const struct rusm_behaviour *runtime_spawnable(struct runtime *rt, const char *name, size_t len)
{
    return spawnables_find(&rt->spawnables, name, len);
}

int runtime_register(struct runtime *rt, uint64_t serial, const char *name, size_t len)
{
    int err = names_add(rt, serial, name, len);

    rt->epoch += err == 0;
    if (err == 0) {
        process_event_name(rt, PROCESS_NAMED, serial, name, len);
    }
    return err;
}

int runtime_register_global(struct runtime *rt, rusm_pid pid, const char *name)
{
    struct rusm_process *p = runtime_local(rt, pid);

    if (!p && !runtime_far(rt, pid)) {
        return RUSM_ENOPROC;
    }
    int err = rt->hooks->register_global(rt->context, pid, name);
    if (err == 0 && p) {
        p->global = true;
    } else if (err == 0) {
        err = rt->far->global(rt, pid);
        if (err) {
            (void)rt->hooks->unregister_global(rt->context, pid, name);
        }
    }
    return err;
}

int runtime_unregister(struct runtime *rt, const char *name, size_t len)
{
    int err = names_remove(rt, name, len);

    rt->epoch += err == 0;
    if (err == 0) {
        process_event_name(rt, PROCESS_UNNAMED, 0, name, len);
    }
    return err;
}

int runtime_node_index(struct runtime *rt, const char *name, size_t len, uint32_t *index)
{
    return nodes_index(&rt->nodes, name, len, index);
}

int runtime_node_heard(struct runtime *rt, const char *name, size_t len, uint32_t *index)
{
    return nodes_heard(&rt->nodes, name, len, index);
}

int runtime_client_up(struct runtime *rt, uint32_t *index)
{
    int err = nodes_client_up(&rt->nodes, index);

    if (err == 0 && rt->far && (err = rt->far->client_up(rt, nodes_at(&rt->nodes, *index))) != 0) {
        nodes_client_down(&rt->nodes, *index);
    }
    return err;
}

void runtime_client_down(struct runtime *rt, uint32_t index)
{
    if (rt->far) {
        rt->far->client_down(rt, nodes_at(&rt->nodes, index));
    }
    nodes_client_down(&rt->nodes, index);
}

const char *runtime_node_name(const struct runtime *rt, uint32_t index)
{
    struct node_name *node = nodes_at(&rt->nodes, index);

    return node ? node->name : NULL;
}
