/* self: what a process can ask of its node besides sending: monitors, spawning, names, its end. The
 * process side of rusm.h; called from behaviours only. */
#include <stdlib.h>
#include <string.h>
#include "actor/coroutine.h"
#include "actor/gap.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "actor/send.h"
#include "actor/signal.h"
#include "actor/spawning.h"
#include "actor/supervisor.h"
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
        pid = (rusm_pid){ 0 }; /* nobody: told so, like any other */
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
    struct send_address to;
    int err;

    do {
        err = send_address(self, address, &to);
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

static int self_link_at(struct rusm_process *self, const struct send_address *to)
{
    rusm_pid pid;
    int err = send_pid_of(self, to, &pid);

    if (err && err != RUSM_ENOPROC) {
        return err;
    }
    return rusm_link(self, err ? (rusm_pid){ 0 } : pid); /* nobody: the exit signal comes at once */
}

int rusm_link_name(struct rusm_process *self, uint32_t node, const char *name)
{
    struct send_address to;

    send_named(self, node, name, &to);
    return self_link_at(self, &to);
}

int rusm_link_to(struct rusm_process *self, const char *address)
{
    struct send_address to;
    int err = send_address(self, address, &to);

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

int rusm_supervise(struct rusm_process *self, const struct rusm_supervisor *supervisor,
                   rusm_pid *pid)
{
    return supervisor_start(self->rt, supervisor, false, process_pid(self), pid, NULL,
                            self->rt->now_ns);
}

struct self_spawning {
    struct spawning spawning;
    uint64_t self, ref;
};

static void self_spawned(struct spawning *spawning, struct runtime *rt)
{
    struct self_spawning *s = container_of(spawning, struct self_spawning, spawning);
    struct rusm_process *self = roster_find(&rt->roster, s->self);

    if (self && spawning->error) {
        process_signal(self, RUSM_FAILED, (rusm_pid){ 0 }, s->ref, spawning->error,
                       spawning->why.text, strlen(spawning->why.text));
    } else if (self) {
        process_signal(self, RUSM_SPAWNED, spawning->pid, s->ref, 0, NULL, 0);
    }
    spawning_fini(spawning);
    free(s);
}

/* As another node would do it: the outcome is a message. */
static int self_spawn_here(struct rusm_process *self, const char *spawnable,
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
    struct self_spawning *s = calloc(1, sizeof(*s));
    if (!s) {
        return RUSM_ENOMEM;
    }
    int err = spawning_init(&s->spawning, behaviour, args, NULL, 0, false);
    s->self = self->serial;
    s->ref = ref;
    s->spawning.over = self_spawned;
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
        return self_spawn_here(self, spawnable, given, *ref);
    }
    return rt->hooks->spawn_at(rt->context, process_pid(self), node, spawnable, given, *ref);
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
