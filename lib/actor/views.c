/* views: what attach shows of a runtime, and how processes are found. Declared in runtime.h. Called
 * by the node, on the runtime's thread. */
#include "actor/link.h"
#include "actor/process.h"
#include "actor/runtime.h"

uint64_t runtime_epoch(const struct runtime *rt)
{
    return rt->epoch;
}

struct rusm_process *runtime_find(struct runtime *rt, uint64_t serial)
{
    return process_table_find(&rt->processes_by_serial, serial);
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

uint64_t runtime_now_ns(const struct runtime *rt)
{
    return rt->now_ns;
}

struct rusm_process *runtime_next(struct runtime *rt, uint64_t serial)
{
    return process_table_next(&rt->processes_by_serial, serial);
}

size_t runtime_count(const struct runtime *rt)
{
    return rt->processes_by_serial.count;
}

/* Calls `each` for the names of one process, without the first at->skip. Returns non-zero if `each`
 * did. */
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
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, at->serial);

    if (p && each_name_of(p, at, each, context)) {
        return;
    }
    while ((p = process_table_next(&rt->processes_by_serial, at->serial))) {
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

/* ---- with several schedulers ---- */

unsigned runtime_node_scheduler(const struct runtime *rt, uint32_t index)
{
    const struct node_name *node = nodes_at(&rt->nodes, index);

    return node ? runtime_node_share(rt, node) : 0;
}

unsigned runtime_whose(const struct runtime *rt, uint64_t serial)
{
    uint64_t whose = serial & rt->mask;

    return whose < rt->schedulers ? (unsigned)whose : rt->index;
}
