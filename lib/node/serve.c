/* serve: requests that another scheduler's thread works on: a spawn, a kill. The answer is given by
 * the connection's, to a peer that may be gone by then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "node/node.h"
#include "node/rpc.h"
#include "node/serve.h"

void served_begin(struct served *s, struct connection *c, uint64_t id)
{
    *s = (struct served){ .c = c, .id = id };
    list_init(&s->link);
    list_append(&c->served, &s->link);
}

void served_end(struct served *s)
{
    list_remove(&s->link);
}

void served_forget_all(struct connection *c)
{
    list_each_safe(link, &c->served) {
        struct served *s = container_of(link, struct served, link);
        list_remove(link);
        s->c = NULL;
    }
}

/* ---- spawn ---- */

struct served_spawn {
    struct spawning spawning;
    struct served served;
    char spawnable[RUSM_NAME_MAX + 1];
};

void serve_spawn_failed(const struct rusm_node *node, const struct spawning *s,
                        const char *spawnable, struct rusm_why *why)
{
    if (s->unnamed) {
        err_why(why, s->error,
                s->error == RUSM_EEXIST ? "the name '%s' is taken on %s"
                                        : "cannot register '%s' on %s",
                s->name, node->name);
    } else {
        err_why(why, s->error, "cannot spawn '%s': %s", spawnable,
                s->why.text[0] ? s->why.text : rusm_strerror(s->error));
    }
}

int serve_spawning(struct scheduler *at, struct spawning *s, const struct spawn *spawn,
                   const struct rusm_args *args,
                   void (*over)(struct spawning *s, struct runtime *here), struct rusm_why *why)
{
    const struct rusm_behaviour *behaviour;
    int error = rpc_spawnable(at, spawn, &behaviour, why);
    if (error) {
        return error;
    }
    error = spawning_init(s, behaviour, args, spawn->scope == SPAWN_NO_NAME ? NULL : spawn->name,
                          spawn->name_len, spawn->scope == SPAWN_GLOBAL);
    s->over = over;
    error = error ? error : spawning_start(at->runtime, s);
    if (!error) {
        return 0;
    }
    spawning_fini(s);
    return err_why(why, error, "%s", rusm_strerror(error));
}

static void spawn_over(struct spawning *spawning, struct runtime *here)
{
    struct served_spawn *s = (struct served_spawn *)(void *)spawning;
    struct connection *c = s->served.c;
    struct rusm_why why;
    (void)here;
    if (c && spawning->error) {
        serve_spawn_failed(c->scheduler->node, spawning, s->spawnable, &why);
        rpc_fail(c, s->served.id, spawning->error, "%s", why.text);
    } else if (c) {
        rpc_spawned(c, s->served.id, spawning->pid);
    }
    served_end(&s->served);
    spawning_fini(spawning);
    free(s);
}

int serve_spawn_for(struct connection *c, uint64_t id, const struct spawn *spawn,
                    const struct rusm_args *args, struct rusm_why *why)
{
    struct served_spawn *s = calloc(1, sizeof(*s));
    if (!s) {
        return err_why(why, RUSM_ENOMEM, "%s", rusm_strerror(RUSM_ENOMEM));
    }
    served_begin(&s->served, c, id);
    memcpy(s->spawnable, spawn->spawnable, spawn->spawnable_len);
    int error = serve_spawning(c->scheduler, &s->spawning, spawn, args, spawn_over, why);
    if (error) {
        served_end(&s->served);
        free(s);
    }
    return error;
}

/* ---- kill ---- */

static void kill_run(struct task *task, struct runtime *there)
{
    struct killing *k = (struct killing *)(void *)task;
    k->error = runtime_exit(there, k->serial, (rusm_pid){ 0 }, k->reason);
}

static void kill_done(struct task *task, struct runtime *here)
{
    struct killing *k = (struct killing *)(void *)task;
    (void)here;
    k->over(k);
}

int serve_killing(struct scheduler *at, struct killing *k, uint64_t serial, const char *reason,
                  void (*over)(struct killing *k))
{
    k->task = (struct task){ .run = kill_run, .done = kill_done };
    k->over = over;
    k->serial = serial;
    snprintf(k->reason, sizeof(k->reason), "%s", reason);
    return runtime_task(at->runtime, runtime_whose(at->runtime, serial), &k->task);
}

struct served_kill {
    struct killing killing;
    struct served served;
};

static void kill_over(struct killing *killing)
{
    struct served_kill *k = (struct served_kill *)(void *)killing;
    struct connection *c = k->served.c;
    if (c && killing->error) {
        rpc_fail(c, k->served.id, RUSM_ENOPROC, "no process %llu@%s",
                 (unsigned long long)killing->serial, c->scheduler->node->name);
    } else if (c) {
        rpc_done(c, k->served.id);
    }
    served_end(&k->served);
    free(k);
}

int serve_kill_far(struct connection *c, uint64_t id, uint64_t serial, const char *reason)
{
    struct served_kill *k = calloc(1, sizeof(*k));
    if (!k) {
        return RUSM_ENOMEM;
    }
    served_begin(&k->served, c, id);
    int error = serve_killing(c->scheduler, &k->killing, serial, reason, kill_over);
    if (error) {
        served_end(&k->served);
        free(k);
    }
    return error;
}

/* ---- a spawn that a process asks of another node, whose connection is another scheduler's ---- */

struct asked_spawn {
    struct spawning spawning; /* what is copied */
    rusm_pid self;
    uint32_t node;
    uint64_t ref;
    int error;
    struct scheduler *to; /* whose connection it is */
};

static void ask_run(struct task *task, struct runtime *there)
{
    struct asked_spawn *a = (struct asked_spawn *)(void *)task;
    struct connection *c = connection_find(a->to, a->node);
    (void)there;
    a->error = c ? rpc_spawn(c, a->self.serial, a->spawning.name, &a->spawning.args, a->ref)
                 : RUSM_ENOCONN;
}

static void ask_done(struct task *task, struct runtime *here)
{
    struct asked_spawn *a = (struct asked_spawn *)(void *)task;
    if (a->error) {
        runtime_answer(here, a->self.serial, RUSM_FAILED, a->error, (rusm_pid){ .node = a->node },
                       a->ref, rusm_strerror(a->error));
    }
    spawning_fini(&a->spawning);
    free(a);
}

int serve_spawn_at(struct scheduler *s, rusm_pid self, uint32_t index, const char *spawnable,
                   const struct rusm_args *args, uint64_t ref)
{
    struct asked_spawn *a = calloc(1, sizeof(*a));
    if (!a) {
        return RUSM_ENOMEM;
    }
    int error = spawning_init(&a->spawning, NULL, args, spawnable, strlen(spawnable), false);
    a->spawning.task = (struct task){ .run = ask_run, .done = ask_done };
    a->self = self;
    a->node = index;
    a->ref = ref;
    a->to = &s->node->schedulers[runtime_node_scheduler(s->runtime, index)];
    error = error ? error : runtime_task(s->runtime, a->to->index, &a->spawning.task);
    if (error) {
        spawning_fini(&a->spawning);
        free(a);
    }
    return error;
}
