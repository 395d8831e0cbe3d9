/* relations: what attach shows of one process. Declared in runtime.h. Called by the node, on the
 * runtime's thread. */
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/runtime.h"
#include "actor/state.h"
#include "actor/wait.h"

struct relations {
    const struct rusm_process *p;
    const char *relation; /* of those that are shown now */
    process_relation_fn *each;
    void *context;
};

/* Returns a local name of a process of this runtime, or "". */
static const char *relations_name(const struct rusm_process *p, rusm_pid pid)
{
    const struct rusm_process *other = runtime_local(p->rt, pid);

    return other && !list_empty(&other->names)
               ? container_of(other->names.next, struct process_name, at_holder)->name
               : "";
}

static void relations_show(const struct relations *r, rusm_pid pid, const char *name, uint64_t len)
{
    r->each(r->context, &(struct process_relation){ .relation = r->relation,
                                                    .pid = pid,
                                                    .name = name ? name : relations_name(r->p, pid),
                                                    .bytes = len });
}

static void relations_link(void *context, rusm_pid other)
{
    relations_show(context, other, NULL, 0);
}

static void relations_monitor(void *context, rusm_pid other, const char *name)
{
    relations_show(context, other, name, 0);
}

static void relations_wait(void *context, rusm_pid pid, size_t len)
{
    relations_show(context, pid, NULL, len);
}

static void relations_names(const struct relations *r, size_t most)
{
    list_each(l, &r->p->names) {
        if (most-- == 0) {
            return;
        }
        relations_show(r, (rusm_pid){ 0 }, container_of(l, struct process_name, at_holder)->name,
                       0);
    }
}

static void relations_messages(const struct relations *r, size_t most)
{
    const struct message *m = r->p->mailbox.count > 0 ? r->p->mailbox.head : NULL;

    for (size_t i = 0; m && i < most; i++, m = m->next) {
        relations_show(r, m->pub.from, NULL, m->pub.len);
    }
}

void process_relations(const struct rusm_process *p, size_t most, process_relation_fn *each,
                       void *context)
{
    struct relations r = { .p = p, .each = each, .context = context };

    r.relation = "name";
    relations_names(&r, most);
    r.relation = "link";
    link_each(p, most, relations_link, &r);
    r.relation = "monitors";
    monitor_each(p, most, relations_monitor, &r);
    r.relation = "monitored_by";
    monitor_each_watcher(p, most, relations_monitor, &r);
    r.relation = "waits_for";
    wait_each(p, most, relations_wait, &r);
    r.relation = "waiting";
    wait_each_waiter(p, most, relations_wait, &r);
    r.relation = "message";
    relations_messages(&r, most);
}
