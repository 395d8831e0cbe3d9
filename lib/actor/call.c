/* call: see the header. Implements the requests of rusm.h. Called from behaviours, by the wheel,
 * and when answers arrive. */
#include "actor/call.h"

#include <stdlib.h>
#include <string.h>
#include "actor/coroutine.h"
#include "actor/monitor.h"
#include "actor/exit_notice.h"
#include "actor/process.h"
#include "actor/address.h"
#include "actor/post.h"
#include "base/id.h"
#include "actor/limits.h"

struct call {
    struct map_node by_ref; /* in rt->calls */
    struct owned owned;     /* the caller's */
    /* In `calls` of the target's node. Not linked: the target is in this runtime. */
    struct list at_node;
    struct wheel_node deadline;
    struct rusm_process *caller;
    rusm_pid target; /* serial 0: by name on that node */
    uint64_t ref;
    char *name; /* NULL: by pid */
};

static void call_late(struct wheel_node *node);
static void call_end(struct rusm_process *caller, struct owned *owned);

void call_init(struct runtime *rt, uint64_t seed)
{
    map_init(&rt->calls, seed);
    slab_init(&rt->call_slab, sizeof(struct call));
}

void call_fini(struct runtime *rt)
{
    map_fini(&rt->calls);
    slab_fini(&rt->call_slab);
}

/* ---- the calls that wait ---- */

static bool call_eq(const struct map_node *node, const void *key)
{
    return container_of(node, struct call, by_ref)->ref == *(const uint64_t *)key;
}

static struct call *call_find(const struct rusm_process *p, uint64_t ref)
{
    const struct runtime *rt = p->rt;
    struct map_node *found = map_find(&rt->calls, map_hash_u64(&rt->calls, ref), call_eq, &ref);
    struct call *c = found ? container_of(found, struct call, by_ref) : NULL;

    return c && c->caller == p ? c : NULL;
}

/* Makes a call to a process of this runtime, or, if node is not NULL, to one there. Sets its ref.
 * Returns NULL if there is no memory. */
static struct call *call_new(struct rusm_process *caller, rusm_pid target, struct node_name *node,
                             const char *name, size_t name_len)
{
    struct runtime *rt = caller->rt;
    struct call *c = slab_take(&rt->call_slab);

    if (!c) {
        return NULL;
    }
    *c = (struct call){ .caller = caller, .target = target, .ref = ++rt->ref };
    c->name = name ? strndup(name, name_len) : NULL;
    if ((name && !c->name) ||
        map_insert(&rt->calls, map_hash_u64(&rt->calls, c->ref), &c->by_ref) != 0) {
        free(c->name);
        slab_give(&rt->call_slab, c);
        return NULL;
    }
    list_init(&c->at_node);
    wheel_node_init(&c->deadline, call_late);
    c->owned.end = call_end;
    list_append(&caller->owned, &c->owned.link);
    process_has(caller, PART_OWNED);
    if (node) {
        list_append(&node->calls, &c->at_node);
    }
    return c;
}

static void call_free(struct runtime *rt, struct call *c)
{
    if (!list_linked(&c->at_node)) {
        monitor_drop(rt, process_pid(c->caller), c->ref);
    }
    list_remove(&c->at_node);
    list_remove(&c->owned.link);
    wheel_cancel(&rt->wheel, &c->deadline);
    map_remove(&rt->calls, &c->by_ref);
    free(c->name);
    slab_give(&rt->call_slab, c);
}

/* Ends a call that the caller waits for no longer, and tells the target's node or scheduler, if it
 * is another one. */
static void call_give_up(struct runtime *rt, struct call *c)
{
    struct post post = { .from = process_pid(c->caller),
                         .node = c->target.node,
                         .to = c->target,
                         .kind = MESSAGE_DEMONITOR,
                         .ref = c->ref,
                         .data = "" };
    char name[RUSM_NAME_MAX + 1];

    bool far = runtime_far(rt, c->target);

    if (far && c->name) {
        post.name_len = strlen(c->name);
        post.name = memcpy(name, c->name, post.name_len + 1);
    }
    call_free(rt, c); /* before the hook, which may lose that node */
    if (far) {
        (void)runtime_post(rt, &post);
    }
}

static void call_end(struct rusm_process *caller, struct owned *owned)
{
    call_give_up(caller->rt, container_of(owned, struct call, owned));
}

/* ---- outcomes ---- */

static void call_late(struct wheel_node *node)
{
    static const char text[] = "timeout";
    struct call *c = container_of(node, struct call, deadline);
    struct rusm_process *caller = c->caller;
    rusm_pid target = c->target;
    uint64_t ref = c->ref;

    call_give_up(caller->rt, c);
    process_signal(caller, RUSM_FAILED, target, ref, RUSM_ETIMEOUT, text, sizeof(text) - 1);
}

bool call_answered(struct rusm_process *p, uint64_t ref)
{
    struct call *c = call_find(p, ref);

    if (!c) {
        p->rt->counters.replies_late++;
        return false;
    }
    call_free(p->rt, c);
    return true;
}

/* Returns the error for a reason why a call failed. Most reasons are texts of the target. */
static int call_error(const char *reason, size_t len)
{
    static const char lost[] = "noconnection", late[] = "timeout";

    if (len == sizeof(lost) - 1 && memcmp(reason, lost, len) == 0) {
        return RUSM_ENOCONN;
    }
    if (len == sizeof(late) - 1 && memcmp(reason, late, len) == 0) {
        return RUSM_ETIMEOUT;
    }
    return RUSM_ENOPROC;
}

static void call_fail(struct call *c, const char *reason, size_t len)
{
    struct rusm_process *caller = c->caller;
    rusm_pid target = c->target;
    uint64_t ref = c->ref;

    call_free(caller->rt, c);
    process_signal(caller, RUSM_FAILED, target, ref, call_error(reason, len), reason, len);
}

bool call_down(struct rusm_process *p, uint64_t ref, uint32_t node, const char *reason, size_t len)
{
    struct call *c = call_find(p, ref);

    /* A node speaks for its own processes only. */
    if (!c || c->target.node != node) {
        return false;
    }
    call_fail(c, reason, len);
    return true;
}

void call_refused(struct rusm_process *p, uint64_t ref, int error, const char *reason)
{
    struct call *c = call_find(p, ref);

    if (c) {
        rusm_pid target = c->target;
        call_free(p->rt, c);
        process_signal(p, RUSM_FAILED, target, ref, error, reason, strlen(reason));
    }
}

void call_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    static const char lost[] = "noconnection";

    (void)rt;
    list_each_safe(l, &node->calls) {
        struct call *c = container_of(l, struct call, at_node);
        if (c->target.incarnation == incarnation || c->target.incarnation == 0) {
            call_fail(c, lost, sizeof(lost) - 1);
        }
    }
}

/* ---- asking ---- */

static int call_here(struct rusm_process *self, struct rusm_process *target, const void *data,
                     size_t len, struct call **out)
{
    if (!target) {
        self->rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    struct call *c = call_new(self, process_pid(target), NULL, NULL, 0);
    if (!c) {
        return RUSM_ENOMEM;
    }
    int err = process_monitor(target, process_pid(self), c->ref);
    if (err == 0) {
        err = post_here(self, target, RUSM_CALL, c->ref, data, len);
    }
    if (err) {
        call_free(self->rt, c);
        return err;
    }
    *out = c;
    return 0;
}

static int call_there(struct rusm_process *self, const struct address *to, const void *data,
                      size_t len, struct call **out)
{
    struct runtime *rt = self->rt;
    rusm_pid target = to->pid;
    struct post post = { .from = process_pid(self), .node = to->node, .to = to->pid };

    if (to->node == RUSM_GLOBAL) {
        int err = rt->hooks->whereis_global(rt->context, to->name, to->name_len, &target);
        if (err == 0 && !runtime_far(rt, target)) {
            return call_here(self, runtime_local(rt, target), data, len, out);
        }
        if (err) {
            rt->counters.noproc_local++;
            return err;
        }
        post.node = target.node;
        post.global = target.node != 0;
        if (!post.global) {
            post.to = target;
        }
    } else {
        target.node = to->node;
    }
    struct node_name *node = nodes_at(&rt->nodes, target.node);
    if (!node || (target.serial == 0 && !id_process_name_ok(to->name, to->name_len))) {
        return RUSM_EINVAL;
    }
    struct call *c = call_new(self, target, node, target.serial ? NULL : to->name, to->name_len);
    if (!c) {
        return RUSM_ENOMEM;
    }
    uint64_t ref = c->ref;
    post.kind = RUSM_CALL;
    post.ref = ref;
    post.name = to->name;
    post.name_len = to->name_len;
    post.data = len > 0 ? data : "";
    post.len = len;
    int err = process_post(self, &post);
    c = call_find(self, ref); /* the hook may have lost that node, and so have failed the call */
    *out = c;
    if (err && c) {
        call_free(rt, c);
    }
    return c ? err : 0;
}

static int call_ask(struct rusm_process *self, const struct address *to, const void *data,
                    size_t len, uint32_t timeout_ms, uint64_t *ref)
{
    struct runtime *rt = self->rt;
    struct call *c = NULL;
    uint64_t next = rt->ref + 1;
    int err = post_check(data, len);

    if (err == 0 && rt->calls.count >= LIMIT_CALLS / rt->schedulers) {
        err = RUSM_ELIMIT;
    }
    if (err == 0) {
        bool there = to->node != 0 || (to->pid.serial && runtime_far(rt, to->pid));
        err =
            there ? call_there(self, to, data, len, &c) : call_here(self, to->here, data, len, &c);
    }
    if (err) {
        return err;
    }
    *ref = next;
    if (c && timeout_ms != RUSM_FOREVER) {
        wheel_set(&rt->wheel, &c->deadline, timeout_ms, rt->now_ns);
    }
    return 0;
}

/* The target is looked up again after a coroutine has waited for room: it may have changed. */
int rusm_request(struct rusm_process *self, rusm_pid to, const void *data, size_t len,
                 uint32_t timeout_ms, uint64_t *ref)
{
    struct address address = { .node = to.node, .pid = to };
    int err;

    if (to.node == RUSM_GLOBAL || to.serial == 0) {
        return RUSM_EINVAL;
    }
    do {
        address.here = runtime_local(self->rt, to);
        err = call_ask(self, &address, data, len, timeout_ms, ref);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_request_name(struct rusm_process *self, uint32_t node, const char *name, const void *data,
                      size_t len, uint32_t timeout_ms, uint64_t *ref)
{
    struct address address;
    int err;

    do {
        address_named(self, node, name, &address);
        err = call_ask(self, &address, data, len, timeout_ms, ref);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

int rusm_request_to(struct rusm_process *self, const char *address, const void *data, size_t len,
                    uint32_t timeout_ms, uint64_t *ref)
{
    struct address to;
    int err;

    do {
        err = address_parse(self, address, &to);
        err = err ? err : call_ask(self, &to, data, len, timeout_ms, ref);
    } while (err == RUSM_BUSY && coroutine_waits(self));
    return err;
}

void rusm_request_many(struct rusm_process *self, const uint32_t *nodes, size_t count,
                       const char *name, const void *data, size_t len, uint32_t timeout_ms,
                       uint64_t *refs)
{
    for (size_t i = 0; i < count; i++) {
        int err = rusm_request_name(self, nodes[i], name, data, len, timeout_ms, &refs[i]);
        if (err) {
            const char *text = rusm_strerror(err);
            refs[i] = ++self->rt->ref;
            process_signal(self, RUSM_FAILED, (rusm_pid){ .node = nodes[i] }, refs[i], err, text,
                           strlen(text));
        }
    }
}

int rusm_request_end(struct rusm_process *self, uint64_t ref)
{
    struct call *c = call_find(self, ref);

    if (!c) {
        return RUSM_ENOPROC;
    }
    call_give_up(self->rt, c);
    return 0;
}
