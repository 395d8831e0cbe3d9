/* trace: see the header. */
#include "actor/trace.h"

#include <string.h>

#include "actor/limits.h"

/* Returns whether there is room for one more event. Counts it as missing if there is none. */
static bool trace_has_room(struct runtime *rt)
{
    uint64_t ms = rt->now_ns / 1000000;

    if (rt->trace.ms != ms) {
        uint64_t more = (ms - rt->trace.ms) * LIMIT_TRACE_MS;
        uint64_t room = more < LIMIT_TRACE_BURST ? rt->trace.room + more : LIMIT_TRACE_BURST;
        rt->trace.room = room < LIMIT_TRACE_BURST ? room : LIMIT_TRACE_BURST;
        rt->trace.ms = ms;
    }
    if (rt->trace.room == 0) {
        rt->trace.missing++;
        return false;
    }
    rt->trace.room--;
    return true;
}

static void trace_tell(struct rusm_process *p, struct trace_event *e)
{
    struct runtime *rt = p->rt;

    e->serial = p->serial;
    e->missing = rt->trace.missing;
    rt->trace.missing = 0;
    p->traced = rt->hooks->trace(rt->context, e);
}

void trace_tell_message(struct rusm_process *p, enum trace_point point,
                        const struct rusm_message *m)
{
    if (trace_has_room(p->rt)) {
        struct trace_event e = { .point = point,
                                 .kind = m->kind,
                                 .other = m->from,
                                 .ref = m->ref,
                                 .error = m->error,
                                 .data = m->data,
                                 .len = m->len };
        trace_tell(p, &e);
    }
}

void trace_tell_sent(struct rusm_process *self, const struct post *post)
{
    if (trace_has_room(self->rt)) {
        struct trace_event e = { .point = TRACE_SENT,
                                 .kind = post->kind,
                                 .other = post->to,
                                 .ref = post->ref,
                                 .data = post->data,
                                 .len = post->len };
        e.other.node = post->node;
        if (post->to.serial == 0) {
            e.name = post->name;
            e.name_len = post->name_len;
        }
        trace_tell(self, &e);
    }
}

void trace_tell_ended(struct rusm_process *p)
{
    struct trace_event e = { .point = TRACE_ENDED,
                             .data = (const uint8_t *)p->reason,
                             .len = strlen(p->reason) };

    trace_tell(p, &e); /* always: the tracer must learn that nothing more comes */
}

bool runtime_trace(struct runtime *rt, uint64_t serial)
{
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, serial);

    if (p) {
        p->traced = true;
    }
    return p != NULL;
}
