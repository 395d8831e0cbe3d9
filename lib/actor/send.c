/* send: how a process's messages leave it: to a mailbox of this runtime, or by the `post` hook. The
 * process side of rusm.h, with self.c and text.c; called from behaviours only. */
#include "actor/send.h"

#include <string.h>
#include "actor/call.h"
#include "actor/coroutine.h"
#include "actor/crossing.h"
#include "actor/monitor.h"
#include "actor/farewell.h"
#include "actor/passage.h"
#include "actor/process.h"
#include "actor/sleep.h"
#include "actor/wait.h"
#include "base/id.h"
#include "base/must.h"

int send_here(struct rusm_process *self, struct rusm_process *target, enum rusm_kind kind,
              uint64_t ref, const void *data, size_t len)
{
    struct runtime *rt = self->rt;

    if (!target) {
        rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    if (kind != RUSM_REPLY) {
        int err = wait_admit(self, target, len);
        if (err) {
            return err;
        }
    }
    struct message *m = message_new(rt->pool, len);
    if (!m) {
        return RUSM_ENOMEM;
    }
    if (kind == RUSM_REPLY && !call_answered(target, ref)) {
        message_free(rt->pool, m);
        return 0;
    }
    if (len > 0) {
        memcpy(m->inside, data, len);
    }
    m->pub.kind = kind;
    m->pub.from = process_pid(self);
    m->pub.ref = ref;
    rt->counters.messages_local++;
    process_push(target, m);
    return 0;
}

static struct passing send_passing(const struct post *post)
{
    return (struct passing){ .post = *post,
                             .has_receipt = post->receipt != 0,
                             .receipt = post->receipt };
}

/* A global name that is held here. */
static int runtime_post_here(struct runtime *rt, const struct post *post, uint64_t serial)
{
    struct rusm_process *self = runtime_find(rt, post->from.serial);
    rusm_pid to = { .serial = serial, .incarnation = rt->incarnation };

    if (runtime_far(rt, to)) {
        struct passing in = send_passing(post);
        in.post.node = 0;
        in.post.to = to;
        return passage_post(rt, &in);
    }
    if (!self) { /* the last words of one that has ended are for other nodes */
        rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    int err =
        send_here(self, runtime_find(rt, serial), post->kind, post->ref, post->data, post->len);
    if (!err && post->receipt) {
        rt->hooks->receipt(rt->context, post->from, post->receipt, 0);
    }
    return err;
}

/* Goes by the scheduler that has the connection with that node. What can be known at once is said at
 * once. */
static int runtime_post_out(struct runtime *rt, const struct post *post)
{
    const struct node_name *node = rt->side ? nodes_at(&rt->nodes, post->node) : NULL;

    if (!rt->side || (node && crossing_of_node(rt, node) == rt->index)) {
        return rt->hooks->post(rt->context, post);
    }
    /* Relaxed: whoever has heard of the node has heard of that. */
    if (!node || (!node->client && !atomic_load_explicit(&node->known->up, memory_order_relaxed))) {
        rt->counters.noconnection++;
        return RUSM_ENOCONN;
    }
    struct passing in = send_passing(post);
    return passage_post(rt, &in);
}

static int runtime_post_global(struct runtime *rt, const struct post *post)
{
    struct post to = *post;
    rusm_pid holder;

    if (rt->hooks->whereis_global(rt->context, post->name, post->name_len, &holder) != 0) {
        rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    if (holder.node == 0) {
        return runtime_post_here(rt, post, holder.serial);
    }
    to.node = holder.node;
    to.global = true;
    return runtime_post_out(rt, &to);
}

int runtime_post(struct runtime *rt, const struct post *post)
{
    if (post->node == 0) {
        struct passing in = send_passing(post);
        return passage_post(rt, &in);
    }
    return post->node == RUSM_GLOBAL ? runtime_post_global(rt, post) : runtime_post_out(rt, post);
}

int process_post(struct rusm_process *self, const struct post *post)
{
    struct runtime *rt = self->rt;

    if (post->node != RUSM_GLOBAL && !nodes_at(&rt->nodes, post->node)) {
        return RUSM_EINVAL;
    }
    int err = farewell_waits(rt, post) ? RUSM_BUSY : runtime_post(rt, post);
    if (err == RUSM_BUSY) {
        self->busy_far = true;
    }
    return err;
}

int send_check(const void *data, size_t len)
{
    if (len > RUSM_MESSAGE_MAX) {
        return RUSM_ETOOLARGE;
    }
    return len > 0 && !data ? RUSM_EINVAL : 0;
}

static int send_pid_once(struct rusm_process *self, rusm_pid to, enum rusm_kind kind, uint64_t ref,
                         const void *data, size_t len, unsigned flags)
{
    int err = send_check(data, len);

    if (err) {
        return err;
    }
    if (!runtime_far(self->rt, to)) {
        return send_here(self, runtime_local(self->rt, to), kind, ref, data, len);
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

/* The same; a coroutine waits for room. */
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
    int err = send_check(data, len);

    if (err) {
        return err;
    }
    if (node == 0) {
        uint64_t serial;
        struct rusm_process *here = names_find(self->rt, name, name_len, &serial);
        rusm_pid to = { .serial = serial, .incarnation = self->rt->incarnation };
        return serial && runtime_far(self->rt, to)
                   ? send_pid_once(self, to, RUSM_SEND, 0, data, len, flags)
                   : send_here(self, here, RUSM_SEND, 0, data, len);
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

int send_address(struct rusm_process *self, const char *text, struct send_address *out)
{
    struct runtime *rt = self->rt;
    struct id_address a;
    int err = id_address_parse(text, strlen(text), &a);

    *out = (struct send_address){ 0 };
    if (err == 0 && a.node) {
        err = nodes_index(&rt->nodes, a.node, a.node_len, &out->node);
    }
    if (err) {
        return err;
    }
    if (a.serial) {
        out->pid =
            (rusm_pid){ .serial = a.serial, .node = out->node, .incarnation = a.incarnation };
        if (out->node == 0 && !a.has_incarnation) {
            out->pid.incarnation = rt->incarnation;
        }
        out->here = runtime_local(rt, out->pid);
        return 0;
    }
    out->name = a.name;
    out->name_len = a.name_len;
    if (out->node == 0) {
        uint64_t serial;
        out->here = names_find(rt, a.name, a.name_len, &serial);
        if (!out->here && serial) {
            out->pid = (rusm_pid){ .serial = serial, .incarnation = rt->incarnation };
            return 0;
        }
    }
    if (!a.node && !out->here) {
        out->node = RUSM_GLOBAL;
    }
    return 0;
}

int rusm_send_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                 unsigned flags)
{
    struct send_address to;
    int err = send_address(self, address, &to);

    if (err) {
        return err;
    }
    if (to.pid.serial) {
        return rusm_send(self, to.pid, data, len, flags);
    }
    return send_name(self, to.node, to.name, to.name_len, data, len, flags);
}

void send_named(struct rusm_process *self, uint32_t node, const char *name,
                struct send_address *out)
{
    *out = (struct send_address){ .node = node, .name = name, .name_len = strlen(name) };
    if (node == 0) {
        uint64_t serial;
        out->here = names_find(self->rt, name, out->name_len, &serial);
        if (serial) {
            out->pid = (rusm_pid){ .serial = serial, .incarnation = self->rt->incarnation };
        }
    }
}

int send_pid_of(struct rusm_process *self, const struct send_address *to, rusm_pid *pid)
{
    const struct runtime *rt = self->rt;

    *pid = to->here ? process_pid(to->here) : to->pid;
    if (pid->serial) {
        return 0;
    }
    if (!id_process_name_ok(to->name, to->name_len)) {
        return RUSM_EINVAL;
    }
    if (to->node == RUSM_GLOBAL) {
        return rt->hooks->whereis_global(rt->context, to->name, to->name_len, pid) == 0
                   ? 0
                   : RUSM_ENOPROC;
    }
    if (to->node == 0) {
        return RUSM_ENOPROC;
    }
    return nodes_at(&rt->nodes, to->node) ? RUSM_ENOCONN : RUSM_EINVAL;
}

int runtime_send(struct rusm_process *self, enum rusm_kind kind, const char *address, bool global,
                 const void *data, size_t len, uint64_t receipt)
{
    struct runtime *rt = self->rt;
    struct send_address to = { .node = RUSM_GLOBAL, .name = address, .name_len = strlen(address) };
    int err = send_check(data, len);

    if (!err && !global) {
        err = send_address(self, address, &to);
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
    err = kind == RUSM_SEND ? send_here(self, to.here, kind, 0, data, len) : RUSM_EINVAL;
    if (!err) {
        rt->hooks->receipt(rt->context, post.from, receipt, 0);
    }
    return err;
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
    int err = send_pid(self, to->from, RUSM_REPLY, to->ref, data, len, 0);
    if (err == 0 && runtime_far(self->rt, to->from)) {
        monitor_drop(self->rt, to->from, to->ref); /* it needs no DOWN for its call any more */
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
        self->writable = true; /* nobody owes it a RUSM_WRITABLE: it must not sleep for ever */
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
        int err = wait_admit(self, p, len); /* it is a message, and needs room like one */
        if (err) {
            return err;
        }
    }
    process_exit_signal(p, process_pid(self), reason, len, false);
    return 0;
}

static int kill_at(struct rusm_process *self, const struct send_address *to, const char *reason)
{
    rusm_pid pid;
    int err = send_pid_of(self, to, &pid);

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
    struct send_address to;

    send_named(self, node, name, &to);
    return kill_at(self, &to, reason);
}

int rusm_kill_to(struct rusm_process *self, const char *address, const char *reason)
{
    struct send_address to;
    int err = send_address(self, address, &to);

    return err ? err : kill_at(self, &to, reason);
}
