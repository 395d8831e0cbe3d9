/* requests: see the header. If the process of a request belongs to another scheduler, a task runs
 * there. Its request_work keeps the request meanwhile. */
#include "service/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "cluster/registry.h"
#include "sched/spawning.h"
#include "service/inspect.h"
#include "wire/limits.h"
#include "wire/rpc.h"

struct request_work {
    struct asker *asker; /* NULL: nobody waits for the answer any more */
    struct service *service;
};

/* ---- answers ---- */

__attribute__((format(printf, 3, 4))) static void request_fail(struct asker *asker, int error,
                                                               const char *format, ...)
{
    struct rusm_why why;
    va_list args;

    va_start(args, format);
    err_why_list(&why, error, format, args);
    va_end(args);
    asker->answer(asker, error, why.text, strlen(why.text));
}

static void request_no_memory(struct asker *asker)
{
    request_fail(asker, RUSM_ENOMEM, "%s", rusm_strerror(RUSM_ENOMEM));
}

static void request_answer_pid(struct asker *asker, const struct wire_pid *pid)
{
    uint8_t body[256];
    struct writer w = writer_on(body, sizeof(body));

    wire_pid_write(&w, pid);
    asker->answer(asker, 0, body, writer_len(&w));
}

static void request_begin(struct request_work *work, struct service *s, struct asker *asker)
{
    *work = (struct request_work){ .asker = asker, .service = s };
    asker->work = work;
}

/* Returns who waits for the answer, or NULL if nobody does. */
static struct asker *request_end(struct request_work *work)
{
    struct asker *asker = work->asker;

    request_forget(asker);
    return asker;
}

void request_forget(struct asker *asker)
{
    if (asker && asker->work) {
        asker->work->asker = NULL;
        asker->work = NULL;
    }
}

/* ---- spawn ---- */

struct request_spawn {
    struct request_work work;
    struct spawning spawning;
    char spawnable[RUSM_NAME_MAX + 1];
    const char *by; /* who asked; NULL: nobody wants to know */
    char from[REQUEST_FROM];
};

static void spawn_answer(const struct request_spawn *q, struct asker *asker)
{
    const struct spawning *spawning = &q->spawning;

    if (!spawning->error) {
        request_answer_pid(asker, &(struct wire_pid){ .serial = spawning->pid.serial,
                                                      .incarnation = spawning->pid.incarnation,
                                                      .node = "" });
    } else if (spawning->unnamed) {
        request_fail(asker, spawning->error,
                     spawning->error == RUSM_EEXIST ? "the name '%s' is taken on %s"
                                                    : "cannot register '%s' on %s",
                     spawning->name, q->work.service->name);
    } else {
        request_fail(asker, spawning->error, "cannot spawn '%s': %s", q->spawnable,
                     spawning->why.text[0] ? spawning->why.text : rusm_strerror(spawning->error));
    }
}

static void spawn_over(struct spawning *spawning, struct runtime *here)
{
    struct request_spawn *q = container_of(spawning, struct request_spawn, spawning);
    struct asker *asker = request_end(&q->work);

    (void)here;
    if (q->by && !spawning->error) {
        struct service *s = q->work.service;
        s->node->spawned(s->context,
                         &(struct service_spawned){ .serial = spawning->pid.serial,
                                                    .spawnable = q->spawnable,
                                                    .name = spawning->name ? spawning->name : "",
                                                    .by = q->by,
                                                    .from = q->from });
    }
    if (asker) {
        spawn_answer(q, asker);
    }
    spawning_fini(spawning);
    free(q);
}

struct known_spawnables {
    char text[300];
    size_t len;
};

static int add_known(void *context, const char *name, const struct rusm_behaviour *behaviour)
{
    struct known_spawnables *k = context;

    (void)behaviour;
    int n = snprintf(k->text + k->len, sizeof(k->text) - k->len, "%s%s", k->len ? ", " : "", name);
    if (n < 0 || k->len + (size_t)n >= sizeof(k->text)) {
        k->text[k->len] = 0;
        return 1;
    }
    k->len += (size_t)n;
    return 0;
}

/* Copies the arguments into TEXT as C strings and sets VALUES to them. */
static void read_args(struct spawn *spawn, char *text, const char **values)
{
    for (uint64_t i = 0; i < spawn->arg_count; i++) {
        size_t len;
        const uint8_t *arg = reader_text(&spawn->args, &len, LIMIT_ARGS_BYTES);
        if (len) {
            memcpy(text, arg, len);
        }
        text[len] = 0;
        values[i] = text;
        text += len + 1;
    }
}

static int spawn_begin(struct request_spawn *q, struct service *s,
                       const struct rusm_behaviour *behaviour, struct spawn *spawn)
{
    char text[LIMIT_ARGS_BYTES + RUSM_ARGS_MAX];
    const char *values[RUSM_ARGS_MAX];
    struct rusm_args args = { .count = (size_t)spawn->arg_count, .value = values };

    read_args(spawn, text, values);
    memcpy(q->spawnable, spawn->spawnable, spawn->spawnable_len);
    int error = spawning_init(&q->spawning, behaviour, &args,
                              spawn->scope == SPAWN_NO_NAME ? NULL : spawn->name, spawn->name_len,
                              spawn->scope == SPAWN_GLOBAL);
    q->spawning.over = spawn_over;
    return error ? error : spawning_start(s->runtime, &q->spawning);
}

static int request_spawn(struct service *s, struct asker *asker, struct reader *fields)
{
    const struct rusm_behaviour *behaviour;
    struct known_spawnables known = { .len = 0 };
    struct request_spawn *q;
    struct spawn spawn;

    if (spawn_decode(fields, &spawn) != 0) {
        return RUSM_EMALFORMED;
    }
    behaviour = runtime_spawnable(s->runtime, spawn.spawnable, spawn.spawnable_len);
    if (!behaviour) {
        runtime_each_spawnable(s->runtime, add_known, &known);
        request_fail(asker, RUSM_ENOSPAWNABLE, "no spawnable '%.*s' on %s (known: %s)",
                     (int)(spawn.spawnable_len < 100 ? spawn.spawnable_len : 100), spawn.spawnable,
                     s->name, known.len ? known.text : "none");
        return 0;
    }
    q = calloc(1, sizeof(*q));
    if (!q) {
        request_no_memory(asker);
        return 0;
    }
    if (s->node->watched(s->context)) {
        q->by = asker->who(asker, q->from);
    }
    request_begin(&q->work, s, asker);
    if (spawn_begin(q, s, behaviour, &spawn) != 0) { /* no memory: other errors come later */
        request_forget(asker);
        spawning_fini(&q->spawning);
        free(q);
        request_no_memory(asker);
    }
    return 0;
}

/* Nobody is there. */
static void request_nobody(const struct service *s, struct asker *asker,
                           const struct target *target)
{
    if (target->kind == TARGET_PID) {
        request_fail(asker, RUSM_ENOPROC, "no process %llu@%s", (unsigned long long)target->serial,
                     s->name);
    } else {
        request_fail(asker, RUSM_ENOPROC, "no process '%.*s' on %s", (int)target->name_len,
                     target->name, s->name);
    }
}

/* ---- process ---- */

#define REQUEST_PROCESS_BODY (LIMIT_FRAME - 1024) /* the reply goes in one frame */

struct request_process {
    struct request_work work;
    struct task task;
    uint64_t serial;
    char global[RUSM_NAME_MAX + 1]; /* its global name, which only scheduler `here` may ask for */
    size_t len;                     /* 0: it is gone */
    uint8_t body[REQUEST_PROCESS_BODY];
};

static void process_run(struct task *task, struct runtime *there)
{
    struct request_process *q = container_of(task, struct request_process, task);
    const struct rusm_process *p = runtime_find(there, q->serial);

    if (p) {
        q->len = inspect_write(q->body, sizeof(q->body), q->work.service, there, p, q->global);
    }
}

static void process_done(struct task *task, struct runtime *here)
{
    struct request_process *q = container_of(task, struct request_process, task);
    struct asker *asker = request_end(&q->work);
    const struct target gone = { .kind = TARGET_PID, .serial = q->serial };

    (void)here;
    if (asker && q->len > 0) {
        asker->answer(asker, 0, q->body, q->len);
    } else if (asker) {
        request_nobody(q->work.service, asker, &gone);
    }
    free(q);
}

static int request_process(struct service *s, struct asker *asker, struct reader *fields)
{
    struct request_process *q;
    struct rusm_process *p;
    struct target target;
    uint64_t far;

    target_read(fields, &target);
    if (fields->bad) {
        return RUSM_EMALFORMED;
    }
    p = service_find(s, &target, &far);
    if (!p && !far) {
        request_nobody(s, asker, &target);
        return 0;
    }
    q = calloc(1, sizeof(*q));
    if (!q) {
        request_no_memory(asker);
        return 0;
    }
    request_begin(&q->work, s, asker);
    q->task = (struct task){ .run = process_run, .done = process_done };
    q->serial = p ? process_serial(p) : far;
    s->node->global_name(s->context, q->serial, q->global);
    if (p) {
        process_run(&q->task, s->runtime);
        process_done(&q->task, s->runtime);
    } else if (runtime_task(s->runtime, runtime_whose(s->runtime, far), &q->task) != 0) {
        request_forget(asker);
        free(q);
        request_no_memory(asker);
    }
    return 0;
}

/* ---- kill ---- */

struct request_kill {
    struct request_work work;
    struct task task;
    uint64_t serial;
    int error;
    char reason[RUSM_REASON_MAX + 1];
};

static void kill_over(const struct service *s, struct asker *asker, uint64_t serial, int error)
{
    if (error) {
        request_nobody(s, asker, &(struct target){ .kind = TARGET_PID, .serial = serial });
    } else {
        asker->answer(asker, 0, NULL, 0);
    }
}

static void kill_run(struct task *task, struct runtime *there)
{
    struct request_kill *q = container_of(task, struct request_kill, task);

    q->error = runtime_exit(there, q->serial, (rusm_pid){ 0 }, q->reason);
}

static void kill_done(struct task *task, struct runtime *here)
{
    struct request_kill *q = container_of(task, struct request_kill, task);
    struct asker *asker = request_end(&q->work);

    (void)here;
    if (asker) {
        kill_over(q->work.service, asker, q->serial, q->error);
    }
    free(q);
}

/* Kills a process of another scheduler. */
static void kill_far(struct service *s, struct asker *asker, uint64_t serial, const char *reason)
{
    struct request_kill *q = calloc(1, sizeof(*q));

    if (!q) {
        request_no_memory(asker);
        return;
    }
    request_begin(&q->work, s, asker);
    q->task = (struct task){ .run = kill_run, .done = kill_done };
    q->serial = serial;
    snprintf(q->reason, sizeof(q->reason), "%s", reason);
    if (runtime_task(s->runtime, runtime_whose(s->runtime, serial), &q->task) != 0) {
        request_forget(asker);
        free(q);
        request_no_memory(asker);
    }
}

static int request_kill(struct service *s, struct asker *asker, struct reader *fields)
{
    char reason[RUSM_REASON_MAX + 1] = "kill";
    struct rusm_process *p;
    struct target target;
    uint64_t far;
    size_t len;

    target_read(fields, &target);
    const uint8_t *text = reader_text(fields, &len, RUSM_REASON_MAX);
    if (fields->bad) {
        return RUSM_EMALFORMED;
    }
    if (len) {
        memcpy(reason, text, len);
        reason[len] = 0;
    }
    p = service_find(s, &target, &far);
    if (far) {
        kill_far(s, asker, far, reason);
    } else if (p || target.kind == TARGET_PID) {
        kill_over(s, asker, target.serial,
                  p ? runtime_exit(s->runtime, process_serial(p), (rusm_pid){ 0 }, reason)
                    : RUSM_ENOPROC);
    } else {
        request_nobody(s, asker, &target);
    }
    return 0;
}

/* ---- stop, whereis ---- */

static int request_stop(struct service *s, struct asker *asker, struct reader *fields)
{
    (void)fields;
    asker->answer(asker, 0, NULL, 0);
    s->node->stop(s->context);
    return 0;
}

static int request_whereis(struct service *s, struct asker *asker, struct reader *fields)
{
    struct registry_holder holder;
    size_t len;

    const char *name = (const char *)reader_text(fields, &len, RUSM_NAME_MAX);
    if (fields->bad) {
        return RUSM_EMALFORMED;
    }
    if (s->node->whereis(s->context, name, len, &holder) != 0) {
        request_fail(asker, RUSM_ENOPROC, "no global name '%.*s'", (int)len, name);
        return 0;
    }
    const char *node = runtime_node_name(s->runtime, holder.node);
    request_answer_pid(asker, &(struct wire_pid){ .serial = holder.serial,
                                                  .incarnation = holder.incarnation,
                                                  .node = node,
                                                  .node_len = strlen(node) });
    return 0;
}

/* ---- all requests ---- */

static const struct request_kind {
    /* Answers the request, now or later, and returns 0. Returns RUSM_EMALFORMED without an answer
     * if the fields are not those of this request. */
    int (*make)(struct service *s, struct asker *asker, struct reader *fields);
    bool when_closed; /* answered even if all processes have ended */
} request_kinds[] = {
    [OP_SPAWN] = { .make = request_spawn },
    [OP_KILL] = { .make = request_kill },
    [OP_STOP] = { .make = request_stop, .when_closed = true },
    [OP_WHEREIS] = { .make = request_whereis },
    [OP_PROCESS] = { .make = request_process },
};

int request_make(struct service *s, struct asker *asker, uint64_t op, struct reader *fields)
{
    static const struct request_kind unknown = { .make = NULL };
    const struct request_kind *kind =
        op < sizeof(request_kinds) / sizeof(*request_kinds) ? &request_kinds[op] : &unknown;

    if (*s->closed && !kind->when_closed) {
        request_fail(asker, RUSM_ECLOSED, "%s is stopping", s->name);
    } else if (kind->make) {
        return kind->make(s, asker, fields);
    } else {
        request_fail(asker, RUSM_EINVAL,
                     "%s does not know this request: is it another version of rusm?", s->name);
    }
    return 0;
}
