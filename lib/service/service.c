/* service: see the header. */
#include "service/service.h"

#include "actor/runtime.h"
#include "cluster/registry.h"
#include "sched/sched.h"

static struct rusm_process *find_serial(const struct service *s, uint64_t serial, uint64_t *far)
{
    if (runtime_whose(s->runtime, serial) != runtime_index(s->runtime)) {
        *far = serial;
        return NULL;
    }
    return runtime_find(s->runtime, serial);
}

struct rusm_process *service_find(const struct service *s, const struct target *target,
                                  uint64_t *far)
{
    struct registry_holder holder;
    struct rusm_process *here;

    *far = 0;
    switch (target->kind) {
    case TARGET_PID:
        if (target->incarnation != s->incarnation) {
            return NULL;
        }
        return find_serial(s, target->serial, far);
    case TARGET_NAME:
        here = runtime_find_name(s->runtime, target->name, target->name_len, far);
        if (here) {
            *far = 0;
        }
        return here;
    case TARGET_GLOBAL:
        if (s->node->whereis(s->context, target->name, target->name_len, &holder) != 0 ||
            holder.node != 0) {
            return NULL;
        }
        return find_serial(s, holder.serial, far);
    }
    return NULL;
}
