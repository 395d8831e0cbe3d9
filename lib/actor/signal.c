/* signal: what comes from other nodes about links and monitors, and who is told of nodes that come
 * and go. Declared in runtime.h and signal.h. Called by the router and the node, on their thread,
 * never from a behaviour. */
#include "actor/signal.h"

#include <stdlib.h>
#include <string.h>
#include "actor/call.h"
#include "actor/exit_notice.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"

/* ---- signals between processes ---- */

/* Answers a signal that finds no process. The answer is in the name of the process that was meant,
 * so it comes behind all that this process has sent. */
static int signal_nobody(struct runtime *rt, rusm_pid to, enum rusm_kind kind, rusm_pid from,
                         uint64_t ref)
{
    switch ((int)kind) {
    case MESSAGE_LINK: exit_notice_answer(rt, MESSAGE_LINK_EXIT, to, from, 0, "noproc"); break;
    case MESSAGE_UNLINK: exit_notice_answer(rt, MESSAGE_UNLINKED, to, from, ref, ""); break;
    case RUSM_CALL:
    case MESSAGE_MONITOR: exit_notice_answer(rt, RUSM_DOWN, to, from, ref, "noproc"); break;
    default: break;
    }
    return RUSM_ENOPROC;
}

int runtime_signal(struct runtime *rt, struct rusm_process *p, rusm_pid to, enum rusm_kind kind,
                   rusm_pid from, uint64_t ref)
{
    int err = 0;

    if (kind == MESSAGE_DEMONITOR) {
        runtime_demonitor(rt, from, ref); /* not by p: a name's holder may have changed */
        return 0;
    }
    if (!p) {
        return signal_nobody(rt, to, kind, from, ref);
    }
    switch ((int)kind) {
    case MESSAGE_LINK: err = link_asked(p, from); break;
    case MESSAGE_UNLINK: link_undone(p, from, ref); break;
    case MESSAGE_UNLINKED: link_confirmed(p, from, ref); break;
    default:
        err = process_monitor(p, from, ref);
        if (err == RUSM_ELIMIT || err == RUSM_ENOMEM) {
            exit_notice_answer(rt, RUSM_DOWN, process_pid(p), from, ref, "system_limit");
        }
    }
    return err;
}

/* ---- nodes ---- */

struct node_watch {
    struct list at; /* in rt->node_watches */
    struct rusm_process *who;
};

static struct node_watch *signal_watch(struct rusm_process *p)
{
    list_each(l, &p->rt->node_watches) {
        struct node_watch *w = container_of(l, struct node_watch, at);
        if (w->who == p) {
            return w;
        }
    }
    return NULL;
}

int signal_watch_nodes(struct rusm_process *p, bool on)
{
    if (on == p->nodes_told) {
        return 0;
    }
    struct node_watch *w = on ? malloc(sizeof(*w)) : signal_watch(p);
    if (!w) {
        return RUSM_ENOMEM;
    }
    p->nodes_told = on;
    process_has(p, PART_NODES);
    if (on) {
        w->who = p;
        list_append(&p->rt->node_watches, &w->at);
    } else {
        list_remove(&w->at);
        free(w);
    }
    return 0;
}

static void signal_nodes(struct runtime *rt, enum rusm_kind kind, const struct node_name *node,
                         uint32_t incarnation)
{
    rusm_pid from = { .node = node->index, .incarnation = incarnation };

    list_each(l, &rt->node_watches) {
        process_signal(container_of(l, struct node_watch, at)->who, kind, from, 0, 0, node->name,
                       node->len);
    }
}

int runtime_node_up(struct runtime *rt, uint32_t node, uint32_t incarnation)
{
    struct node_name *it = nodes_at(&rt->nodes, node);
    int err = !it ? RUSM_ENOMEM : rt->far ? rt->far->node_up(rt, it, incarnation) : 0;

    if (it) {
        it->up = incarnation;
        signal_nodes(rt, RUSM_NODE_UP, it, incarnation);
    }
    return err;
}

void runtime_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation)
{
    struct node_name *it = nodes_at(&rt->nodes, node);

    if (!it || node == 0) {
        return;
    }
    if (rt->far) {
        rt->far->node_lost(rt, it, incarnation);
    }
    exit_notice_node_lost(rt, it, incarnation);
    call_node_lost(rt, it, incarnation);
    monitor_node_lost(rt, it, incarnation);
    link_node_lost(rt, it, incarnation);
    if (it->up == incarnation) {
        it->up = 0;
        monitor_node_down(rt, it, incarnation);
        signal_nodes(rt, RUSM_NODE_DOWN, it, incarnation);
    }
}
