/* spawning: see the header. What is done elsewhere is an errand. */
#include "actor/spawning.h"

#include <stdlib.h>
#include <string.h>
#include "actor/child.h"
#include "actor/crossing.h"
#include "actor/state.h"
#include "base/err.h"

int spawning_init(struct spawning *s, const struct rusm_behaviour *behaviour,
                  const struct rusm_args *args, const char *name, size_t name_len, bool global)
{
    *s = (struct spawning){ .behaviour = behaviour, .name_len = name_len, .global = global };
    int err = child_args_copy(&s->args, args);

    if (err == 0 && name) {
        s->name = strndup(name, name_len);
        err = s->name ? 0 : RUSM_ENOMEM;
    }
    return err;
}

void spawning_fini(struct spawning *s)
{
    child_args_fini(&s->args);
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

static void spawning_run(struct errand *errand, struct runtime *there)
{
    struct spawning *s = container_of(errand, struct spawning, errand);

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

static void spawning_done(struct errand *errand, struct runtime *here)
{
    struct spawning *s = container_of(errand, struct spawning, errand);

    s->over(s, here);
}

int spawning_start(struct runtime *rt, struct spawning *s)
{
    unsigned to = rt->index;

    if (rt->side) {
        to = crossing_turn(rt->side->crossing);
    }
    s->errand = (struct errand){ .run = spawning_run, .done = spawning_done };
    if (to != rt->index) {
        return runtime_errand(rt, to, &s->errand);
    }
    spawning_run(&s->errand, rt);
    s->over(s, rt);
    return 0;
}
