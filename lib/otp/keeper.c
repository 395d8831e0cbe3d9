/* keeper: see the header. Called by supervisor.c, in the handlers of the node's supervisor. */
#include "otp/keeper.h"

#include <string.h>
#include "otp/child.h"
#include "actor/process_event.h"
#include "actor/process.h"
#include "actor/sleep.h"
#include "base/err.h"

#define SECOND ((uint64_t)1000000000)

/* The pauses of a child that fails. What it waits for mostly comes within seconds, when all of a
 * machine starts at once. What does not come must cost nothing. */
static const struct backoff_policy keeper_pauses = { .min_ns = SECOND / 10, .max_ns = 15 * SECOND };
/* The pauses of a child that waits for its global name: a look costs nothing. */
static const struct backoff_policy keeper_looks = { .min_ns = SECOND / 10, .max_ns = SECOND };

/* Notes whether a child that must run does not. */
static void keeper_down(struct runtime *rt, struct child *c, bool down)
{
    if (c->keep.down != down) {
        c->keep.down = down;
        rt->counters.children_down += down ? 1 : (uint64_t)-1;
    }
}

void keeper_fini(struct keeper *k, struct runtime *rt)
{
    for (size_t i = 0; i < k->children->count; i++) {
        keeper_down(rt, k->children->child[i], false);
    }
}

/* Tells observers that a child is down. */
static void keeper_tell(struct runtime *rt, const struct child *c, const char *reason)
{
    const char *name = c->spec.name ? c->spec.name : "";

    if (process_event_watched(rt)) {
        struct process_event event = { .kind = PROCESS_DOWN,
                                       .name = name,
                                       .name_len = strlen(name),
                                       .behaviour =
                                           c->spec.behaviour ? c->spec.behaviour->name : "",
                                       .reason = reason };
        rt->hooks->event(rt->context, &event);
    }
}

/* When the keeper must look at the child again; UINT64_MAX: not before it ends. */
static uint64_t keeper_due(const struct keeper *k, const struct child *c)
{
    if (c->serial) {
        return c->keep.failing ? c->keep.since_ns + k->max_seconds * SECOND : UINT64_MAX;
    }
    return c->wanted && c->keep.due_ns ? c->keep.due_ns : UINT64_MAX;
}

static void keeper_sleep(struct rusm_process *self, const struct keeper *k)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < k->children->count; i++) {
        uint64_t due = keeper_due(k, k->children->child[i]);
        next = due < next ? due : next;
    }
    if (next == UINT64_MAX) {
        sleep_end(self);
    } else if (sleep_until(self, next) != 0) {
        self->writable = true; /* no memory: look in the next tick */
    }
}

/* Puts the next try of a child off. held: its global name has another holder. */
static void keeper_put_off(struct rusm_process *self, struct keeper *k, struct child *c, bool held,
                           const char *reason)
{
    struct runtime *rt = self->rt;
    struct child_keep *keep = &c->keep;
    uint64_t pause_ns =
        backoff_next_ns(&keep->backoff, held ? &keeper_looks : &keeper_pauses, &k->rng);

    keep->due_ns = rt->now_ns + pause_ns;
    keeper_down(rt, c, true);
    if (keep->failing && keep->held == held) {
        log_info(rt->log, "'%s' is still down (%s): tried again in %.1f s", child_title(&c->spec),
                 reason, (double)pause_ns / SECOND);
    } else if (held) {
        log_warn(rt->log,
                 "'%s' waits: the global name has another holder; it starts when the name "
                 "is free",
                 child_title(&c->spec));
        keeper_tell(rt, c, reason);
    } else {
        log_warn(rt->log, "'%s' is down (%s): it is tried again, with pauses of up to %u s",
                 child_title(&c->spec), reason, (unsigned)(keeper_pauses.max_ns / SECOND));
        keeper_tell(rt, c, reason);
    }
    keep->failing = true;
    keep->held = held;
    keeper_sleep(self, k);
}

/* The child has failed too often, and is not tried again. */
static void keeper_give_up(struct rusm_process *self, struct keeper *k, struct child *c,
                           const char *reason)
{
    bool exit = k->options->restarts == RUSM_RESTARTS_EXIT;

    c->wanted = false;
    c->keep.due_ns = 0;
    keeper_down(self->rt, c, true);
    keeper_tell(self->rt, c, reason);
    log_error(self->rt->log, "'%s' was restarted %u times in %u s and ended again (%s): %s",
              child_title(&c->spec), k->max_restarts, k->max_seconds, reason,
              exit ? "the node leaves" : "going on without it");
    if (exit) {
        k->options->failed(k->options->context);
    }
}

/* Starts a child again. What happens if that fails is up to the caller. */
static int keeper_start(struct rusm_process *self, struct keeper *k, struct child *c,
                        struct rusm_why *why)
{
    struct runtime *rt = self->rt;
    rusm_pid pid;
    int err = children_start(self, k->children, c, &pid, why);

    if (err) {
        return err;
    }
    c->keep.due_ns = 0;
    c->keep.since_ns = rt->now_ns;
    keeper_down(rt, c, false);
    if (c->keep.held) {
        log_warn(rt->log, "'%s' holds its global name now, and runs", child_title(&c->spec));
        c->keep.held = c->keep.failing = false;
        backoff_reset(&c->keep.backoff);
    }
    rt->counters.processes_restarted++;
    process_event_of(process_table_find(&rt->processes_by_serial, pid.serial), PROCESS_RESTARTED);
    return 0;
}

static bool keeper_held(const struct child *c, int error)
{
    return error == RUSM_EEXIST && c->spec.global;
}

/* A child could not be started. */
static void keeper_not_started(struct rusm_process *self, struct keeper *k, struct child *c,
                               int error, const char *reason)
{
    if (k->options->restarts == RUSM_RESTARTS_BACKOFF || keeper_held(c, error)) {
        keeper_put_off(self, k, c, keeper_held(c, error), reason);
        return;
    }
    log_warn(self->rt->log, "cannot restart '%s': %s", child_title(&c->spec), reason);
    if (restarts_too_many(&c->keep.restarts, k->max_restarts, k->max_seconds * SECOND,
                          self->rt->now_ns)) {
        keeper_give_up(self, k, c, reason);
    } else {
        c->keep.due_ns = self->rt->now_ns;
        self->writable = true; /* the next tick tries again */
    }
}

void keeper_ended(struct rusm_process *self, struct keeper *k, struct child *c, const char *reason)
{
    struct rusm_why why = { "" };

    if (c->keep.failing) {
        keeper_put_off(self, k, c, false, reason);
    } else if (!restarts_too_many(&c->keep.restarts, k->max_restarts, k->max_seconds * SECOND,
                                  self->rt->now_ns)) {
        log_info(self->rt->log, "'%s' ended: %s; restarted", child_title(&c->spec), reason);
        int err = keeper_start(self, k, c, &why);
        if (err) {
            keeper_not_started(self, k, c, err, why.text);
        }
    } else if (k->options->restarts == RUSM_RESTARTS_BACKOFF) {
        keeper_put_off(self, k, c, false, reason);
    } else {
        keeper_give_up(self, k, c, reason);
    }
}

bool keeper_waits(struct rusm_process *self, struct keeper *k, struct child *c, int error,
                  const char *text)
{
    struct runtime *rt = self->rt;
    rusm_pid holder;
    bool held =
        keeper_held(c, error) &&
        rt->hooks->whereis_global(rt->context, c->spec.name, strlen(c->spec.name), &holder) == 0 &&
        holder.node != 0;
    bool failed = k->options->restarts == RUSM_RESTARTS_BACKOFF && error == RUSM_EINIT &&
                  rt->init_error != RUSM_EINVAL;

    if (held || failed) {
        keeper_put_off(self, k, c, held, text);
    }
    return held || failed;
}

void keeper_tick(struct rusm_process *self, struct keeper *k)
{
    struct rusm_why why = { "" };

    for (size_t i = 0; i < k->children->count; i++) {
        struct child *c = k->children->child[i];
        if (keeper_due(k, c) > self->rt->now_ns) {
            continue;
        }
        if (c->serial) {
            log_warn(self->rt->log, "'%s' has run for %u s: it works again", child_title(&c->spec),
                     k->max_seconds);
            c->keep.failing = false;
            backoff_reset(&c->keep.backoff);
            continue;
        }
        c->keep.due_ns = 0;
        int err = keeper_start(self, k, c, &why);
        if (err) {
            keeper_not_started(self, k, c, err, why.text);
        }
    }
    keeper_sleep(self, k);
}
