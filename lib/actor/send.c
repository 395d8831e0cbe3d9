/* send: how a process's messages leave it: into a mailbox of this runtime, or by the `post` hook.
 * Implements this part of rusm.h, as self.c and text.c do theirs. Called from behaviours only. */
#include "actor/address.h"
#include "actor/post.h"

#include <string.h>
#include "actor/call.h"
#include "actor/coroutine.h"
#include "actor/monitor.h"
#include "actor/exit_notice.h"
#include "actor/process.h"
#include "actor/sleep.h"
#include "actor/wait.h"
#include "base/id.h"
#include "base/must.h"

static int send_pid_once(struct rusm_process *self, rusm_pid to, enum rusm_kind kind, uint64_t ref,
                         const void *data, size_t len, unsigned flags)
{
    int err = post_check(data, len);

    if (err) {
        return err;
    }
    if (!runtime_far(self->rt, to)) {
        return post_here(self, runtime_local(self->rt, to), kind, ref, data, len);
    }
    if (to.node == RUSM_GLOBAL || to.serial == 0) {
        return RUSM_EINVAL;
    }
    struct post post = { .from = process_pid(self), .node = to.node, .to = to, .kind = kind };
    post.ref = ref;
    post.data = len > 0 ? data : "";
    post.len = len;
    post.flags = flags;
    return process_post(self, &post);
}

/* Does what send_pid_once does, but a coroutine waits for room. */
static int send_pid(struct rusm_process *self, rusm_pid to, enum rusm_kind kind, uint64_t ref,
                    const void *data, size_t len, unsigned flags)
{
    int err;

    do {
        err = send_pid_once(self, to, kind, ref, data, len, flags);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_send(struct rusm_process *self, rusm_pid to, const void *data, size_t len, unsigned flags)
{
    return send_pid(self, to, RUSM_SEND, 0, data, len, flags);
}

/* Posts to the holder of a name on another node, or of a global name. */
static int send_post_name(struct rusm_process *self, enum rusm_kind kind, uint32_t node,
                          const char *name, size_t name_len, const void *data, size_t len,
                          unsigned flags)
{
    if (!id_process_name_ok(name, name_len)) {
        return RUSM_EINVAL;
    }
    struct post post = { .from = process_pid(self), .node = node, .kind = kind };
    post.name = name;
    post.name_len = name_len;
    post.data = len > 0 ? data : "";
    post.len = len;
    post.flags = flags;
    return process_post(self, &post);
}

static int send_name_once(struct rusm_process *self, uint32_t node, const char *name,
                          size_t name_len, const void *data, size_t len, unsigned flags)
{
    int err = post_check(data, len);

    if (err) {
        return err;
    }
    if (node == 0) {
        uint64_t serial;
        struct rusm_process *here = names_find(self->rt, name, name_len, &serial);
        rusm_pid to = { .serial = serial, .incarnation = self->rt->incarnation };
        return serial && runtime_far(self->rt, to)
                   ? send_pid_once(self, to, RUSM_SEND, 0, data, len, flags)
                   : post_here(self, here, RUSM_SEND, 0, data, len);
    }
    return send_post_name(self, RUSM_SEND, node, name, name_len, data, len, flags);
}

static int send_name(struct rusm_process *self, uint32_t node, const char *name, size_t name_len,
                     const void *data, size_t len, unsigned flags)
{
    int err;

    do {
        err = send_name_once(self, node, name, name_len, data, len, flags);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_send_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                   size_t len, unsigned flags)
{
    return send_name(self, node, name, strlen(name), data, len, flags);
}

int rusm_send_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                 unsigned flags)
{
    struct address to;
    int err = address_parse(self, address, &to);

    if (err) {
        return err;
    }
    if (to.pid.serial) {
        return rusm_send(self, to.pid, data, len, flags);
    }
    return send_name(self, to.node, to.name, to.name_len, data, len, flags);
}

int runtime_send(struct rusm_process *self, enum rusm_kind kind, const char *address, bool global,
                 const void *data, size_t len, uint64_t receipt)
{
    struct runtime *rt = self->rt;
    struct address to = { .node = RUSM_GLOBAL, .name = address, .name_len = strlen(address) };
    int err = post_check(data, len);

    if (!err && !global) {
        err = address_parse(self, address, &to);
    }
    if (err) {
        return err;
    }
    struct post post = { .from = process_pid(self), .node = to.node, .kind = kind };
    post.to = to.pid;
    post.name = to.name;
    post.name_len = to.name_len;
    post.data = len > 0 ? data : "";
    post.len = len;
    post.receipt = receipt;
    if (to.pid.serial ? runtime_far(rt, to.pid) : to.node != 0) {
        return process_post(self, &post);
    }
    err = kind == RUSM_SEND ? post_here(self, to.here, kind, 0, data, len) : RUSM_EINVAL;
    if (!err) {
        rt->hooks->receipt(rt->context, post.from, receipt, 0);
    }
    return err;
}

/* Replies to a process of this runtime. A reply always finds room, because the target asked for it.
 * A reply to no call is dropped and counted. */
static int send_reply_here(struct rusm_process *self, struct rusm_process *target, uint64_t ref,
                           const void *data, size_t len)
{
    struct runtime *rt = self->rt;
    int err = post_check(data, len);

    if (err) {
        return err;
    }
    if (!target) {
        rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    struct message *m = post_message(self, RUSM_REPLY, ref, data, len);
    if (!m) {
        return RUSM_ENOMEM;
    }
    if (!call_answered(target, ref)) {
        message_free(rt->pool, m);
        return 0;
    }
    rt->counters.messages_local++;
    trace_sent_here(self, process_pid(target), &m->pub);
    process_push(target, m);
    return 0;
}

int rusm_reply(struct rusm_process *self, const struct rusm_message *to, const void *data,
               size_t len)
{
    if (to->kind != RUSM_CALL && to->kind != RUSM_SEND) {
        return RUSM_EINVAL;
    }
    if (to->from.serial == 0) {
        return RUSM_ENOPROC;
    }
    if (to->kind == RUSM_SEND) {
        return send_pid(self, to->from, RUSM_SEND, 0, data, len, 0);
    }
    if (!runtime_far(self->rt, to->from)) {
        struct rusm_process *caller = runtime_local(self->rt, to->from);
        return send_reply_here(self, caller, to->ref, data, len);
    }
    int err = send_pid(self, to->from, RUSM_REPLY, to->ref, data, len, 0);
    if (err == 0) {
        monitor_drop(self->rt, to->from, to->ref); /* the caller needs no DOWN any more */
    }
    return err;
}

int rusm_refuse(struct rusm_process *self, const struct rusm_message *to, const char *reason)
{
    struct runtime *rt = self->rt;
    size_t len = process_reason_cut(reason, strlen(reason));

    if (to->kind != RUSM_CALL) {
        return RUSM_EINVAL;
    }
    if (to->from.serial == 0) {
        return RUSM_ENOPROC;
    }
    if (!runtime_far(rt, to->from)) {
        struct rusm_process *caller = runtime_local(rt, to->from);
        if (!caller) {
            return RUSM_ENOPROC;
        }
        if (!call_down(caller, to->ref, 0, reason, len)) {
            rt->counters.replies_late++;
        }
        return 0;
    }
    int err = send_pid(self, to->from, RUSM_DOWN, to->ref, reason, len, 0);
    if (err == 0) {
        monitor_drop(rt, to->from, to->ref);
    }
    return err;
}

void rusm_hold(struct rusm_process *self)
{
    if (!self->receiving) {
        return;
    }
    self->holding = true;
    if (!self->busy && !self->busy_far) {
        self->writable = true; /* no RUSM_WRITABLE will come: it must not wait for ever */
    }
}

void process_hold(struct rusm_process *self, bool unasked)
{
    must(self->receiving);
    self->holding = true;
    self->unasked = unasked;
}

void rusm_hold_for(struct rusm_process *self, uint32_t ms)
{
    if (!self->receiving) {
        return;
    }
    self->holding = true;
    if (sleep_until(self, self->rt->now_ns + (uint64_t)ms * 1000000) != 0) {
        self->writable = true; /* too early is better than never */
    }
}

int rusm_kill(struct rusm_process *self, rusm_pid pid, const char *reason)
{
    struct runtime *rt = self->rt;
    size_t len = process_reason_cut(reason, strlen(reason));

    if (runtime_far(rt, pid)) {
        return send_pid(self, pid, RUSM_EXIT, 0, reason, len, 0);
    }
    struct rusm_process *p = runtime_local(rt, pid);
    if (!p) {
        return RUSM_ENOPROC;
    }
    if (p != self && process_traps(p, reason, len)) {
        int err = wait_admit(self, p, len); /* a trapped signal is a message and needs room */
        if (err) {
            return err;
        }
    }
    process_exit_signal(p, process_pid(self), reason, len, false);
    return 0;
}

static int kill_at(struct rusm_process *self, const struct address *to, const char *reason)
{
    rusm_pid pid;
    int err = address_pid(self, to, &pid);

    if (err == 0) {
        return rusm_kill(self, pid, reason);
    }
    if (err != RUSM_ENOCONN) {
        return err;
    }
    size_t len = process_reason_cut(reason, strlen(reason));
    do {
        err = send_post_name(self, RUSM_EXIT, to->node, to->name, to->name_len, reason, len, 0);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_kill_name(struct rusm_process *self, uint32_t node, const char *name, const char *reason)
{
    struct address to;

    address_named(self, node, name, &to);
    return kill_at(self, &to, reason);
}

int rusm_kill_to(struct rusm_process *self, const char *address, const char *reason)
{
    struct address to;
    int err = address_parse(self, address, &to);

    return err ? err : kill_at(self, &to, reason);
}
