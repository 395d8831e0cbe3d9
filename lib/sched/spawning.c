/* spawning: see the header. A spawn on another scheduler is a task. */
#include "sched/spawning.h"

#include <stdlib.h>
#include <string.h>
#include "actor/args.h"
#include "sched/bridge.h"
#include "actor/process.h"
#include "actor/spawnables.h"
#include "base/err.h"

int spawning_init(struct spawning *s, const struct rusm_behaviour *behaviour,
                  const struct rusm_args *args, const char *name, size_t name_len, bool global)
{
    *s = (struct spawning){ .behaviour = behaviour, .name_len = name_len, .global = global };
    int err = args_copy(&s->args, args);

    if (err == 0 && name) {
        s->name = strndup(name, name_len);
        err = s->name ? 0 : RUSM_ENOMEM;
    }
    return err;
}

void spawning_fini(struct spawning *s)
{
    args_fini(&s->args);
    free(s->name);
}

static int spawning_register(struct runtime *rt, const struct spawning *s)
{
    if (!s->name) {
        return 0;
    }
    return s->global ? runtime_register_global(rt, s->pid, s->name)
                     : runtime_register(rt, s->pid.serial, s->name, s->name_len);
}

static void spawning_run(struct task *task, struct runtime *there)
{
    struct spawning *s = container_of(task, struct spawning, task);

    s->error = runtime_spawn(there, s->behaviour, &s->args, &s->pid, &s->why, there->now_ns);
    if (s->error) {
        return;
    }
    s->error = spawning_register(there, s);
    if (s->error) {
        s->unnamed = true;
        err_why(&s->why, s->error, "%s", rusm_strerror(s->error));
        (void)runtime_kill(there, s->pid.serial, "name not registered");
    }
}

static void spawning_done(struct task *task, struct runtime *here)
{
    struct spawning *s = container_of(task, struct spawning, task);

    s->over(s, here);
}

int spawning_start(struct runtime *rt, struct spawning *s)
{
    unsigned to = rt->index;

    if (rt->side) {
        to = bridge_next_scheduler(rt->side->bridge);
    }
    s->task = (struct task){ .run = spawning_run, .done = spawning_done };
    if (to != rt->index) {
        return runtime_task(rt, to, &s->task);
    }
    spawning_run(&s->task, rt);
    s->over(s, rt);
    return 0;
}

/* ---- rusm_spawn_at ---- */

struct spawning_asked {
    struct spawning spawning;
    uint64_t self, ref;
};

static void spawning_tell(struct spawning *spawning, struct runtime *rt)
{
    struct spawning_asked *s = container_of(spawning, struct spawning_asked, spawning);
    struct rusm_process *self = process_table_find(&rt->processes_by_serial, s->self);

    if (self && spawning->error) {
        process_signal(self, RUSM_FAILED, (rusm_pid){ 0 }, s->ref, spawning->error,
                       spawning->why.text, strlen(spawning->why.text));
    } else if (self) {
        process_signal(self, RUSM_SPAWNED, spawning->pid, s->ref, 0, NULL, 0);
    }
    spawning_fini(spawning);
    free(s);
}

/* Spawns on this node, but reports the outcome in a message, as another node would. Returns 0 or
 * RUSM_ENOMEM. */
static int spawning_here(struct rusm_process *self, const char *spawnable,
                         const struct rusm_args *args, uint64_t ref)
{
    struct runtime *rt = self->rt;
    const struct rusm_behaviour *behaviour =
        spawnables_find(&rt->spawnables, spawnable, strlen(spawnable));

    if (!behaviour) {
        const char *text = rusm_strerror(RUSM_ENOSPAWNABLE);
        process_signal(self, RUSM_FAILED, (rusm_pid){ 0 }, ref, RUSM_ENOSPAWNABLE, text,
                       strlen(text));
        return 0;
    }
    struct spawning_asked *s = calloc(1, sizeof(*s));
    if (!s) {
        return RUSM_ENOMEM;
    }
    int err = spawning_init(&s->spawning, behaviour, args, NULL, 0, false);
    s->self = self->serial;
    s->ref = ref;
    s->spawning.over = spawning_tell;
    err = err ? err : spawning_start(rt, &s->spawning);
    if (err) {
        spawning_fini(&s->spawning);
        free(s);
    }
    return err;
}

int rusm_spawn_at(struct rusm_process *self, uint32_t node, const char *spawnable,
                  const struct rusm_args *args, uint64_t *ref)
{
    struct runtime *rt = self->rt;
    const struct rusm_args *given = args ? args : &process_no_args;
    int err = runtime_check_args(given);

    if (err) {
        return err;
    }
    if (!nodes_at(&rt->nodes, node)) {
        return RUSM_EINVAL;
    }
    *ref = ++rt->ref;
    if (node == 0) {
        return spawning_here(self, spawnable, given, *ref);
    }
    return rt->hooks->spawn_at(rt->context, process_pid(self), node, spawnable, given, *ref);
}
