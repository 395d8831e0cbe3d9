/* happen: see the header. On the runtime's thread. */
#include "actor/happen.h"

void happen_process(const struct rusm_process *p, enum happening_kind kind)
{
    const struct process_name *first;

    if (!happen_watched(p->rt)) {
        return;
    }
    first =
        list_empty(&p->names) ? NULL : container_of(p->names.next, struct process_name, at_holder);
    struct happening h = { .kind = kind,
                           .serial = p->serial,
                           .name = first ? first->name : "",
                           .name_len = first ? first->len : 0,
                           .behaviour = p->behaviour->name,
                           .reason = kind == HAPPENED_END ? p->reason : "" };
    p->rt->hooks->happened(p->rt->context, &h);
}

void happen_name(struct runtime *rt, enum happening_kind kind, uint64_t serial, const char *name,
                 size_t len)
{
    if (!happen_watched(rt)) {
        return;
    }
    struct happening h = {
        .kind = kind, .serial = serial, .name = name, .name_len = len, .behaviour = "", .reason = ""
    };
    rt->hooks->happened(rt->context, &h);
}
