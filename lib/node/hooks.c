/* hooks: what leaves a scheduler's runtime. Posts of processes go out on lanes to the peer. Names,
 * spawns and ends of processes go to the files that keep them. Called by the runtime, on its
 * scheduler's thread. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/exits.h"
#include "node/http.h"
#include "node/globals.h"
#include "node/hooks.h"
#include "node/node.h"
#include "node/output.h"
#include "node/spawn_at.h"

/* ---- messages ---- */

static int hook_post(void *context, const struct post *post)
{
    struct scheduler *s = context;
    struct parcel parcel = { .from = post->from.serial,
                             .kind = (uint8_t)post->kind,
                             .unordered = post->flags & RUSM_UNORDERED,
                             .has_receipt = post->receipt != 0,
                             .ref = post->ref,
                             .receipt = post->receipt,
                             .data = post->data,
                             .len = post->len };
    parcel.has_ref = record_has_ref(parcel.kind);
    if (post->to.serial) {
        parcel.to = (struct target){ .kind = TARGET_PID,
                                     .serial = post->to.serial,
                                     .incarnation = post->to.incarnation };
    } else {
        parcel.to = (struct target){ .kind = post->global ? TARGET_GLOBAL : TARGET_NAME,
                                     .name = post->name,
                                     .name_len = post->name_len };
    }
    struct connection *c = connection_find(s, post->node);
    if (!c) {
        s->causes.noconnection++;
        return RUSM_ENOCONN;
    }
    if (parcel.to.kind == TARGET_PID) {
        if (parcel.to.incarnation == 0) {
            parcel.to.incarnation = c->incarnation;
        }
        if (parcel.to.incarnation != c->incarnation) { /* of an earlier start, not this one */
            s->causes.noproc++;
            return RUSM_ENOPROC;
        }
    }
    if (post->kind == RUSM_EXIT && (parcel.ref = exits_ref(c, post)) != 0) {
        parcel.has_ref = true;
    }
    int error = peer_send(c->peer, &parcel, s->now_ns);
    if (post->kind == RUSM_EXIT && !error && parcel.has_ref) {
        exits_send(c, post, parcel.ref, parcel.to.incarnation);
    }
    if (error == RUSM_ETOOLARGE) {
        s->causes.too_large++;
    }
    if (error != RUSM_ECLOSED && error != RUSM_ENOCONN) {
        return error;
    }
    s->causes.noconnection++; /* the connection is about to end */
    return RUSM_ENOCONN;
}

static void hook_give_up(void *context, uint32_t index)
{
    struct connection *c = connection_find(context, index);
    if (c) {
        peer_close(c->peer, CLOSE_LIMIT, "signals not taken");
    }
}

static void hook_receipt(void *context, rusm_pid from, uint64_t id, int error)
{
    struct scheduler *s = context;
    if (from.node == 0) {
        http_receipt(s->node, id, error);
        return;
    }
    struct connection *c = connection_find(s, from.node);
    if (c && c->incarnation == from.incarnation) {
        peer_send_receipt(c->peer, id, (uint64_t)-error);
    }
}

/* ---- names, spawns, ends ---- */

static void hook_exited(void *context, rusm_pid pid, const char *reason, bool global)
{
    struct scheduler *s = context;
    if (global) {
        globals_withdraw_all(s, pid.serial);
    }
    log_debug(&s->node->log, "process %llu ended: %s", (unsigned long long)pid.serial, reason);
}

static int hook_register_global(void *context, rusm_pid pid, const char *name)
{
    struct scheduler *s = context;
    int error = globals_claim(s, name, strlen(name), pid.serial);
    if (!error) {
        events_global(s->node, pid.serial, name, strlen(name), true);
    }
    return error;
}

static int hook_whereis_global(void *context, const char *name, size_t len, rusm_pid *pid)
{
    struct scheduler *s = context;
    struct registry_holder holder;
    if (globals_whereis(s, name, len, &holder) != 0) {
        return RUSM_ENOPROC;
    }
    *pid = (rusm_pid){ .serial = holder.serial,
                       .node = holder.node,
                       .incarnation = holder.node ? holder.incarnation : s->node->incarnation };
    return 0;
}

static int hook_unregister_global(void *context, rusm_pid pid, const char *name)
{
    struct scheduler *s = context;
    int error = globals_withdraw(s, name, strlen(name), pid.serial);
    if (!error) {
        events_global(s->node, pid.serial, name, strlen(name), false);
    }
    return error;
}

static int hook_spawn_at(void *context, rusm_pid self, uint32_t index, const char *spawnable,
                         const struct rusm_args *args, uint64_t ref)
{
    return spawn_at(context, self, index, spawnable, args, ref);
}

/* Returns the time from the coarse clock. It costs a third of the exact one, and its 4 ms are small
 * beside LIMIT_HANDLER_NS. */
static uint64_t hook_clock(void *context)
{
    struct timespec t;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void hook_event(void *context, const struct process_event *h)
{
    events_process(((struct scheduler *)context)->node, h);
}

static bool hook_trace(void *context, const struct trace_event *e)
{
    return tracer_event(context, e);
}

static void hook_print(void *context, rusm_pid self, const char *line)
{
    (void)self;
    output_line(((struct scheduler *)context)->node, line);
}

static void hook_wake(void *context)
{
    loop_wake(&((struct scheduler *)context)->loop);
}

struct runtime_watch {
    struct loop_watch watch;
};

static int hook_watch(void *context, int fd, bool writable, void (*ready)(void *user), void *user,
                      struct runtime_watch **out)
{
    struct scheduler *s = context;
    if (fcntl(fd, F_GETFD) < 0) {
        return RUSM_EINVAL; /* libev aborts on a descriptor that is not open */
    }
    struct runtime_watch *w = calloc(1, sizeof(*w));
    if (!w) {
        return RUSM_ENOMEM;
    }
    loop_watch_once(&w->watch, fd, writable, ready, user);
    loop_arm(&s->loop, &w->watch);
    *out = w;
    return 0;
}

static void hook_unwatch(void *context, struct runtime_watch *w)
{
    loop_unwatch(&((struct scheduler *)context)->loop, &w->watch);
    free(w);
}

const struct runtime_hooks scheduler_runtime_hooks = {
    .watch = hook_watch,
    .unwatch = hook_unwatch,
    .post = hook_post,
    .give_up = hook_give_up,
    .exited = hook_exited,
    .event = hook_event,
    .trace = hook_trace,
    .register_global = hook_register_global,
    .unregister_global = hook_unregister_global,
    .whereis_global = hook_whereis_global,
    .spawn_at = hook_spawn_at,
    .clock_ns = hook_clock,
    .print = hook_print,
    .wake = hook_wake,
    .receipt = hook_receipt,
};
