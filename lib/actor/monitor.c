/* monitor: see the header. Also process_monitor, process_asked and runtime_demonitor of runtime.h,
 * for what comes from other nodes. */
#include "actor/monitor.h"

#include <stdlib.h>
#include <string.h>
#include "actor/exit_notice.h"
#include "actor/process.h"
#include "base/id.h"
#include "actor/limits.h"
#include "base/must.h"

struct monitor {
    struct map_node by_ref; /* in rt->monitors by watcher and ref */
    struct list at_target;  /* in the target's watchers, or its node's `watched` */
    struct list at_watcher; /* in the watcher's watching, or its node's `watching` */
    rusm_pid watcher;
    rusm_pid target; /* serial 0: a name of that node, or the node */
    uint64_t ref;
    char *name; /* the target's name on another node; NULL: a pid, or the node */
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
    const struct monitor *m = container_of(node, struct monitor, by_ref);
    const struct monitor_key *k = key;

    return m->ref == k->ref && rusm_pid_eq(m->watcher, k->watcher);
}

static struct monitor *monitor_find(const struct runtime *rt, rusm_pid watcher, uint64_t ref)
{
    struct monitor_key key = { .watcher = watcher, .ref = ref };
    struct map_node *found = map_find(&rt->monitors, monitor_hash(rt, &key), monitor_eq, &key);

    return found ? container_of(found, struct monitor, by_ref) : NULL;
}

/* Makes a monitor. The caller must link at_target and at_watcher. Returns NULL if there is no
 * memory. */
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
    struct rusm_process *target = runtime_local(rt, m->target);
    struct rusm_process *watcher = runtime_local(rt, m->watcher);

    map_remove(&rt->monitors, &m->by_ref);
    if (target) {
        target->watcher_count--;
        if (target->unasked) {
            process_wake(target);
        }
    }
    if (watcher) {
        watcher->watching_count--;
    }
    list_remove(&m->at_target);
    list_remove(&m->at_watcher);
    free(m->name);
    slab_give(&rt->monitor_slab, m);
}

static bool monitor_of_node(const struct monitor *m)
{
    return m->target.serial == 0 && !m->name;
}

/* ---- what a process does ---- */

static void monitor_down(struct rusm_process *watcher, rusm_pid target, uint64_t ref,
                         const char *reason)
{
    size_t len = strlen(reason);

    if (!watcher->rt->parts->takes_down(watcher, ref, 0, reason, len)) {
        process_signal(watcher, RUSM_DOWN, target, ref, 0, reason, len);
    }
}

/* Makes a monitor of a process of this runtime on another node or on something there. Returns NULL
 * if there is no memory. */
static struct monitor *monitor_new_far(struct rusm_process *watcher, rusm_pid target, uint64_t ref)
{
    struct runtime *rt = watcher->rt;
    struct monitor *m = monitor_new(rt, process_pid(watcher), target, ref);

    if (m) {
        list_append(&nodes_at(&rt->nodes, target.node)->watched, &m->at_target);
        list_append(&watcher->watching, &m->at_watcher);
        process_has(watcher, PART_MONITORS);
        watcher->watching_count++;
    }
    return m;
}

/* Asks the target's node for a monitor. name NULL: the target is given by its serial. */
static int monitor_watch_far(struct rusm_process *watcher, rusm_pid target, const char *name,
                             size_t name_len, uint64_t ref)
{
    struct monitor *m = monitor_new_far(watcher, target, ref);
    struct post post = { .from = process_pid(watcher), .node = target.node, .to = target };

    if (!m) {
        return RUSM_ENOMEM;
    }
    if (name && !(m->name = strndup(name, name_len))) {
        monitor_free(watcher->rt, m);
        return RUSM_ENOMEM;
    }
    post.name = name;
    post.name_len = name_len;
    post.kind = MESSAGE_MONITOR;
    post.ref = ref;
    post.data = "";
    int err = process_post(watcher, &post);
    if (err == 0) {
        return 0;
    }
    /* Look it up by ref, not by m: the hook may have lost that node meanwhile, and m with it. */
    if (!monitor_told(watcher, ref, target.node)) {
        return 0;
    }
    if (err == RUSM_ENOPROC || err == RUSM_ENOCONN) {
        monitor_down(watcher, target, ref, err == RUSM_ENOPROC ? "noproc" : "noconnection");
        return 0;
    }
    return err;
}

/* Gives a ref for one more monitor of watcher. Returns 0 or RUSM_ELIMIT. */
static int monitor_ref(struct rusm_process *watcher, uint64_t *ref)
{
    if (watcher->watching_count >= LIMIT_MONITORS) {
        return RUSM_ELIMIT;
    }
    *ref = ++watcher->rt->ref;
    return 0;
}

static int monitor_watch_here(struct rusm_process *watcher, struct rusm_process *target,
                              rusm_pid pid, uint64_t ref)
{
    if (!target) {
        monitor_down(watcher, pid, ref, "noproc");
        return 0;
    }
    return process_monitor(target, process_pid(watcher), ref);
}

int monitor_watch(struct rusm_process *watcher, rusm_pid target, uint64_t *ref)
{
    struct runtime *rt = watcher->rt;
    int err = monitor_ref(watcher, ref);

    if (err) {
        return err;
    }
    if (!runtime_far(rt, target)) {
        return monitor_watch_here(watcher, runtime_local(rt, target), target, *ref);
    }
    if (!nodes_at(&rt->nodes, target.node) || target.serial == 0) {
        return RUSM_EINVAL;
    }
    return monitor_watch_far(watcher, target, NULL, 0, *ref);
}

int monitor_watch_name(struct rusm_process *watcher, uint32_t node, const char *name, size_t len,
                       uint64_t *ref)
{
    struct runtime *rt = watcher->rt;
    rusm_pid target = { .node = node };
    int err = id_process_name_ok(name, len) ? monitor_ref(watcher, ref) : RUSM_EINVAL;

    if (err) {
        return err;
    }
    if (node == 0) {
        struct rusm_process *here = names_find(rt, name, len, &target.serial);
        target.incarnation = rt->incarnation;
        if (!here && runtime_far(rt, target)) {
            return monitor_watch_far(watcher, target, NULL, 0, *ref);
        }
        target.serial = 0;
        return monitor_watch_here(watcher, here, target, *ref);
    }
    return nodes_at(&rt->nodes, node) ? monitor_watch_far(watcher, target, name, len, *ref)
                                      : RUSM_EINVAL;
}

int monitor_watch_node(struct rusm_process *watcher, uint32_t node, uint64_t *ref)
{
    struct node_name *it = nodes_at(&watcher->rt->nodes, node);
    rusm_pid target = { .node = node };
    int err = it && node != 0 ? monitor_ref(watcher, ref) : RUSM_EINVAL;

    if (err) {
        return err;
    }
    if (it->up == 0) {
        process_signal(watcher, RUSM_NODE_DOWN, target, *ref, 0, it->name, it->len);
        return 0;
    }
    target.incarnation = it->up;
    return monitor_new_far(watcher, target, *ref) ? 0 : RUSM_ENOMEM;
}

/* Frees m. Tells the target's node or scheduler, if it is another one, that the watcher
 * unsubscribes. */
static void monitor_withdraw(struct runtime *rt, struct monitor *m)
{
    rusm_pid watcher = m->watcher, target = m->target;
    uint64_t ref = m->ref;
    bool quiet = !runtime_far(rt, target) || monitor_of_node(m);
    char *name = m->name;

    m->name = NULL;
    monitor_free(rt, m);
    if (name) {
        exit_notice_post_name(rt, MESSAGE_DEMONITOR, watcher, target.node, name, ref);
    } else if (!quiet) {
        exit_notice_post(rt, MESSAGE_DEMONITOR, watcher, target, ref, "");
    }
    free(name);
}

int monitor_unwatch(struct rusm_process *watcher, uint64_t ref)
{
    struct monitor *m = monitor_find(watcher->rt, process_pid(watcher), ref);

    if (!m) {
        return RUSM_ENOPROC;
    }
    monitor_withdraw(watcher->rt, m);
    return 0;
}

bool monitor_told(struct rusm_process *p, uint64_t ref, uint32_t node)
{
    struct monitor *m = monitor_find(p->rt, process_pid(p), ref);

    /* A node speaks for its own processes only. */
    if (!m || m->target.node != node || monitor_of_node(m)) {
        return false;
    }
    monitor_free(p->rt, m);
    return true;
}

void monitor_refused(struct rusm_process *p, uint64_t ref, const char *reason)
{
    struct monitor *m = monitor_find(p->rt, process_pid(p), ref);

    if (m) {
        rusm_pid target = m->target;
        monitor_free(p->rt, m);
        monitor_down(p, target, ref, reason);
    }
}

void monitor_drop(struct runtime *rt, rusm_pid watcher, uint64_t ref)
{
    struct monitor *m = monitor_find(rt, watcher, ref);

    if (m) {
        monitor_free(rt, m);
    }
}

/* ---- the end of a process ---- */

void monitor_ended(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    struct list *l;

    while ((l = list_first(&p->watching))) {
        monitor_withdraw(rt, container_of(l, struct monitor, at_watcher));
    }
    while ((l = list_first(&p->watchers))) {
        struct monitor *m = container_of(l, struct monitor, at_target);
        struct rusm_process *watcher = runtime_local(rt, m->watcher);
        rusm_pid who = m->watcher, target = m->target;
        uint64_t ref = m->ref;
        must(watcher || runtime_far(rt, who));
        monitor_free(rt, m);
        if (watcher) {
            monitor_down(watcher, target, ref, p->reason);
        } else {
            exit_notice_post(rt, RUSM_DOWN, target, who, ref, p->reason);
        }
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
    bool far = runtime_far(rt, watcher);
    if (!far) {
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
    process_has(p, PART_MONITORS);
    if (!far) {
        struct rusm_process *w = container_of(watching, struct rusm_process, watching);
        w->watching_count++;
        process_has(w, PART_MONITORS);
    }
    return 0;
}

bool process_asked(const struct rusm_process *self, rusm_pid caller, uint64_t ref)
{
    const struct monitor *m = monitor_find(self->rt, caller, ref);

    return m && rusm_pid_eq(m->target, process_pid(self));
}

void runtime_demonitor(struct runtime *rt, rusm_pid watcher, uint64_t ref)
{
    monitor_drop(rt, watcher, ref);
}

/* Ends the monitors on that node's processes or, with `itself`, those on the node. Two passes,
 * because those on the node must be told last. */
static void monitor_node_pass(struct runtime *rt, struct node_name *node, uint32_t incarnation,
                              bool itself)
{
    list_each_safe(l, &node->watched) {
        struct monitor *m = container_of(l, struct monitor, at_target);
        /* 0 stands for the incarnation that was present at the time, whichever that was. */
        bool gone = m->target.incarnation == incarnation || m->target.incarnation == 0;
        if (gone && monitor_of_node(m) == itself) {
            struct rusm_process *watcher = runtime_local(rt, m->watcher);
            rusm_pid target = m->target;
            uint64_t ref = m->ref;
            monitor_free(rt, m);
            if (!watcher) {
                continue; /* the watcher is being removed right now */
            }
            if (itself) {
                process_signal(watcher, RUSM_NODE_DOWN, target, ref, 0, node->name, node->len);
            } else {
                monitor_down(watcher, target, ref, "noconnection");
            }
        }
    }
}

void monitor_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    list_each_safe(l, &node->watching) {
        struct monitor *m = container_of(l, struct monitor, at_watcher);
        if (m->watcher.incarnation == incarnation) {
            monitor_free(rt, m);
        }
    }
    monitor_node_pass(rt, node, incarnation, false);
}

void monitor_node_down(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    monitor_node_pass(rt, node, incarnation, true);
}

/* ---- for attach ---- */

void monitor_each(const struct rusm_process *p, size_t most, monitor_fn *each, void *context)
{
    list_each(l, &p->watching) {
        const struct monitor *m = container_of(l, struct monitor, at_watcher);
        if (most-- == 0) {
            return;
        }
        each(context, m->target, m->name);
    }
}

void monitor_each_watcher(const struct rusm_process *p, size_t most, monitor_fn *each,
                          void *context)
{
    list_each(l, &p->watchers) {
        if (most-- == 0) {
            return;
        }
        each(context, container_of(l, struct monitor, at_target)->watcher, NULL);
    }
}
