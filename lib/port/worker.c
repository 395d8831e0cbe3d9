/* worker: see the header. The process takes messages from its mailbox as fast as a program reads
 * them. It reads a program's output as fast as the receivers take it. A watch only wakes the
 * process, which then looks at all its programs. Called by the runtime. */
#include "port/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actor/runtime.h"
#include "port/limits.h"
#include "port/complaint.h"

#define RESTART_WINDOW_NS ((uint64_t)5 * 1000000000)

void worker_exit(struct worker *w, const char *reason)
{
    w->over = true;
    rusm_exit(w->self, reason);
}

bool worker_full(const struct place *p)
{
    if (buf_len(&p->program->unwritten) < LIMIT_PROGRAM_QUEUE) {
        return false;
    }
    p->program->awaited = true;
    return true;
}

void worker_refuse(struct place *p, const struct rusm_message *m, const char *reason)
{
    struct worker *w = p->worker;

    w->host->counters.refused++;
    complaint_say(p->program, "a message of %zu bytes was refused: %s", m->len, reason);
    if (m->kind == RUSM_CALL) {
        (void)rusm_refuse(w->self, m, reason);
    }
}

int worker_idle_line(struct place *p, bool *first)
{
    uint64_t now_ns = rusm_now_ns(p->worker->self);

    *first = now_ns - p->idle_ns >= 1000000000;
    if (*first) {
        p->idle_ns = now_ns;
        p->idle = 0;
    }
    if (++p->idle <= LIMIT_PROGRAM_UNASKED) {
        return 0;
    }
    worker_exit(p->worker, "its program floods its output");
    return RUSM_ELIMIT;
}

/* ---- programs ---- */

static void worker_event(void *user)
{
    struct worker *w = user;

    if (!list_linked(&w->event.link)) {
        list_append(&w->host->events, &w->event.link);
    }
}

static void worker_ready(struct port_event *e)
{
    process_wake(container_of(e, struct worker, event)->self);
}

static int worker_start(struct worker *w, unsigned i, struct rusm_why *why)
{
    struct place *p = &w->place[i];
    char label[96];
    struct program_options o = { .command = w->exec->command,
                                 .zero = w->exec->name,
                                 .args = w->args,
                                 .pid = w->pid,
                                 .label = label,
                                 .pty = w->exec->pty,
                                 .most = LIMIT_PROGRAM_QUEUE + w->exec->framing->most + 8,
                                 .event = worker_event,
                                 .user = w };

    if (w->exec->count > 1) {
        snprintf(label, sizeof(label), "process %llu (%s, %u)",
                 (unsigned long long)rusm_self(w->self).serial, w->exec->name, i + 1);
    } else {
        snprintf(label, sizeof(label), "process %llu (%s)",
                 (unsigned long long)rusm_self(w->self).serial, w->exec->name);
    }
    p->worker = w;
    p->lost = NULL;
    p->drained = p->printed = p->silent = false;
    p->idle = p->idle_ns = 0;
    buf_init(&p->said, w->exec->framing->most);
    answers_init(&p->answers);
    map_init(&p->calls, rusm_self(w->self).serial);
    return program_start(w->host, &o, &p->program, why);
}

/* Ends a program and frees what its place holds. reason is the program's; NULL: the process ends
 * too. */
static void worker_end(struct worker *w, struct place *p, const char *reason)
{
    w->exec->framing->ended(p, reason);
    program_end(p->program, rusm_now_ns(w->self));
    p->program = NULL;
    buf_fini(&p->said);
}

/* Returns whether another restart is allowed. As with a supervisor, there may be only a few in a
 * short time. */
static bool worker_may_restart(struct worker *w)
{
    uint64_t now_ns = rusm_now_ns(w->self);
    uint64_t *oldest = &w->restart_ns[w->restarts % WORKER_RESTARTS];
    bool may = w->restarts < WORKER_RESTARTS || now_ns - *oldest > RESTART_WINDOW_NS;

    *oldest = now_ns;
    w->restarts++;
    return may;
}

/* Ends a program that has exited and whose output was all used, or that can answer nobody any more.
 * If it is the only one, the process ends with it. In a pool, another program takes its place. */
static void worker_gone(struct worker *w, struct place *p, const char *why_gone)
{
    char reason[RUSM_REASON_MAX + 1];
    struct rusm_why why;

    snprintf(reason, sizeof(reason), "%s", why_gone);
    if (w->exec->count == 1) {
        worker_exit(w, reason);
        return;
    }
    log_warn(w->host->log, "%s: %s", p->program->label, reason);
    worker_end(w, p, reason);
    if (!worker_may_restart(w)) {
        worker_exit(w, reason);
    } else if (worker_start(w, (unsigned)(p - w->place), &why) != 0) {
        worker_exit(w, why.text);
    }
}

/* Returns why a program that runs can take no calls: it has closed its input or its output. NULL:
 * it can. */
static const char *worker_closed(const struct program *program)
{
    return program->deaf    ? "its program reads no more"
           : program->ended ? "its program has closed its output"
                            : NULL;
}

/* ---- output of programs ---- */

/* Acts on the output that was read. Returns false if the rest must wait, or if the process
 * exits. */
static bool worker_take(struct place *p)
{
    const struct framing *framing = p->worker->exec->framing;
    bool last = p->drained || p->program->ended;

    while (buf_len(&p->said) > 0) {
        ssize_t used = framing->take(p, buf_data(&p->said), buf_len(&p->said), last);
        if (used < 0) {
            return false;
        }
        if (used == 0) {
            break;
        }
        buf_consume(&p->said, (size_t)used);
    }
    if (last) {
        buf_clear(&p->said); /* an incomplete unit */
    }
    return true;
}

static void worker_pump(struct worker *w, struct place *p)
{
    const struct framing *framing = w->exec->framing;
    struct program *program = p->program;
    size_t budget = LIMIT_PROGRAM_READ;

    while (worker_take(p)) {
        if (!program->readable && (!program->exited || p->drained)) {
            break;
        }
        if (budget == 0) {
            process_wake(w->self);
            return;
        }
        ssize_t n = program_read(program, &p->said, budget);
        if (n > 0) {
            budget -= (size_t)n;
            p->printed = true;
        } else if (n == RUSM_ELIMIT || n == RUSM_ENOMEM) {
            worker_exit(w, n == RUSM_ENOMEM ? "no memory"
                                            : "its program printed a line that is too long");
            return;
        } else if (program->exited) {
            p->drained = true; /* ignore others that still have its output open */
        }
    }
    if (w->over) {
        return;
    }
    if (program->broken && !program->exited && !p->lost && buf_len(&p->said) == 0 &&
        ((program->ended && p->printed) || framing->waits(p))) {
        p->lost = worker_closed(program); /* one whose output never was for us only takes */
    }
    if (p->lost) {
        worker_gone(w, p, p->lost);
        return;
    }
    if (p->drained && buf_len(&p->said) == 0) {
        worker_gone(w, p, program->reason);
    } else if (buf_len(&p->said) == 0 && p->said.cap > LIMIT_PROGRAM_READ) {
        buf_trim(&p->said);
    }
}

/* ---- the behaviour ---- */

/* Offers a message to a program that has closed its input or its output. Returns 0, or RUSM_BUSY
 * while it may be about to exit. */
static int worker_offer_closed(struct place *p, const struct rusm_message *m)
{
    struct program *program = p->program;

    if (m->kind == RUSM_CALL && !program->broken) {
        return RUSM_BUSY;
    }
    worker_refuse(p, m, worker_closed(program));
    if (m->kind == RUSM_CALL && program->deaf) {
        worker_gone(p->worker, p, worker_closed(program));
    }
    return 0;
}

static int worker_offer(struct worker *w, const struct rusm_message *m)
{
    const struct framing *framing = w->exec->framing;
    struct place *only = framing->where ? framing->where(w, m) : NULL;

    for (unsigned i = 0; i < (only ? 1 : w->count); i++) {
        struct place *p = only ? only : &w->place[(w->turn + i) % w->count];
        bool closed = p->program->deaf || (p->program->ended && m->kind == RUSM_CALL);
        int error = closed ? worker_offer_closed(p, m) : framing->offer(p, m);
        if (error != RUSM_BUSY) {
            w->turn = (w->turn + i + 1) % w->count;
            return error;
        }
    }
    return RUSM_BUSY;
}

void worker_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct worker *w = state;

    for (unsigned i = 0; i < w->count && !w->over; i++) {
        worker_pump(w, &w->place[i]);
    }
    if (w->over || m->kind == RUSM_WRITABLE) {
        return;
    }
    if (worker_offer(w, m) == RUSM_BUSY) {
        process_hold(self, true);
    }
}

/* Copies the arguments for programs that are started later. Returns 0 or RUSM_ENOMEM. */
static int worker_args(struct worker *w, const struct rusm_args *args)
{
    size_t bytes = 0;

    for (size_t i = 0; i < args->count; i++) {
        bytes += strlen(args->value[i]) + 1;
    }
    const char **value = malloc(args->count * sizeof(*value) + bytes + 1);
    if (!value) {
        return RUSM_ENOMEM;
    }
    char *text = (char *)&value[args->count];
    for (size_t i = 0; i < args->count; i++) {
        value[i] = text;
        text = stpcpy(text, args->value[i]) + 1;
    }
    w->args = (struct rusm_args){ .count = args->count, .value = value };
    return 0;
}

static void worker_free(struct worker *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (w->place[i].program) {
            worker_end(w, &w->place[i], NULL);
        }
    }
    map_fini(&w->asked);
    list_remove(&w->event.link);
    free((void *)w->args.value);
    free(w);
}

int worker_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    const struct exec *exec = rusm_context(self);
    struct worker *w = calloc(1, sizeof(*w) + exec->count * sizeof(*w->place));
    struct rusm_why why = { "" };
    int error;

    if (!w) {
        return RUSM_ENOMEM;
    }
    w->self = self;
    list_init(&w->event.link);
    w->event.ready = worker_ready;
    w->exec = exec;
    w->host = exec->port.ports->host(self);
    map_init(&w->asked, rusm_self(self).serial);
    rusm_pid_format(self, rusm_self(self), w->pid, sizeof(w->pid));
    error = worker_args(w, args);
    for (unsigned i = 0; i < exec->count && !error; i++) {
        error = worker_start(w, i, &why);
        w->count += error == 0;
    }
    if (error) {
        if (why.text[0]) {
            rusm_init_error(self, "%s", why.text);
        }
        worker_free(w);
        return error;
    }
    *state = w;
    return 0;
}

void worker_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    worker_free(state);
}
