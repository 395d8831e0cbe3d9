/* inspect: see the header. */
#include "service/inspect.h"

#include "actor/limits.h"
#include "actor/runtime.h"
#include "base/id.h"
#include "service/service.h"
#include "service/tables.h"

struct inspection {
    const struct service *service;
    const struct runtime *runtime;
    struct writer w;
    bool full;
};

static void inspect_pid(const struct inspection *i, rusm_pid pid, char text[RUSM_PID_TEXT_MAX])
{
    const char *node = pid.node == 0 ? i->service->name : runtime_node_name(i->runtime, pid.node);

    text[0] = '\0';
    if (pid.serial > 0 && node) {
        id_pid_format(text, RUSM_PID_TEXT_MAX, pid.serial, node,
                      pid.incarnation ? pid.incarnation : i->service->incarnation);
    }
}

/* Writes a relation, unless it or one before it did not fit. */
static void inspect_relation(void *context, const struct process_relation *relation)
{
    struct inspection *i = context;
    struct writer before = i->w;
    char pid[RUSM_PID_TEXT_MAX];

    if (i->full) {
        return;
    }
    inspect_pid(i, relation->pid, pid);
    tables_put_relation(&i->w, &(struct tables_relation){ .relation = relation->relation,
                                                          .pid = pid,
                                                          .name = relation->name,
                                                          .bytes = relation->bytes });
    if (i->w.bad) {
        i->w = before;
        i->full = true;
    }
}

size_t inspect_write(uint8_t *body, size_t cap, const struct service *s, struct runtime *rt,
                     const struct rusm_process *p, const char *global)
{
    struct inspection i = { .service = s, .runtime = rt, .w = writer_on(body, cap) };
    char pid[RUSM_PID_TEXT_MAX];
    struct process_info info;

    process_info(p, &info, runtime_now_ns(rt));
    id_pid_format(pid, sizeof(pid), info.serial, s->name, s->incarnation);
    tables_put_columns(&i.w, RUSM_TABLE_PROCESSES);
    tables_put_info(&i.w, &info, pid, info.name[0] ? info.name : global);
    tables_put_columns(&i.w, TABLES_RELATIONS);
    process_relations(p, LIMIT_RELATIONS, inspect_relation, &i);
    return writer_len(&i.w);
}
