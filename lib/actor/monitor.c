/* monitor: see the header. Also runtime.h's process_monitor, process_demonitor and
 * runtime_node_lost, which the router calls for other nodes. */
#include "actor/monitor.h"

#include <stdlib.h>
#include <string.h>
#include "actor/call.h"
#include "actor/process.h"
#include "base/limits.h"
#include "base/must.h"

struct monitor {
    struct map_node by_ref; /* in rt->monitors by watcher and ref; not once its target ended */
    struct list at_target;  /* target's watchers, its node's `watched`, or rt->unsent */
    struct list at_watcher; /* watcher's watching, or its node's `watching` */
    rusm_pid watcher, target;
    uint64_t ref;
    char *reason; /* in rt->unsent: the DOWN's; else NULL */
};

void monitor_slab_init(struct runtime *rt)
{
    slab_init(&rt->monitor_slab, sizeof(struct monitor));
}

struct monitor_key {
    rusm_pid watcher;
    uint64_t ref;
};

static uint64_t monitor_hash(const struct runtime *rt, const struct monitor_key *key)
{
    uint64_t node = (uint64_t)key->watcher.node << 32 | key->watcher.incarnation;
    uint64_t h = map_hash_u64(&rt->monitors, key->ref);

    return map_hash_u64(&rt->monitors, map_hash_u64(&rt->monitors, h ^ key->watcher.serial) ^ node);
}

static bool monitor_eq(const struct map_node *node, const void *key)
{
    const struct monitor *m = list_entry(node, struct monitor, by_ref);
    const struct monitor_key *k = key;

    return m->ref == k->ref && rusm_pid_eq(m->watcher, k->watcher);
}

static struct monitor *monitor_find(const struct runtime *rt, rusm_pid watcher, uint64_t ref)
{
    struct monitor_key key = { .watcher = watcher, .ref = ref };
    struct map_node *found = map_find(&rt->monitors, monitor_hash(rt, &key), monitor_eq, &key);

    return found ? list_entry(found, struct monitor, by_ref) : NULL;
}

/* Makes one; the caller links at_target and at_watcher. NULL: no memory. */
static struct monitor *monitor_new(struct runtime *rt, rusm_pid watcher, rusm_pid target,
                                   uint64_t ref)
{
    struct monitor_key key = { .watcher = watcher, .ref = ref };
    struct monitor *m = slab_take(&rt->monitor_slab);

    if (!m) {
        return NULL;
    }
    *m = (struct monitor){ .watcher = watcher, .target = target, .ref = ref };
    list_init(&m->at_target);
    list_init(&m->at_watcher);
    if (map_insert(&rt->monitors, monitor_hash(rt, &key), &m->by_ref) != 0) {
        slab_give(&rt->monitor_slab, m);
        return NULL;
    }
    return m;
}

static void monitor_free(struct runtime *rt, struct monitor *m)
{
    if (m->reason) {
        free(m->reason); /* unsent: out of the map and of the counts already */
    } else {
        struct rusm_process *target = runtime_local(rt, m->target);
        struct rusm_process *watcher = runtime_local(rt, m->watcher);
        map_remove(&rt->monitors, &m->by_ref);
        if (target) {
            target->watcher_count--;
        }
        if (watcher) {
            watcher->watching_count--;
        }
    }
    list_remove(&m->at_target);
    list_remove(&m->at_watcher);
    slab_give(&rt->monitor_slab, m);
}

/* ---- ours ---- */

static void monitor_down(struct rusm_process *watcher, rusm_pid target, uint64_t ref,
                         const char *reason)
{
    size_t len = strlen(reason);

    if (!call_down(watcher, ref, 0, reason, len)) {
        process_signal(watcher, RUSM_DOWN, target, ref, 0, reason, len);
    }
}

static struct post monitor_post(enum rusm_kind kind, rusm_pid from, rusm_pid to, uint64_t ref,
                                const char *reason)
{
    return (struct post){ .from = from,
                          .node = to.node,
                          .to = to,
                          .kind = kind,
                          .ref = ref,
                          .data = reason,
                          .len = strlen(reason) };
}

/* Takes the monitor on a process of another node back. Nothing can be done when that fails, and
 * nothing need be: a DOWN for it will be dropped. */
static void monitor_withdraw(struct runtime *rt, rusm_pid watcher, rusm_pid target, uint64_t ref)
{
    struct post post = monitor_post(MESSAGE_DEMONITOR, watcher, target, ref, "");

    (void)rt->hooks->post(rt->context, &post);
}

/* Asks the target's node. */
static int monitor_watch_far(struct rusm_process *watcher, rusm_pid target, uint64_t ref)
{
    struct runtime *rt = watcher->rt;
    struct node_name *node = nodes_at(&rt->nodes, target.node);

    if (!node) {
        return RUSM_EINVAL;
    }
    struct monitor *m = monitor_new(rt, process_pid(watcher), target, ref);
    if (!m) {
        return RUSM_ENOMEM;
    }
    list_append(&node->watched, &m->at_target);
    list_append(&watcher->watching, &m->at_watcher);
    watcher->watching_count++;
    struct post post = monitor_post(MESSAGE_MONITOR, m->watcher, target, ref, "");
    int err = process_post(watcher, &post);
    if (err == 0) {
        return 0;
    }
    /* Not by m: the hook may have lost that node, and m with it, in the meantime. */
    if (!monitor_told(watcher, ref, target.node)) {
        return 0;
    }
    if (err == RUSM_ENOPROC || err == RUSM_ENOCONN) {
        monitor_down(watcher, target, ref, err == RUSM_ENOPROC ? "noproc" : "noconnection");
        return 0;
    }
    return err;
}

int monitor_watch(struct rusm_process *watcher, rusm_pid target, uint64_t *ref)
{
    struct runtime *rt = watcher->rt;
    uint64_t next = rt->ref + 1;

    if (watcher->watching_count >= LIMIT_MONITORS) {
        return RUSM_ELIMIT;
    }
    rt->ref = next;
    *ref = next;
    if (target.node != 0) {
        return monitor_watch_far(watcher, target, next);
    }
    struct rusm_process *p = runtime_local(rt, target);
    if (!p) {
        monitor_down(watcher, target, next, "noproc");
        return 0;
    }
    return process_monitor(p, process_pid(watcher), next);
}

int monitor_unwatch(struct rusm_process *watcher, uint64_t ref)
{
    struct runtime *rt = watcher->rt;
    struct monitor *m = monitor_find(rt, process_pid(watcher), ref);

    if (!m) {
        return RUSM_ENOPROC;
    }
    rusm_pid target = m->target;
    monitor_free(rt, m);
    if (target.node != 0) {
        monitor_withdraw(rt, process_pid(watcher), target, ref);
    }
    return 0;
}

bool monitor_told(struct rusm_process *p, uint64_t ref, uint32_t node)
{
    struct monitor *m = monitor_find(p->rt, process_pid(p), ref);

    /* A node speaks for its own processes only. */
    if (!m || m->target.node != node) {
        return false;
    }
    monitor_free(p->rt, m);
    return true;
}

void monitor_drop(struct runtime *rt, rusm_pid watcher, uint64_t ref)
{
    struct monitor *m = monitor_find(rt, watcher, ref);

    if (m) {
        monitor_free(rt, m);
    }
}

/* ---- the end of a process ---- */

/* Posts the DOWN of an ended target. m is freed (true), or kept in rt->unsent. */
static bool monitor_tell_far(struct runtime *rt, struct monitor *m, const char *reason)
{
    struct node_name *node = nodes_at(&rt->nodes, m->watcher.node);

    list_remove(&m->at_watcher); /* the hook may lose that node, which frees what hangs there */
    struct post post = monitor_post(RUSM_DOWN, m->target, m->watcher, m->ref, reason);
    int err = rt->hooks->post(rt->context, &post);
    if (err == RUSM_BUSY) {
        size_t size = strlen(reason) + 1;
        char *copy = m->reason ? m->reason : malloc(size);
        if (copy) {
            if (!m->reason) {
                map_remove(&rt->monitors, &m->by_ref);
                m->reason = memcpy(copy, reason, size);
            }
            list_remove(&m->at_target);
            list_prepend(&rt->unsent, &m->at_target);
            list_append(&node->watching, &m->at_watcher);
            return false;
        }
    }
    /* Any other error: that node is gone, and knows by that. */
    monitor_free(rt, m);
    return true;
}

void monitor_ended(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    struct list *l;

    while ((l = list_first(&p->watching))) {
        struct monitor *m = list_entry(l, struct monitor, at_watcher);
        rusm_pid target = m->target, self = m->watcher;
        uint64_t ref = m->ref;
        monitor_free(rt, m);
        if (target.node != 0) {
            monitor_withdraw(rt, self, target, ref);
        }
    }
    while ((l = list_first(&p->watchers))) {
        struct monitor *m = list_entry(l, struct monitor, at_target);
        struct rusm_process *watcher = runtime_local(rt, m->watcher);
        rusm_pid target = m->target;
        uint64_t ref = m->ref;
        list_remove(&m->at_target);
        if (m->watcher.node != 0) {
            (void)monitor_tell_far(rt, m, p->reason);
        } else {
            must(watcher);
            monitor_free(rt, m);
            monitor_down(watcher, target, ref, p->reason);
        }
    }
}

static struct monitor *monitor_unsent(struct runtime *rt, rusm_pid ended)
{
    list_each(l, &rt->unsent) {
        struct monitor *m = list_entry(l, struct monitor, at_target);
        if (rusm_pid_eq(m->target, ended)) {
            return m;
        }
    }
    return NULL;
}

void monitor_retry(struct runtime *rt, rusm_pid ended)
{
    struct monitor *m;

    /* RUSM_BUSY again means that we shall be called again. */
    while ((m = monitor_unsent(rt, ended)) && monitor_tell_far(rt, m, m->reason)) {}
}

void monitor_forget_unsent(struct runtime *rt)
{
    struct list *l;

    while ((l = list_first(&rt->unsent))) {
        monitor_free(rt, list_entry(l, struct monitor, at_target));
    }
}

/* ---- other nodes ---- */

int process_monitor(struct rusm_process *p, rusm_pid watcher, uint64_t ref)
{
    struct runtime *rt = p->rt;
    rusm_pid target = process_pid(p);
    struct monitor *m = monitor_find(rt, watcher, ref);

    if (m) {
        return rusm_pid_eq(m->target, target) ? 0 : RUSM_EEXIST;
    }
    if (p->watcher_count >= LIMIT_MONITORS) {
        return RUSM_ELIMIT;
    }
    struct list *watching;
    if (watcher.node == 0) {
        struct rusm_process *w = runtime_local(rt, watcher);
        must(w);
        watching = &w->watching;
    } else {
        struct node_name *node = nodes_at(&rt->nodes, watcher.node);
        must(node);
        watching = &node->watching;
    }
    m = monitor_new(rt, watcher, target, ref);
    if (!m) {
        return RUSM_ENOMEM;
    }
    list_append(&p->watchers, &m->at_target);
    list_append(watching, &m->at_watcher);
    p->watcher_count++;
    if (watcher.node == 0) {
        list_entry(watching, struct rusm_process, watching)->watching_count++;
    }
    return 0;
}

void process_demonitor(struct rusm_process *p, rusm_pid watcher, uint64_t ref)
{
    struct monitor *m = monitor_find(p->rt, watcher, ref);

    if (m && rusm_pid_eq(m->target, process_pid(p))) {
        monitor_free(p->rt, m);
    }
}

void runtime_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation)
{
    struct node_name *it = nodes_at(&rt->nodes, node);

    if (!it || node == 0) {
        return;
    }
    call_node_lost(rt, it, incarnation);
    list_each_safe(l, &it->watching) {
        struct monitor *m = list_entry(l, struct monitor, at_watcher);
        if (m->watcher.incarnation == incarnation) {
            monitor_free(rt, m);
        }
    }
    list_each_safe(l, &it->watched) {
        struct monitor *m = list_entry(l, struct monitor, at_target);
        /* 0: the present one at the time, whichever that was. */
        if (m->target.incarnation == incarnation || m->target.incarnation == 0) {
            struct rusm_process *watcher = runtime_local(rt, m->watcher);
            rusm_pid target = m->target;
            uint64_t ref = m->ref;
            must(watcher);
            monitor_free(rt, m);
            monitor_down(watcher, target, ref, "noconnection");
        }
    }
}
