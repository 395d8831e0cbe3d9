/* supervisor: see the header. It never waits: to stop children is a walk down the list that goes on
 * with each exit signal that comes, or when a child's time is over. Called by self.c and the node; the
 * behaviour by the runtime. */
#include "actor/supervisor.h"

#include <stdlib.h>
#include <string.h>
#include "actor/child.h"
#include "actor/happen.h"
#include "actor/link.h"
#include "actor/process.h"
#include "actor/sleep.h"
#include "base/err.h"
#include "base/limits.h"

#define SUPERVISOR_SECONDS 5     /* max_seconds, if none is given */
#define SUPERVISOR_SHUTDOWN 5000 /* shutdown_ms, so too */

/* When the last restarts were, as many as are allowed. */
struct restarts {
    uint64_t *at_ns; /* a ring; NULL: not yet */
    uint32_t oldest, count;
};

struct child {
    struct map_node by_serial; /* while it runs */
    struct rusm_child spec;
    uint64_t serial; /* 0: it does not run */
    size_t index;
    bool wanted;              /* is to run */
    struct restarts restarts; /* if each child is counted for itself */
};

struct supervisor {
    struct child **child; /* child[0..count) in order of start */
    size_t count, cap;
    struct map by_serial;
    enum rusm_strategy strategy;
    uint32_t max_restarts, max_seconds;
    bool each;
    rusm_pid parent;
    struct restarts restarts;
    bool stopping;     /* children from `from` on are being stopped, the last first */
    bool ending;       /* ... all of them, and then itself */
    bool retry;        /* a child could not be restarted */
    size_t from, at;   /* `at`: the one that was told to stop */
    uint64_t until_ns; /* and its deadline */
    char reason[RUSM_REASON_MAX + 1];
};

static void supervisor_receive(struct rusm_process *self, void *state,
                               const struct rusm_message *m);
static void supervisor_stop(struct rusm_process *self, void *state, const char *reason);

static const struct rusm_behaviour supervisor_behaviour = { .name = "supervisor",
                                                            .receive = supervisor_receive,
                                                            .stop = supervisor_stop };

/* ---- children ---- */

static bool child_is(const struct map_node *node, const void *key)
{
    return list_entry(node, struct child, by_serial)->serial == *(const uint64_t *)key;
}

static struct child *supervisor_child(const struct supervisor *s, uint64_t serial)
{
    struct map_node *n =
        map_find(&s->by_serial, map_hash_u64(&s->by_serial, serial), child_is, &serial);

    return n ? list_entry(n, struct child, by_serial) : NULL;
}

static void child_free(struct child *c)
{
    child_fini(&c->spec);
    free(c->restarts.at_ns);
    free(c);
}

/* Puts a copy of it at the end of the list. RUSM_ELIMIT, RUSM_ENOMEM. */
static int supervisor_list(struct supervisor *s, const struct rusm_child *spec)
{
    if (s->count >= LIMIT_CHILDREN) {
        return RUSM_ELIMIT;
    }
    if (s->count == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 4;
        struct child **child = realloc(s->child, cap * sizeof(struct child *));
        if (!child) {
            return RUSM_ENOMEM;
        }
        s->child = child;
        s->cap = cap;
    }
    struct child *c = calloc(1, sizeof(*c));
    int err = c ? child_copy(&c->spec, spec) : RUSM_ENOMEM;
    if (err) {
        if (c) {
            child_free(c);
        }
        return err;
    }
    if (c->spec.shutdown_ms == 0) {
        c->spec.shutdown_ms = c->spec.behaviour ? SUPERVISOR_SHUTDOWN : RUSM_FOREVER;
    }
    c->index = s->count;
    c->wanted = true;
    s->child[s->count++] = c;
    return 0;
}

static int child_register(struct runtime *rt, const struct rusm_child *spec, rusm_pid pid)
{
    if (!spec->name) {
        return 0;
    }
    return spec->global ? runtime_register_global(rt, pid, spec->name)
                        : runtime_register(rt, pid.serial, spec->name, strlen(spec->name));
}

/* Starts, registers and links it. On failure nothing is left of it, and *why has a text. */
static int child_start(struct rusm_process *self, struct supervisor *s, struct child *c,
                       rusm_pid *pid, struct rusm_why *why)
{
    struct runtime *rt = self->rt;
    const struct rusm_child *spec = &c->spec;
    int err = spec->behaviour
                  ? runtime_spawn(rt, spec->behaviour, &spec->args, pid, why, rt->now_ns)
                  : supervisor_start(rt, spec->supervisor, false, process_pid(self), pid, why,
                                     rt->now_ns);

    if (err) {
        return err;
    }
    err = child_register(rt, spec, *pid);
    if (err) {
        err_why(why, err, "%s", err == RUSM_EEXIST ? "the name is taken" : rusm_strerror(err));
    } else {
        c->serial = pid->serial;
        err = map_insert(&s->by_serial, map_hash_u64(&s->by_serial, c->serial), &c->by_serial);
        if (err == 0 && (err = link_make(self, *pid)) != 0) {
            map_remove(&s->by_serial, &c->by_serial);
        }
        if (err) {
            err_why(why, err, "%s", rusm_strerror(err));
        }
    }
    if (err) {
        c->serial = 0;
        (void)link_cut(self, *pid); /* a supervisor's is there already */
        (void)runtime_kill(rt, pid->serial, "not started");
    }
    return err;
}

/* ---- how often ---- */

/* One more restart: too many within the window? */
static bool supervisor_too_many(const struct supervisor *s, struct restarts *r, uint64_t now_ns)
{
    uint64_t window_ns = (uint64_t)s->max_seconds * 1000000000;

    if (s->max_restarts == RUSM_UNLIMITED) {
        return false;
    }
    if (!r->at_ns && s->max_restarts > 0) {
        r->at_ns = malloc(s->max_restarts * sizeof(uint64_t));
    }
    if (!r->at_ns) {
        return true; /* none is allowed, or cannot be counted */
    }
    if (r->count < s->max_restarts) {
        r->at_ns[r->count++] = now_ns;
        return false;
    }
    if (now_ns - r->at_ns[r->oldest] <= window_ns) {
        return true;
    }
    r->at_ns[r->oldest] = now_ns;
    r->oldest = r->oldest + 1 == s->max_restarts ? 0 : r->oldest + 1;
    return false;
}

static void supervisor_stop_next(struct rusm_process *self, struct supervisor *s);

/* All children are to stop, the last first, then itself. */
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
        s->at = s->count;
        supervisor_stop_next(self, s);
    }
}

/* May c be restarted? If not, it is given up, or all are. */
static bool supervisor_may_restart(struct rusm_process *self, struct supervisor *s, struct child *c,
                                   const char *reason)
{
    const struct log *log = self->rt->log;

    if (!supervisor_too_many(s, s->each ? &c->restarts : &s->restarts, self->rt->now_ns)) {
        return true;
    }
    if (s->each) {
        log_error(log,
                  "'%s' was restarted %u times in %u s and ended again (%s): going on without it",
                  child_title(&c->spec), s->max_restarts, s->max_seconds, reason);
        c->wanted = false;
        return false;
    }
    log_error(log, "supervisor %llu: more than %u restarts in %u s, last '%s' (%s): it stops",
              (unsigned long long)self->serial, s->max_restarts, s->max_seconds,
              child_title(&c->spec), reason);
    supervisor_end(self, s, "shutdown", strlen("shutdown"));
    return false;
}

/* ---- starting and stopping ---- */

/* Starts those from `from` on that are to run and do not. One that fails is tried again in the next
 * turn. */
static void supervisor_start_from(struct rusm_process *self, struct supervisor *s, size_t from)
{
    for (size_t i = from; i < s->count; i++) {
        struct child *c = s->child[i];
        struct rusm_why why;
        rusm_pid pid;
        if (!c->wanted || c->serial != 0) {
            continue;
        }
        if (child_start(self, s, c, &pid, &why) != 0) {
            log_warn(self->rt->log, "cannot restart '%s': %s", child_title(&c->spec), why.text);
            s->retry = true;
            self->writable = true; /* the next turn begins with it */
            return;
        }
        happen_process(roster_find(&self->rt->roster, pid.serial), HAPPENED_RESTART);
    }
}

/* The next one from the end that runs is told to stop; when none does, what was to follow follows. */
static void supervisor_stop_next(struct rusm_process *self, struct supervisor *s)
{
    struct runtime *rt = self->rt;

    while (s->at > s->from) {
        struct child *c = s->child[--s->at];
        struct rusm_process *p = c->serial ? roster_find(&rt->roster, c->serial) : NULL;
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

/* ---- what comes ---- */

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

    map_remove(&s->by_serial, &c->by_serial);
    c->serial = 0;
    if (s->stopping && c->index >= s->from) {
        /* Told to, or by itself meanwhile: it is started with the others, if it is to be. */
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
        s->at = s->count;
        supervisor_stop_next(self, s);
    }
}

/* A child's time is over, or one that could not be restarted is to be tried again. */
static void supervisor_tick(struct rusm_process *self, struct supervisor *s)
{
    if (s->stopping) {
        struct child *c = s->child[s->at];
        struct rusm_process *p = c->serial ? roster_find(&self->rt->roster, c->serial) : NULL;
        if (!p) { /* it was not linked any more */
            supervisor_child_ended(self, s, c, "noproc");
        } else if (self->rt->now_ns >= s->until_ns) {
            process_exit_signal(p, process_pid(self), "kill", strlen("kill"), false);
            self->writable = true; /* to see that it is gone */
        } else if (s->until_ns != UINT64_MAX) {
            (void)sleep_until(self, s->until_ns);
        }
        return;
    }
    if (!s->retry) {
        return;
    }
    s->retry = false;
    for (size_t i = 0; i < s->count; i++) {
        struct child *c = s->child[i];
        if (c->wanted && c->serial == 0) {
            if (supervisor_may_restart(self, s, c, "not started")) {
                supervisor_start_from(self, s, 0);
            } else if (s->each) {
                s->retry = true; /* there may be others */
                self->writable = true;
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
        struct child *c = m->from.node == 0 ? supervisor_child(s, m->from.serial) : NULL;
        if (c) {
            supervisor_child_ended(self, s, c, reason);
        } else if (rusm_pid_eq(m->from, s->parent)) {
            supervisor_end(self, s, reason, m->len);
        }
    }
}

static void supervisor_free(struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++) {
        child_free(s->child[i]);
    }
    free(s->child);
    free(s->restarts.at_ns);
    map_fini(&s->by_serial);
    free(s);
}

static void supervisor_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self;
    (void)reason;
    supervisor_free(state);
}

/* ---- from outside ---- */

int supervisor_add(struct runtime *rt, uint64_t supervisor, const struct rusm_child *child,
                   rusm_pid *pid, struct rusm_why *why, uint64_t now_ns)
{
    struct rusm_process *p = roster_find(&rt->roster, supervisor);
    int err = child_check(child);

    rt->now_ns = now_ns;
    if (!p || p->behaviour != &supervisor_behaviour) {
        return err_why(why, RUSM_ENOPROC, "no such supervisor");
    }
    struct supervisor *s = p->state;
    if (!err && (p->reason || s->ending)) {
        err = RUSM_ECLOSED;
    }
    err = err ? err : supervisor_list(s, child);
    if (err) {
        return err_why(why, err, "%s", rusm_strerror(err));
    }
    err = child_start(p, s, s->child[s->count - 1], pid, why);
    if (err) {
        child_free(s->child[--s->count]);
    }
    return err;
}

int supervisor_start(struct runtime *rt, const struct rusm_supervisor *options, bool each,
                     rusm_pid parent, rusm_pid *pid, struct rusm_why *why, uint64_t now_ns)
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
    struct rusm_process *p = roster_find(&rt->roster, pid->serial), *above;
    p->state = s;
    p->trapping = true;
    map_init(&s->by_serial, map_hash_u64(&rt->links, pid->serial));
    s->strategy = options->strategy;
    s->max_restarts = options->max_restarts;
    s->max_seconds = options->max_seconds ? options->max_seconds : SUPERVISOR_SECONDS;
    s->each = each;
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
        /* Those that run go with it, as they are linked; who asked is told by what this returns. */
        if (above) {
            (void)link_cut(above, *pid);
        }
        (void)runtime_kill(rt, pid->serial, "shutdown");
    }
    return err;
}
