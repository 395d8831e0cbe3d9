/* spawn: how a process of a runtime begins. Declared in runtime.h. Called by behaviours (self.c),
 * by supervisors and by the node. */
#include <string.h>

#include "actor/coroutine.h"
#include "actor/process_event.h"
#include "actor/process.h"
#include "base/err.h"
#include "actor/limits.h"
#include "base/limits.h"
#include "base/must.h"

/* Makes a process that has nothing to do yet and is not in the table yet. Returns NULL if there is
 * no memory. */
static struct rusm_process *runtime_process(struct runtime *rt,
                                            const struct rusm_behaviour *behaviour)
{
    struct rusm_process *p = slab_take(&rt->processes);

    if (!p) {
        return NULL;
    }
    *p = (struct rusm_process){ .rt = rt,
                                .serial = rt->serial + rt->mask + 1,
                                .behaviour = behaviour };
    p->started_ns = rt->now_ns;
    list_init(&p->run);
    list_init(&p->all);
    list_init(&p->waiters);
    list_init(&p->waits);
    list_init(&p->wake);
    list_init(&p->names);
    list_init(&p->owned);
    list_init(&p->watchers);
    list_init(&p->watching);
    return p;
}

/* Runs the behaviour's init. If it fails, *why has a text, and p a reason. */
static int runtime_process_init(struct rusm_process *p, const struct rusm_args *args,
                                struct rusm_why *why)
{
    struct runtime *rt = p->rt;
    struct rusm_process *outer = rt->init;
    struct rusm_why *outer_why = rt->init_why;
    int err = 0;

    why->text[0] = 0;
    if (!p->behaviour->init) {
        return 0;
    }
    rt->init = p;
    rt->init_why = why;
    rt->init_depth++;
    rt->depth++;
    p->running = true;
    err = p->behaviour->init(p, args, &p->state);
    if (err == 0 && p->reason && p->behaviour->stop) {
        p->behaviour->stop(p, p->state, p->reason); /* stop must free the state */
    }
    p->running = false;
    rt->depth--;
    rt->init_depth--;
    rt->init = outer;
    rt->init_why = outer_why;
    if (err == 0 && !p->reason) {
        return 0;
    }
    if (!why->text[0]) {
        err_why(why, 0, "%s", p->reason ? p->reason : rusm_strerror(err));
    }
    p->running = true; /* the caller ends it, not runtime_reap */
    rt->init_error = p->reason ? 0 : err;
    process_kill(p, why->text, strlen(why->text));
    return RUSM_EINIT;
}

int runtime_check_args(const struct rusm_args *args)
{
    size_t bytes = 0;

    if (args->count > RUSM_ARGS_MAX) {
        return RUSM_ELIMIT;
    }
    for (size_t i = 0; i < args->count; i++) {
        bytes += strlen(args->value[i]);
    }
    return bytes > LIMIT_ARGS_BYTES ? RUSM_ELIMIT : 0;
}

int runtime_spawn(struct runtime *rt, const struct rusm_behaviour *behaviour,
                  const struct rusm_args *args, rusm_pid *pid, struct rusm_why *why,
                  uint64_t now_ns)
{
    struct rusm_why own;

    must(behaviour->receive || behaviour->body);
    if (rt->closing) {
        return err_why(why, RUSM_ECLOSED, "%s", rusm_strerror(RUSM_ECLOSED));
    }
    if (rt->processes_by_serial.count >= LIMIT_PROCESSES / rt->schedulers ||
        rt->init_depth >= LIMIT_INIT_DEPTH) {
        return err_why(why, RUSM_ELIMIT, "too many processes%s",
                       rt->init_depth ? " or inits within inits" : "");
    }
    rt->now_ns = now_ns;
    struct rusm_process *p = runtime_process(rt, behaviour);
    if (!p || process_table_insert(&rt->processes_by_serial, p) != 0) {
        if (p) {
            slab_give(&rt->processes, p);
        }
        return err_why(why, RUSM_ENOMEM, "%s", rusm_strerror(RUSM_ENOMEM));
    }
    rt->serial = p->serial;
    *pid = process_pid(p);
    int err = behaviour->body ? coroutine_begin(p) : 0;
    if (err) {
        p->running = true;
        process_kill(p, "no stack", strlen("no stack"));
        process_remove(p);
        return err_why(why, err, "cannot allocate its stack: %s", rusm_strerror(err));
    }
    err = runtime_process_init(p, args ? args : &process_no_args, why ? why : &own);
    if (err) {
        process_remove(p);
        return err;
    }
    rt->counters.processes_started++;
    process_event_of(p, PROCESS_STARTED);
    process_schedule(p);
    return 0;
}
