/* sleep: see the header. Called by rusm_hold_for and the runtime, in handlers and between them. */
#include "actor/sleep.h"

#include "actor/process.h"
#include "rusm.h"

struct sleep {
    struct heap_node due; /* in rt->sleeping */
    struct rusm_process *who;
};

void sleep_init(struct runtime *rt)
{
    heap_init(&rt->sleeping);
    slab_init(&rt->sleep_slab, sizeof(struct sleep));
}

void sleep_fini(struct runtime *rt)
{
    heap_fini(&rt->sleeping);
    slab_fini(&rt->sleep_slab);
}

int sleep_until(struct rusm_process *p, uint64_t until_ns)
{
    struct runtime *rt = p->rt;

    if (p->sleep) {
        heap_move(&rt->sleeping, &p->sleep->due, until_ns);
        return 0;
    }
    struct sleep *s = slab_take(&rt->sleep_slab);
    if (!s) {
        return RUSM_ENOMEM;
    }
    *s = (struct sleep){ .who = p };
    int err = heap_insert(&rt->sleeping, &s->due, until_ns);
    if (err) {
        slab_give(&rt->sleep_slab, s);
        return err;
    }
    p->sleep = s;
    process_has(p, PART_SLEEP);
    return 0;
}

void sleep_end(struct rusm_process *p)
{
    if (p->sleep) {
        heap_remove(&p->rt->sleeping, &p->sleep->due);
        slab_give(&p->rt->sleep_slab, p->sleep);
        p->sleep = NULL;
    }
}

void sleep_wake(struct runtime *rt)
{
    struct heap_node *first;

    while ((first = heap_min(&rt->sleeping)) && first->key <= rt->now_ns) {
        struct rusm_process *p = container_of(first, struct sleep, due)->who;
        sleep_end(p);
        process_wake(p);
    }
}
