/* scheduler: see the header. How scheduler 0 looks into the other schedulers. */
#include "node/scheduler.h"

#include <sched.h>
#include "node/node.h"

/* How long scheduler 0 waits once for another scheduler's tick to end. That is many times what a
 * tick's budget takes. */
#define ENTER_NS ((uint64_t)50000000)

struct runtime *scheduler_runtime(const struct rusm_node *node, unsigned index)
{
    return node->schedulers[index].runtime;
}

/* ---- looking into another scheduler ---- */

bool scheduler_enter(struct rusm_node *node, unsigned index)
{
    struct scheduler *s = &node->schedulers[index];
    if (index == 0) {
        return true;
    }
    int error = pthread_mutex_trylock(&s->ticking);
    if (error && !s->stuck) {
        uint64_t until_ns = endpoint_now_ns() + ENTER_NS;
        atomic_store(&s->wanted, true); /* the scheduler begins no other tick */
        while ((error = pthread_mutex_trylock(&s->ticking)) && endpoint_now_ns() < until_ns) {
            sched_yield();
        }
        atomic_store(&s->wanted, false);
    }
    s->stuck = error != 0;
    return !error;
}

void scheduler_leave(struct rusm_node *node, unsigned index)
{
    if (index > 0) {
        pthread_mutex_unlock(&node->schedulers[index].ticking);
    }
}

const struct scheduler_counters *scheduler_counters(struct rusm_node *node, unsigned index)
{
    struct scheduler *s = &node->schedulers[index];
    bool entered = scheduler_enter(node, index);
    s->counters.source.held = !entered;
    if (entered) {
        s->counters.source.runtime = *runtime_counters(s->runtime);
        s->counters.source.endpoint = *endpoint_counters(s->endpoint);
        s->counters.source.causes = s->causes;
        s->counters.source.programs = s->programs.host.shown;
        s->counters.processes = runtime_count(s->runtime);
        scheduler_leave(node, index);
    }
    return &s->counters;
}

/* ---- what any thread may call ---- */

void rusm_node_stop(struct rusm_node *node)
{
    atomic_fetch_add(&node->stops, 1);
    loop_wake(&node->first->loop);
}
