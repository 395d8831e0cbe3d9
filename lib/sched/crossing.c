/* crossing: see the header. Each function runs on the thread of the runtime that it is given, but for
 * the life of the crossing, while there are no threads. */
#include "sched/crossing.h"
#include "sched/limits.h"

#include <stdlib.h>
#include <string.h>
#include "sched/passage.h"
#include "actor/process.h"
#include "base/must.h"

static const struct far_hooks crossing_hooks;

static void crossing_unreserve(struct runtime *rt, struct node_name *node);

/* ---- life ---- */

/* Pushed at once: what another scheduler tells of this name comes behind it. */
static int crossing_tell_name(struct runtime *rt, struct process_name *it, bool named)
{
    unsigned to = (unsigned)(it->serial & rt->mask);
    int err = crossing_note(rt, to, named ? NOTE_NAMED : NOTE_UNNAMED, (rusm_pid){ 0 }, 0, 0, it);

    if (err == 0) {
        crossing_push(rt->side, to);
    }
    return err;
}

static void crossing_send_home(void *side, unsigned home, struct message *m)
{
    crossing_out(side, home, m);
}

struct crossing *crossing_new(unsigned count, uint64_t seed)
{
    struct crossing *x = aligned_alloc(alignof(struct crossing), sizeof(*x));

    must(count > 1 && count <= LIMIT_SCHEDULERS);
    if (!x) {
        return NULL;
    }
    *x = (struct crossing){ .count = count };
    while ((1u << x->bits) < count) {
        x->bits++;
    }
    atomic_init(&x->turns, 0);
    names_init(&x->names, seed, crossing_tell_name);
    node_names_init(&x->nodes, seed);
    for (unsigned i = 0; i < count; i++) {
        inbox_init(&x->inbox[i]);
    }
    return x;
}

void crossing_free(struct crossing *x)
{
    if (!x) {
        return;
    }
    names_fini(&x->names);
    node_names_fini(&x->nodes);
    free(x);
}

static int crossing_join(struct crossing *x, struct runtime *rt, unsigned index, uint64_t seed)
{
    struct side *side = calloc(1, sizeof(*side));

    if (!side) {
        return RUSM_ENOMEM;
    }
    side->crossing = x;
    side->rt = rt;
    map_init(&side->passages, seed);
    map_init(&side->gate, seed);
    list_init(&side->idle);
    list_init(&side->parked);
    list_init(&side->gated);
    rt->side = side;
    rt->far = &crossing_hooks;
    rt->index = index;
    rt->siblings = x->count;
    rt->bits = x->bits;
    rt->mask = (UINT64_C(1) << x->bits) - 1;
    rt->serial = index;
    x->runtime[index] = rt;
    message_pool_join(rt->pool, (uint8_t)index, crossing_send_home, side);
    return 0;
}

int crossing_runtime_new(struct crossing *x, struct runtime **out, unsigned index,
                         const struct runtime_options *options)
{
    struct runtime_options shared = *options;

    shared.names = &x->names;
    shared.node_names = &x->nodes;
    shared.bits = x->bits;
    int err = runtime_new(out, &shared);
    if (err == 0 && (err = crossing_join(x, *out, index, options->seed)) != 0) {
        runtime_free(*out);
        *out = NULL;
    }
    return err;
}

static void crossing_leave(struct runtime *rt)
{
    struct side *side = rt->side;

    for (uint32_t i = 0; i < rt->nodes.count; i++) {
        crossing_unreserve(rt, rt->nodes.at[i]);
    }
    passage_fini(rt);
    map_fini(&side->passages);
    map_fini(&side->gate);
    free(side);
    rt->side = NULL;
    rt->far = NULL;
}

unsigned crossing_turn(struct crossing *x)
{
    /* Relaxed: nothing else depends on it. */
    return atomic_fetch_add_explicit(&x->turns, 1, memory_order_relaxed) % x->count;
}

/* ---- out ---- */

void crossing_out(struct side *side, unsigned to, struct message *m)
{
    struct outgoing *out = &side->out[to];

    m->next = out->newest;
    out->newest = m;
    if (!out->oldest) {
        out->oldest = m;
        side->rt->gathered |= UINT64_C(1) << to;
    }
}

void crossing_push(struct side *side, unsigned to)
{
    struct outgoing *out = &side->out[to];
    struct runtime *rt = side->crossing->runtime[to];

    if (!out->newest) {
        return;
    }
    if (inbox_push(&side->crossing->inbox[to], out->newest, out->oldest)) {
        rt->hooks->wake(rt->context);
    }
    *out = (struct outgoing){ 0 };
    side->rt->gathered &= ~(UINT64_C(1) << to);
}

void runtime_flush(struct runtime *rt)
{
    struct side *side = rt->side;

    while (rt->gathered) {
        crossing_push(side, (unsigned)__builtin_ctzll(rt->gathered));
    }
}

int crossing_note(struct runtime *rt, unsigned to, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                  int error, void *data)
{
    struct message *m = message_new(rt->pool, 0);

    if (!m) {
        return RUSM_ENOMEM;
    }
    m->pub.kind = kind;
    m->pub.from = from;
    m->pub.ref = ref;
    m->pub.error = error;
    m->pub.data = data;
    crossing_out(rt->side, to, m);
    return 0;
}

/* ---- nodes that come and go ---- */

static void crossing_unreserve(struct runtime *rt, struct node_name *node)
{
    while (node->notes) {
        struct message *m = node->notes;
        node->notes = m->next;
        message_free(rt->pool, m);
    }
}

static int crossing_reserve(struct runtime *rt, struct node_name *node)
{
    crossing_unreserve(rt, node);
    for (unsigned i = 1; i < rt->siblings; i++) {
        struct message *m = message_new(rt->pool, 0);
        if (!m) {
            crossing_unreserve(rt, node);
            return RUSM_ENOMEM;
        }
        m->next = node->notes;
        node->notes = m;
    }
    return 0;
}

static int crossing_node_up(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    rusm_pid from = { .node = node->index, .incarnation = incarnation };
    int err = 0;

    if (rt->index != runtime_node_share(rt, node)) {
        return 0;
    }
    atomic_store_explicit(&node->known->up, incarnation, memory_order_relaxed);
    err = crossing_reserve(rt, node);
    for (unsigned i = 0; err == 0 && i < rt->siblings; i++) {
        err = i == rt->index ? 0 : crossing_note(rt, i, NOTE_NODE_UP, from, 0, 0, NULL);
    }
    return err;
}

static void crossing_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    if (rt->index != runtime_node_share(rt, node)) {
        return;
    }
    if (atomic_load_explicit(&node->known->up, memory_order_relaxed) == incarnation) {
        atomic_store_explicit(&node->known->up, 0, memory_order_relaxed);
    }
    for (unsigned i = 0; i < rt->siblings; i++) {
        struct message *m = node->notes;
        if (i == rt->index) {
            continue;
        }
        if (m) {
            node->notes = m->next;
        } else if (!(m = message_new(rt->pool, 0))) {
            continue; /* that it came was not told either, for the same reason */
        }
        m->pub.kind = NOTE_NODE_LOST;
        m->pub.from = (rusm_pid){ .node = node->index, .incarnation = incarnation };
        crossing_out(rt->side, i, m);
    }
}

int runtime_errand(struct runtime *rt, unsigned to, struct errand *errand)
{
    return crossing_note(rt, to, NOTE_ERRAND, (rusm_pid){ 0 }, 0, 0, errand);
}

unsigned runtime_index(const struct runtime *rt)
{
    return rt->index;
}

bool runtime_passing(const struct runtime *rt)
{
    const struct side *side = rt->side;

    return side && (side->passages.count > side->idle_count || !list_empty(&side->gated));
}

void runtime_answer(struct runtime *rt, uint64_t serial, enum rusm_kind kind, int error,
                    rusm_pid from, uint64_t ref, const char *text)
{
    struct rusm_process *p = roster_find(&rt->roster, serial);
    unsigned whose = runtime_whose(rt, serial);
    size_t len = strlen(text);
    struct message *m = p || whose != rt->index ? message_new(rt->pool, len) : NULL;

    if (!m) {
        return;
    }
    memcpy(message_room(m), text, len);
    m->pub.kind = kind;
    m->pub.error = error;
    m->pub.from = from;
    m->pub.ref = ref;
    if (p) {
        process_deliver(p, m);
    } else {
        m->receipt = serial; /* whom it is for: it is on no passage */
        crossing_out(rt->side, whose, m);
    }
}

int runtime_pass(struct runtime *rt, const struct passing *in)
{
    return passage_post(rt, in);
}

void runtime_receipt(struct runtime *rt, uint64_t receipt, int error)
{
    static const rusm_pid none;

    if (rt->index == 0) {
        rt->hooks->receipt(rt->context, none, receipt, error);
    } else { /* without memory for it, the one who asked waits in vain */
        (void)crossing_note(rt, 0, NOTE_RECEIPT, none, receipt, error, NULL);
    }
}

/* ---- in ---- */

/* One of ours is back. */
static void crossing_come_home(struct runtime *rt, struct message *m)
{
    if (m->passage) {
        passage_home(rt, m);
        return;
    }
    struct errand *errand = m->pub.kind == NOTE_ERRAND ? (void *)m->pub.data : NULL;
    message_free(rt->pool, m);
    if (errand) {
        errand->done(errand, rt);
    }
}

static void crossing_global(struct runtime *rt, rusm_pid pid)
{
    struct rusm_process *p = roster_find(&rt->roster, pid.serial);

    if (p) {
        p->global = true;
    } else {
        rt->hooks->exited(rt->context, pid, "noproc", true);
    }
}

/* One of a sibling's: it goes home when we are done with it. */
static void crossing_arrive(struct runtime *rt, struct message *m)
{
    rusm_pid from = m->pub.from;
    struct rusm_process *p;

    if (m->passage) {
        passage_arrive(rt, m);
        return;
    }
    if (m->pub.kind < NOTE_ERRAND && (p = roster_find(&rt->roster, m->receipt))) {
        process_deliver(p, m);
        return;
    }
    switch ((int)m->pub.kind) {
    case NOTE_ERRAND: {
        struct errand *errand = (void *)m->pub.data;
        errand->run(errand, rt);
        break;
    }
    case NOTE_RECEIPT: rt->hooks->receipt(rt->context, from, m->pub.ref, m->pub.error); break;
    case NOTE_NAMED: names_told(rt, (void *)m->pub.data, true); break;
    case NOTE_UNNAMED: names_told(rt, (void *)m->pub.data, false); break;
    case NOTE_GLOBAL: crossing_global(rt, from); break;
    case NOTE_NODE_UP: (void)runtime_node_up(rt, from.node, from.incarnation); break;
    case NOTE_NODE_LOST:
        passage_node_lost(rt, from.node, from.incarnation);
        runtime_node_lost(rt, from.node, from.incarnation);
        break;
    case NOTE_GIVE_UP: rt->hooks->give_up(rt->context, from.node); break;
    case NOTE_GAP: runtime_gap(rt, from.serial, m->pub.ref); break;
    case NOTE_GAPS_TELL: runtime_gaps_tell(rt, from.node, from.incarnation, m->pub.error); break;
    default: break; /* an answer to one that has ended */
    }
    message_free(rt->pool, m);
}

bool runtime_receive(struct runtime *rt, uint64_t now_ns)
{
    struct message *m = rt->side ? inbox_take(&rt->side->crossing->inbox[rt->index]) : NULL;
    bool any = m != NULL;

    if (any) {
        rt->now_ns = now_ns;
    }
    while (m) {
        struct message *next = m->next;
        if (m->home == rt->index) {
            crossing_come_home(rt, m);
        } else {
            crossing_arrive(rt, m);
        }
        m = next;
    }
    return any;
}

bool runtime_called(const struct runtime *rt)
{
    return rt->side && inbox_any(&rt->side->crossing->inbox[rt->index]);
}

bool runtime_sleep(struct runtime *rt)
{
    return !rt->side || inbox_sleep(&rt->side->crossing->inbox[rt->index]);
}

/* ---- what a runtime asks of the schedulers beside it ---- */

static int crossing_post(struct runtime *rt, const struct post *post)
{
    struct passing in = { .post = *post,
                          .has_receipt = post->receipt != 0,
                          .receipt = post->receipt };

    return passage_post(rt, &in);
}

/* Without memory for it, the next answer that the node does not take says so again. */
static void crossing_give_up(struct runtime *rt, unsigned scheduler, uint32_t node)
{
    (void)crossing_note(rt, scheduler, NOTE_GIVE_UP, (rusm_pid){ .node = node }, 0, 0, NULL);
}

/* Without memory for it, the process is not told of these. */
static void crossing_gap(struct runtime *rt, unsigned scheduler, uint64_t serial, uint64_t records)
{
    (void)crossing_note(rt, scheduler, NOTE_GAP, (rusm_pid){ .serial = serial }, records, 0, NULL);
}

static void crossing_gaps_tell(struct runtime *rt, const struct node_name *node,
                               uint32_t incarnation, int error)
{
    rusm_pid of = { .node = node->index, .incarnation = incarnation };

    for (unsigned i = 0; i < rt->siblings; i++) {
        if (i != rt->index) {
            (void)crossing_note(rt, i, NOTE_GAPS_TELL, of, 0, error, NULL);
        }
    }
}

static int crossing_named_global(struct runtime *rt, rusm_pid pid)
{
    return crossing_note(rt, (unsigned)(pid.serial & rt->mask), NOTE_GLOBAL, pid, 0, 0, NULL);
}

static const struct far_hooks crossing_hooks = { .post = crossing_post,
                                                 .writable = passage_writable,
                                                 .give_up = crossing_give_up,
                                                 .gap = crossing_gap,
                                                 .gaps_tell = crossing_gaps_tell,
                                                 .global = crossing_named_global,
                                                 .node_up = crossing_node_up,
                                                 .node_lost = crossing_node_lost,
                                                 .client_up = crossing_reserve,
                                                 .client_down = crossing_unreserve,
                                                 .flush = runtime_flush,
                                                 .leave = crossing_leave };
