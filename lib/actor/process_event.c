/* process_event: see the header. Called on the runtime's thread. */
#include "actor/process_event.h"

void process_event_of(const struct rusm_process *p, enum process_event_kind kind)
{
    const struct process_name *first;

    if (!process_event_watched(p->rt)) {
        return;
    }
    first =
        list_empty(&p->names) ? NULL : container_of(p->names.next, struct process_name, at_holder);
    struct process_event h = { .kind = kind,
                               .serial = p->serial,
                               .name = first ? first->name : "",
                               .name_len = first ? first->len : 0,
                               .behaviour = p->behaviour->name,
                               .reason = kind == PROCESS_ENDED ? p->reason : "" };
    p->rt->hooks->event(p->rt->context, &h);
}

void process_event_name(struct runtime *rt, enum process_event_kind kind, uint64_t serial,
                        const char *name, size_t len)
{
    if (!process_event_watched(rt)) {
        return;
    }
    struct process_event h = {
        .kind = kind, .serial = serial, .name = name, .name_len = len, .behaviour = "", .reason = ""
    };
    rt->hooks->event(rt->context, &h);
}
