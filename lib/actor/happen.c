/* happen: see the header. On the runtime's thread. */
#include "actor/happen.h"

#include <string.h>

void happen_process(const struct rusm_process *p, enum happening_kind kind)
{
    struct process_info info;

    if (!happen_watched(p->rt)) {
        return;
    }
    process_info(p, &info, p->rt->now_ns);
    struct happening h = { .kind = kind,
                           .serial = p->serial,
                           .name = info.name,
                           .name_len = strlen(info.name),
                           .behaviour = info.behaviour,
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
