/* gap: see the header. When a connection ends, the node says what each process has under way, and
 * then that this was all. */
#include "actor/gap.h"

#include <stdlib.h>
#include "actor/process.h"

struct gap {
    struct map_node by_serial; /* in rt->gaps */
    struct list open;          /* in rt->gaps_open while there is something to tell */
    struct rusm_process *who;
    uint64_t records;
};

void gap_init(struct runtime *rt, uint64_t seed)
{
    map_init(&rt->gaps, seed);
    list_init(&rt->gaps_open);
}

void gap_fini(struct runtime *rt)
{
    map_fini(&rt->gaps);
}

static bool gap_is(const struct map_node *n, const void *key)
{
    return container_of(n, struct gap, by_serial)->who->serial == *(const uint64_t *)key;
}

static struct gap *gap_find(const struct runtime *rt, uint64_t serial)
{
    struct map_node *n = map_find(&rt->gaps, map_hash_u64(&rt->gaps, serial), gap_is, &serial);

    return n ? container_of(n, struct gap, by_serial) : NULL;
}

int gap_watch(struct rusm_process *p, bool on)
{
    struct runtime *rt = p->rt;
    struct gap *g;

    if (on == p->gaps_told) {
        return 0;
    }
    if (!on) {
        g = gap_find(rt, p->serial);
        map_remove(&rt->gaps, &g->by_serial);
        list_remove(&g->open);
        free(g);
    } else {
        g = calloc(1, sizeof(*g));
        if (!g) {
            return RUSM_ENOMEM;
        }
        g->who = p;
        list_init(&g->open);
        if (map_insert(&rt->gaps, map_hash_u64(&rt->gaps, p->serial), &g->by_serial) != 0) {
            free(g);
            return RUSM_ENOMEM;
        }
    }
    p->gaps_told = on;
    process_has(p, PART_GAPS);
    return 0;
}

bool runtime_gaps_wanted(const struct runtime *rt)
{
    return rt->gaps.count > 0 || rt->schedulers > 1; /* other schedulers' processes may want them */
}

void runtime_gap(struct runtime *rt, uint64_t serial, uint64_t records)
{
    unsigned whose = runtime_whose(rt, serial);

    if (whose != rt->index) {
        rt->far->gap(rt, whose, serial, records);
        return;
    }
    struct gap *g = rt->gaps.count > 0 ? gap_find(rt, serial) : NULL;

    if (!g) {
        return;
    }
    g->records += records;
    if (!list_linked(&g->open)) {
        list_append(&rt->gaps_open, &g->open);
    }
}

void runtime_gaps_tell(struct runtime *rt, uint32_t node, uint32_t incarnation, int error)
{
    const struct node_name *it = nodes_at(&rt->nodes, node);
    struct list *l;

    if (rt->far && rt->index == runtime_node_share(rt, it)) {
        rt->far->gaps_tell(rt, it, incarnation, error);
    }
    while ((l = list_first(&rt->gaps_open))) {
        struct gap *g = container_of(l, struct gap, open);
        uint64_t records = g->records;
        list_remove(l);
        g->records = 0;
        process_signal(g->who, RUSM_GAP, (rusm_pid){ .node = node, .incarnation = incarnation },
                       records, error, it->name, it->len);
    }
}
