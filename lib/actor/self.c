/* self: what a process asks of its node besides sending: monitors, links, spawning, names, its end.
 * Implements this part of rusm.h. Called from behaviours only. */
#include <stdlib.h>
#include <string.h>
#include "actor/coroutine.h"
#include "actor/gap.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "actor/address.h"
#include "actor/post.h"
#include "actor/signal.h"
#include "base/id.h"

rusm_pid rusm_self(const struct rusm_process *self)
{
    return process_pid(self);
}

const char *rusm_self_node(const struct rusm_process *self)
{
    return nodes_at(&self->rt->nodes, 0)->name;
}

void *rusm_context(const struct rusm_process *self)
{
    return self->behaviour->context;
}

void *process_context(const struct rusm_process *self)
{
    return self->rt->context;
}

unsigned process_scheduler(const struct rusm_process *self)
{
    return self->rt->index;
}

uint64_t rusm_now_ns(const struct rusm_process *self)
{
    return self->rt->now_ns;
}

void rusm_exit(struct rusm_process *self, const char *reason)
{
    process_kill(self, reason, strlen(reason));
    coroutine_leave(self);
}

/* ---- monitors ---- */

int rusm_monitor(struct rusm_process *self, rusm_pid target, uint64_t *ref)
{
    int err;

    do {
        err = monitor_watch(self, target, ref);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_demonitor(struct rusm_process *self, uint64_t ref)
{
    return monitor_unwatch(self, ref);
}

static int self_monitor_name(struct rusm_process *self, uint32_t node, const char *name,
                             size_t name_len, uint64_t *ref)
{
    struct runtime *rt = self->rt;
    rusm_pid pid = { 0 };

    if (node != RUSM_GLOBAL) {
        return monitor_watch_name(self, node, name, name_len, ref);
    }
    if (!id_process_name_ok(name, name_len)) {
        return RUSM_EINVAL;
    }
    if (rt->hooks->whereis_global(rt->context, name, name_len, &pid) != 0) {
        pid = (rusm_pid){ 0 }; /* no process: the watcher gets DOWN, as for any other */
    }
    return monitor_watch(self, pid, ref);
}

int rusm_monitor_name(struct rusm_process *self, uint32_t node, const char *name, uint64_t *ref)
{
    int err;

    do {
        err = self_monitor_name(self, node, name, strlen(name), ref);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_monitor_to(struct rusm_process *self, const char *address, uint64_t *ref)
{
    struct address to;
    int err;

    do {
        err = address_parse(self, address, &to);
        if (err) {
            return err;
        }
        err = to.here         ? monitor_watch(self, process_pid(to.here), ref)
              : to.pid.serial ? monitor_watch(self, to.pid, ref)
                              : self_monitor_name(self, to.node, to.name, to.name_len, ref);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_demonitor_flush(struct rusm_process *self, uint64_t ref)
{
    int err = monitor_unwatch(self, ref);

    if (err) {
        process_flush(self, ref);
    }
    return err;
}

int rusm_monitor_node(struct rusm_process *self, uint32_t node, uint64_t *ref)
{
    return monitor_watch_node(self, node, ref);
}

int rusm_monitor_nodes(struct rusm_process *self, bool on)
{
    return signal_watch_nodes(self, on);
}

int rusm_monitor_gaps(struct rusm_process *self, bool on)
{
    return gap_watch(self, on);
}

/* ---- links ---- */

int rusm_link(struct rusm_process *self, rusm_pid pid)
{
    int err;

    do {
        err = link_make(self, pid);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

static int self_link_at(struct rusm_process *self, const struct address *to)
{
    rusm_pid pid;
    int err = address_pid(self, to, &pid);

    if (err && err != RUSM_ENOPROC) {
        return err;
    }
    if (err) {
        pid = (rusm_pid){ 0 }; /* no process: the exit signal comes at once */
    }
    return rusm_link(self, pid);
}

int rusm_link_name(struct rusm_process *self, uint32_t node, const char *name)
{
    struct address to;

    address_named(self, node, name, &to);
    return self_link_at(self, &to);
}

int rusm_link_to(struct rusm_process *self, const char *address)
{
    struct address to;
    int err = address_parse(self, address, &to);

    return err ? err : self_link_at(self, &to);
}

int rusm_unlink(struct rusm_process *self, rusm_pid pid)
{
    return link_cut(self, pid);
}

bool rusm_trap_exit(struct rusm_process *self, bool trap)
{
    bool was = self->trapping;

    self->trapping = trap;
    return was;
}

/* ---- spawning ---- */

int rusm_spawn(struct rusm_process *self, const struct rusm_behaviour *behaviour,
               const struct rusm_args *args, rusm_pid *pid)
{
    int err = args ? runtime_check_args(args) : 0;

    return err ? err : runtime_spawn(self->rt, behaviour, args, pid, NULL, self->rt->now_ns);
}

int rusm_spawn_link(struct rusm_process *self, const struct rusm_behaviour *behaviour,
                    const struct rusm_args *args, rusm_pid *pid)
{
    int err = rusm_spawn(self, behaviour, args, pid);

    if (err) {
        return err;
    }
    err = link_make(self, *pid);
    if (err) {
        (void)runtime_kill(self->rt, pid->serial, "not linked");
    }
    return err;
}

/* ---- names ---- */

int rusm_register(struct rusm_process *self, rusm_pid pid, const char *name)
{
    if (pid.node != 0) {
        return RUSM_EINVAL;
    }
    if (!runtime_local(self->rt, pid) && !runtime_far(self->rt, pid)) {
        return RUSM_ENOPROC;
    }
    return runtime_register(self->rt, pid.serial, name, strlen(name));
}

int rusm_register_global(struct rusm_process *self, rusm_pid pid, const char *name)
{
    struct runtime *rt = self->rt;

    if (pid.node != 0 || !id_process_name_ok(name, strlen(name))) {
        return RUSM_EINVAL;
    }
    return runtime_register_global(rt, pid, name);
}

int rusm_unregister(struct rusm_process *self, const char *name)
{
    struct runtime *rt = self->rt;

    if (runtime_unregister(rt, name, strlen(name)) == 0) {
        return 0;
    }
    return rt->hooks->unregister_global(rt->context, process_pid(self), name);
}

int rusm_whereis(struct rusm_process *self, const char *name, rusm_pid *pid)
{
    uint64_t serial;

    (void)names_find(self->rt, name, strlen(name), &serial);
    if (!serial) {
        return RUSM_ENOPROC;
    }
    *pid = (rusm_pid){ .serial = serial, .incarnation = self->rt->incarnation };
    return 0;
}

int rusm_node_index(struct rusm_process *self, const char *node, uint32_t *index)
{
    return nodes_index(&self->rt->nodes, node, strlen(node), index);
}

const char *rusm_node_at(const struct rusm_process *self, uint32_t index)
{
    return runtime_node_name(self->rt, index);
}

/* ---- calls that a body waits for ---- */

static bool self_outcome(void *context, const struct rusm_message *m)
{
    return (m->kind == RUSM_REPLY || m->kind == RUSM_FAILED) && m->ref == *(uint64_t *)context;
}

/* Waits for the outcome of the request with that ref, which returned err. */
static int self_reply(struct rusm_process *self, int err, uint64_t ref,
                      const struct rusm_message **reply)
{
    if (err == 0) {
        err = rusm_receive(self, self_outcome, &ref, RUSM_FOREVER, reply);
    }
    return err == 0 && (*reply)->kind == RUSM_FAILED ? (*reply)->error : err;
}

int rusm_call(struct rusm_process *self, rusm_pid to, const void *data, size_t len,
              uint32_t timeout_ms, const struct rusm_message **reply)
{
    uint64_t ref = 0;

    if (!coroutine_inside(self)) {
        return RUSM_EINVAL;
    }
    int err = rusm_request(self, to, data, len, timeout_ms, &ref);
    return self_reply(self, err, ref, reply);
}

int rusm_call_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                   size_t len, uint32_t timeout_ms, const struct rusm_message **reply)
{
    uint64_t ref = 0;

    if (!coroutine_inside(self)) {
        return RUSM_EINVAL;
    }
    int err = rusm_request_name(self, node, name, data, len, timeout_ms, &ref);
    return self_reply(self, err, ref, reply);
}

int rusm_call_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                 uint32_t timeout_ms, const struct rusm_message **reply)
{
    uint64_t ref = 0;

    if (!coroutine_inside(self)) {
        return RUSM_EINVAL;
    }
    int err = rusm_request_to(self, address, data, len, timeout_ms, &ref);
    return self_reply(self, err, ref, reply);
}
