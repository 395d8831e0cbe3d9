/* supervisor: see the header. A supervisor never waits. It stops children in a walk down the list,
 * which goes on with each exit signal that comes, or when a child's time is over. Called by
 * behaviours, by children.c and by the node. The runtime calls its behaviour. */
#include "otp/supervisor.h"

#include <stdlib.h>
#include <string.h>
#include "otp/child.h"
#include "otp/children.h"
#include "otp/keeper.h"
#include "actor/process_event.h"
#include "actor/link.h"
#include "actor/process.h"
#include "actor/sleep.h"
#include "base/err.h"

#define SUPERVISOR_SECONDS 5 /* max_seconds if none is given */

struct supervisor {
    struct children children;
    enum rusm_strategy strategy;
    uint32_t max_restarts, max_seconds;
    struct keeper keeper; /* of the node's own supervisor */
    rusm_pid parent;
    struct restarts restarts;
    bool stopping;     /* stops the children from `from` on, the last first */
    bool ending;       /* ... all of them, and then the supervisor ends */
    bool retry;        /* a child could not be restarted */
    size_t from, at;   /* `at`: the child that was told to stop */
    uint64_t until_ns; /* the deadline of that child */
    char reason[RUSM_REASON_MAX + 1];
};

static void supervisor_receive(struct rusm_process *self, void *state,
                               const struct rusm_message *m);
static void supervisor_stop(struct rusm_process *self, void *state, const char *reason);

static const struct rusm_behaviour supervisor_behaviour = { .name = "supervisor",
                                                            .receive = supervisor_receive,
                                                            .stop = supervisor_stop };

/* ---- how often ---- */

static void supervisor_stop_next(struct rusm_process *self, struct supervisor *s);

/* Stops all children, the last first, then ends the supervisor. */
static void supervisor_end(struct rusm_process *self, struct supervisor *s, const char *reason,
                           size_t len)
{
    if (s->ending) {
        return;
    }
    memcpy(s->reason, reason, len);
    s->reason[len] = 0;
    s->ending = true;
    s->from = 0;
    if (!s->stopping) {
        s->stopping = true;
        s->at = s->children.count;
        supervisor_stop_next(self, s);
    }
}

/* Returns whether c may be restarted. If not, ends the supervisor. */
static bool supervisor_may_restart(struct rusm_process *self, struct supervisor *s, struct child *c,
                                   const char *reason)
{
    if (!restarts_too_many(&s->restarts, s->max_restarts, (uint64_t)s->max_seconds * 1000000000,
                           self->rt->now_ns)) {
        return true;
    }
    log_error(self->rt->log,
              "supervisor %llu: more than %u restarts in %u s, last '%s' (%s): it stops",
              (unsigned long long)self->serial, s->max_restarts, s->max_seconds,
              child_title(&c->spec), reason);
    supervisor_end(self, s, "shutdown", strlen("shutdown"));
    return false;
}

/* ---- starting and stopping ---- */

/* Starts the wanted children from `from` on that do not run. Stops at one that fails: it is tried
 * again in the next tick. */
static void supervisor_start_from(struct rusm_process *self, struct supervisor *s, size_t from)
{
    for (size_t i = from; i < s->children.count; i++) {
        struct child *c = s->children.child[i];
        struct rusm_why why;
        rusm_pid pid;
        if (!c->wanted || c->serial != 0) {
            continue;
        }
        if (children_start(self, &s->children, c, &pid, &why) != 0) {
            log_warn(self->rt->log, "cannot restart '%s': %s", child_title(&c->spec), why.text);
            s->retry = true;
            self->writable = true; /* the next tick tries again */
            return;
        }
        self->rt->counters.processes_restarted++;
        process_event_of(process_table_find(&self->rt->processes_by_serial, pid.serial),
                         PROCESS_RESTARTED);
    }
}

/* Tells the next running child from the end to stop. If there is none left, ends the supervisor or
 * starts the children again. */
static void supervisor_stop_next(struct rusm_process *self, struct supervisor *s)
{
    struct runtime *rt = self->rt;

    while (s->at > s->from) {
        struct child *c = s->children.child[--s->at];
        struct rusm_process *p =
            c->serial ? process_table_find(&rt->processes_by_serial, c->serial) : NULL;
        if (!s->ending && c->spec.restart == RUSM_TEMPORARY) {
            c->wanted = false;
        }
        if (!p) {
            continue;
        }
        uint32_t ms = c->spec.shutdown_ms;
        const char *signal = ms == RUSM_BRUTAL ? "kill" : "shutdown";
        process_exit_signal(p, process_pid(self), signal, strlen(signal), false);
        s->until_ns = UINT64_MAX;
        if (ms != RUSM_FOREVER && ms != RUSM_BRUTAL) {
            s->until_ns = rt->now_ns + (uint64_t)ms * 1000000;
            if (sleep_until(self, s->until_ns) != 0) {
                process_exit_signal(p, process_pid(self), "kill", strlen("kill"), false);
            }
        }
        return;
    }
    s->stopping = false;
    sleep_end(self);
    if (s->ending) {
        process_kill(self, s->reason, strlen(s->reason));
    } else {
        supervisor_start_from(self, s, s->from);
    }
}

/* ---- what the supervisor receives ---- */

static bool child_is_restarted(const struct child *c, const char *reason)
{
    return c->spec.restart == RUSM_PERMANENT ||
           (c->spec.restart == RUSM_TRANSIENT && strcmp(reason, "normal") != 0 &&
            strcmp(reason, "shutdown") != 0);
}

static void supervisor_child_ended(struct rusm_process *self, struct supervisor *s, struct child *c,
                                   const char *reason)
{
    bool again = child_is_restarted(c, reason);

    children_ended(&s->children, c);
    if (s->stopping && c->index >= s->from) {
        /* It was told to stop, or ended by itself meanwhile. It is started again with the others if
         * it is wanted. */
        if (c->index == s->at) {
            supervisor_stop_next(self, s);
        } else {
            c->wanted = c->wanted && again;
        }
        return;
    }
    if (!again) {
        c->wanted = false;
        return;
    }
    if (s->keeper.options) {
        keeper_ended(self, &s->keeper, c, reason);
        return;
    }
    log_info(self->rt->log, "'%s' ended: %s; restarted", child_title(&c->spec), reason);
    if (!supervisor_may_restart(self, s, c, reason)) {
        return;
    }
    if (s->strategy == RUSM_ONE_FOR_ONE) {
        supervisor_start_from(self, s, c->index);
        return;
    }
    s->from = s->strategy == RUSM_ONE_FOR_ALL ? 0 : c->index;
    if (!s->stopping) {
        s->stopping = true;
        s->at = s->children.count;
        supervisor_stop_next(self, s);
    }
}

/* Handles RUSM_WRITABLE: a child's time is over, or a child that could not be restarted is tried
 * again. */
static void supervisor_tick(struct rusm_process *self, struct supervisor *s)
{
    if (s->stopping) {
        struct child *c = s->children.child[s->at];
        struct rusm_process *p =
            c->serial ? process_table_find(&self->rt->processes_by_serial, c->serial) : NULL;
        if (!p) { /* it was linked no longer, so no exit signal came */
            supervisor_child_ended(self, s, c, "noproc");
        } else if (self->rt->now_ns >= s->until_ns) {
            process_exit_signal(p, process_pid(self), "kill", strlen("kill"), false);
            self->writable = true; /* look again whether it is gone */
        } else if (s->until_ns != UINT64_MAX) {
            (void)sleep_until(self, s->until_ns);
        }
        return;
    }
    if (s->keeper.options) {
        keeper_tick(self, &s->keeper);
        return;
    }
    if (!s->retry) {
        return;
    }
    s->retry = false;
    for (size_t i = 0; i < s->children.count; i++) {
        struct child *c = s->children.child[i];
        if (c->wanted && c->serial == 0) {
            if (supervisor_may_restart(self, s, c, "not started")) {
                supervisor_start_from(self, s, 0);
            }
            return;
        }
    }
}

static void supervisor_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct supervisor *s = state;
    const char *reason = (const char *)m->data;

    if (m->kind == RUSM_WRITABLE) {
        supervisor_tick(self, s);
    } else if (m->kind == RUSM_EXIT) {
        struct child *c = m->from.node == 0 ? children_find(&s->children, m->from.serial) : NULL;
        if (c) {
            supervisor_child_ended(self, s, c, reason);
        } else if (rusm_pid_eq(m->from, s->parent)) {
            supervisor_end(self, s, reason, m->len);
        }
    }
}

static void supervisor_free(struct supervisor *s)
{
    children_fini(&s->children);
    restarts_fini(&s->restarts);
    free(s);
}

static void supervisor_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct supervisor *s = state;

    (void)reason;
    keeper_fini(&s->keeper, self->rt);
    supervisor_free(s);
}

/* ---- from outside ---- */

int supervisor_add(struct runtime *rt, uint64_t supervisor, const struct rusm_child *child,
                   rusm_pid *pid, struct rusm_why *why, uint64_t now_ns)
{
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, supervisor);
    int err = child_check(child);

    rt->now_ns = now_ns;
    if (!p || p->behaviour != &supervisor_behaviour) {
        return err_why(why, RUSM_ENOPROC, "no such supervisor");
    }
    struct supervisor *s = p->state;
    if (!err && (p->reason || s->ending)) {
        err = RUSM_ECLOSED;
    }
    err = err ? err : children_add(&s->children, child);
    if (err) {
        return err_why(why, err, "%s", rusm_strerror(err));
    }
    struct child *c = s->children.child[s->children.count - 1];
    struct rusm_why own = { "" }, *text = why ? why : &own;
    err = children_start(p, &s->children, c, pid, text);
    if (err && s->keeper.options && keeper_waits(p, &s->keeper, c, err, text->text)) {
        *pid = (rusm_pid){ 0 };
        return 0;
    }
    if (err) {
        children_drop_last(&s->children);
    }
    return err;
}

int supervisor_start(struct runtime *rt, const struct rusm_supervisor *options,
                     const struct keeper_options *keep, rusm_pid parent, rusm_pid *pid,
                     struct rusm_why *why, uint64_t now_ns)
{
    struct rusm_why own = { "" }, *text = why ? why : &own;

    rt->now_ns = now_ns;
    struct supervisor *s = calloc(1, sizeof(*s));
    int err = s ? child_check_all(options) : RUSM_ENOMEM;

    if (!err) {
        err = runtime_spawn(rt, &supervisor_behaviour, NULL, pid, text, rt->now_ns);
    }
    if (err) {
        free(s);
        return err_why(text, err, "%s", rusm_strerror(err));
    }
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, pid->serial), *above;
    p->state = s;
    p->trapping = true;
    children_init(&s->children, map_hash_u64(&rt->links, pid->serial));
    s->strategy = options->strategy;
    s->max_restarts = options->max_restarts;
    s->max_seconds = options->max_seconds ? options->max_seconds : SUPERVISOR_SECONDS;
    s->keeper = (struct keeper){ .options = keep,
                                 .children = &s->children,
                                 .max_restarts = s->max_restarts,
                                 .max_seconds = s->max_seconds };
    rng_init(&s->keeper.rng, map_hash_u64(&rt->links, ~pid->serial));
    s->parent = parent;
    above = runtime_local(rt, parent);
    err = above ? link_make(above, *pid) : 0;
    for (size_t i = 0; !err && i < options->child_count; i++) {
        rusm_pid child;
        err = supervisor_add(rt, pid->serial, &options->children[i], &child, text, now_ns);
        if (err && err != RUSM_ENOMEM && err != RUSM_ELIMIT) {
            err = RUSM_EINIT;
        }
    }
    if (err) {
        /* Children that run end with the supervisor, because they are linked. The return value, and
         * not an exit signal, tells the caller. */
        if (above) {
            (void)link_cut(above, *pid);
        }
        (void)runtime_kill(rt, pid->serial, "shutdown");
    }
    return err;
}

int rusm_supervise(struct rusm_process *self, const struct rusm_supervisor *supervisor,
                   rusm_pid *pid)
{
    return supervisor_start(self->rt, supervisor, NULL, process_pid(self), pid, NULL,
                            self->rt->now_ns);
}
