/* deliver: the way from the network into mailboxes, and what attach shows; all of it is declared
 * in runtime.h. Called by the router and the node, on their thread, never from a behaviour. */
#include <string.h>
#include "actor/call.h"
#include "actor/crossing.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "actor/runtime.h"
#include "actor/wait.h"
#include "base/must.h"

uint64_t runtime_epoch(const struct runtime *rt)
{
    return rt->epoch;
}

struct rusm_process *runtime_find(struct runtime *rt, uint64_t serial)
{
    return roster_find(&rt->roster, serial);
}

struct rusm_process *runtime_find_name(struct runtime *rt, const char *name, size_t len,
                                       uint64_t *serial)
{
    return names_find(rt, name, len, serial);
}

uint64_t process_serial(const struct rusm_process *p)
{
    return p->serial;
}

bool process_has_room(const struct rusm_process *p, size_t len)
{
    const struct mailbox_limits *limits = &p->rt->limits;

    if (!mailbox_has_room(&p->mailbox, limits, len)) {
        return false;
    }
    if (list_empty(&p->waiters)) {
        return true;
    }
    /* One that is too large for now goes first: small ones would refill the mailbox for ever. */
    const struct waiter *first = container_of(p->waiters.next, struct waiter, link);
    return mailbox_has_room(&p->mailbox, limits, first->len);
}

/* An exit signal that is not trapped has its effect, and m is freed: true. */
static bool deliver_exit(struct rusm_process *p, struct message *m)
{
    const char *reason = (const char *)m->pub.data;
    bool linked = m->pub.kind == MESSAGE_LINK_EXIT;

    m->pub.kind = RUSM_EXIT;
    m->pub.ref = 0;
    if (p->trapping && (linked || process_traps(p, reason, m->pub.len))) {
        return false;
    }
    /* Not runtime_exit: the caller may still use p this turn. */
    process_exit_signal(p, m->pub.from, reason, m->pub.len, linked);
    message_free(p->rt->pool, m);
    return true;
}

void process_deliver(struct rusm_process *p, struct message *m)
{
    struct runtime *rt = p->rt;

    switch ((int)m->pub.kind) {
    case RUSM_SEND: must(mailbox_has_room(&p->mailbox, &rt->limits, m->pub.len)); break;
    case RUSM_CALL:
        must(mailbox_has_room(&p->mailbox, &rt->limits, m->pub.len));
        if (m->pub.from.serial) {
            /* Without room for it the caller is told by its timeout alone. */
            (void)process_monitor(p, m->pub.from, m->pub.ref);
        }
        break;
    case RUSM_REPLY:
        if (!call_answered(p, m->pub.ref)) {
            message_free(rt->pool, m);
            return;
        }
        break;
    case RUSM_DOWN:
        if (call_down(p, m->pub.ref, m->pub.from.node, (const char *)m->pub.data, m->pub.len) ||
            !monitor_told(p, m->pub.ref, m->pub.from.node)) {
            message_free(rt->pool, m);
            return;
        }
        break;
    case MESSAGE_LINK_EXIT:
        if (!link_told(p, m->pub.from)) {
            message_free(rt->pool, m);
            return;
        }
        /* fallthrough */
    case RUSM_EXIT:
        if (deliver_exit(p, m)) {
            return;
        }
        break;
    default: break;
    }
    process_push(p, m);
}

void process_wait_for(struct rusm_process *p, struct waiter *w, size_t len)
{
    w->len = len;
    if (!list_linked(&w->link) || w->at != p) {
        list_remove(&w->link);
        list_append(&p->waiters, &w->link);
        w->at = p;
    }
    if (p->mailbox.count == 0) {
        wait_look(p); /* else it is looked at when p takes one */
    }
}

void process_wait(struct rusm_process *p, struct waiter *w)
{
    process_wait_for(p, w, 0);
}

/* ---- for attach ---- */

void process_info(const struct rusm_process *p, struct process_info *out, uint64_t now_ns)
{
    const struct mailbox *mb = &p->mailbox;

    *out = (struct process_info){ .serial = p->serial, .behaviour = p->behaviour->name };
    out->name = list_empty(&p->names)
                    ? ""
                    : container_of(p->names.next, struct process_name, at_holder)->name;
    out->state = p->reason              ? "exiting"
                 : p->running           ? "running"
                 : list_linked(&p->run) ? "ready"
                 : p->holding           ? "holding"
                                        : "waiting";
    out->mailbox = mb->count;
    out->received = p->received;
    out->memory = sizeof(*p) + mb->bytes + mb->count * sizeof(struct message);
    out->links = link_count(p) + p->watcher_count + p->watching_count;
    out->age_ns = now_ns > p->started_ns ? now_ns - p->started_ns : 0;
}

struct rusm_process *runtime_next(struct runtime *rt, uint64_t serial)
{
    return roster_next(&rt->roster, serial);
}

size_t runtime_count(const struct runtime *rt)
{
    return rt->roster.count;
}

/* Those of one process, without the first at->skip. Non-zero: what `each` returned. */
static int each_name_of(const struct rusm_process *p, struct name_cursor *at,
                        int (*each)(void *context, const char *name, uint64_t serial),
                        void *context)
{
    size_t i = 0;

    list_each(n, &p->names) {
        if (i++ < at->skip) {
            continue;
        }
        at->skip++;
        if (each(context, container_of(n, struct process_name, at_holder)->name, p->serial)) {
            return 1;
        }
    }
    return 0;
}

void runtime_each_name(struct runtime *rt, struct name_cursor *at,
                       int (*each)(void *context, const char *name, uint64_t serial), void *context)
{
    struct rusm_process *p = roster_find(&rt->roster, at->serial);

    if (p && each_name_of(p, at, each, context)) {
        return;
    }
    while ((p = roster_next(&rt->roster, at->serial))) {
        *at = (struct name_cursor){ .serial = p->serial };
        if (each_name_of(p, at, each, context)) {
            return;
        }
    }
}

void runtime_each_spawnable(struct runtime *rt,
                            int (*each)(void *context, const char *name,
                                        const struct rusm_behaviour *behaviour),
                            void *context)
{
    list_each(l, &rt->spawnables.all) {
        struct spawnable *s = container_of(l, struct spawnable, all);
        if (each(context, s->name, s->behaviour)) {
            return;
        }
    }
}

const struct runtime_counters *runtime_counters(const struct runtime *rt)
{
    return &rt->counters;
}
