/* life: see the header. */
#include "node/life.h"
#include "node/node.h"

void life_init(struct rusm_node *node, const struct rusm_node_options *o)
{
    node->life = (struct life){ .tell = o->life,
                                .context = o->life_context,
                                .period_ns = (uint64_t)o->alive_ms * 1000000 };
}

/* Returns whether all other schedulers have run within the last period. They do so twice in a
 * period at least, unless a handler does not return. */
static bool all_run(const struct rusm_node *node, uint64_t now_ns)
{
    for (unsigned i = 1; i < node->scheduler_count; i++) {
        uint64_t ran_ns = atomic_load_explicit(&node->schedulers[i].ran_ns, memory_order_relaxed);
        if (ran_ns + node->life.period_ns < now_ns) {
            return false;
        }
    }
    return true;
}

uint64_t life_tick(struct scheduler *s)
{
    struct rusm_node *node = s->node;
    struct life *life = &node->life;
    if (!life->tell || life->period_ns == 0) {
        return UINT64_MAX;
    }
    if (s->index > 0) {
        atomic_store_explicit(&s->ran_ns, s->now_ns, memory_order_relaxed);
        return s->now_ns + life->period_ns / 2;
    }
    if (life->due_ns > 0 && s->now_ns >= life->due_ns && all_run(node, s->now_ns)) {
        life->tell(life->context, RUSM_LIFE_RUNS);
    }
    if (s->now_ns >= life->due_ns) {
        life->due_ns = s->now_ns + life->period_ns;
    }
    return life->due_ns;
}

void life_leave(struct rusm_node *node)
{
    if (node->life.tell) {
        node->life.tell(node->life.context, RUSM_LIFE_LEAVES);
    }
}
