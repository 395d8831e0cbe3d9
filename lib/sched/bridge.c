/* bridge: see the header. Each function runs on the thread of the runtime that it gets. The
 * functions that make and free the bridge run while there are no threads. */
#include "sched/bridge.h"
#include "sched/limits.h"

#include <stdlib.h>
#include <string.h>
#include "sched/channel.h"
#include "actor/process.h"
#include "base/must.h"

static const struct far_hooks bridge_hooks;

static void bridge_unreserve(struct runtime *rt, struct node_name *node);

/* ---- life ---- */

/* Tells the scheduler of a name's process that the process has the name, or lost it. Pushes the
 * note at once, so that what another scheduler tells of this name later arrives behind it. */
static int bridge_tell_name(struct runtime *rt, struct process_name *it, bool named)
{
    unsigned to = (unsigned)(it->serial & rt->mask);
    int err = bridge_note(rt, to, named ? NOTE_NAMED : NOTE_UNNAMED, (rusm_pid){ 0 }, 0, 0, it);

    if (err == 0) {
        bridge_push(rt->side, to);
    }
    return err;
}

static void bridge_send_home(void *side, unsigned home, struct message *m)
{
    bridge_out(side, home, m);
}

struct bridge *bridge_new(unsigned count, uint64_t seed)
{
    struct bridge *x = aligned_alloc(alignof(struct bridge), sizeof(*x));

    must(count > 1 && count <= LIMIT_SCHEDULERS);
    if (!x) {
        return NULL;
    }
    *x = (struct bridge){ .count = count };
    while ((1u << x->bits) < count) {
        x->bits++;
    }
    atomic_init(&x->next, 0);
    names_init(&x->names, seed, bridge_tell_name);
    node_names_init(&x->nodes, seed);
    for (unsigned i = 0; i < count; i++) {
        sched_queue_init(&x->sched_queue[i]);
    }
    return x;
}

void bridge_free(struct bridge *x)
{
    if (!x) {
        return;
    }
    names_fini(&x->names);
    node_names_fini(&x->nodes);
    free(x);
}

static int bridge_join(struct bridge *x, struct runtime *rt, unsigned index, uint64_t seed)
{
    struct side *side = calloc(1, sizeof(*side));

    if (!side) {
        return RUSM_ENOMEM;
    }
    side->bridge = x;
    side->rt = rt;
    map_init(&side->channels, seed);
    map_init(&side->http, seed);
    list_init(&side->idle);
    list_init(&side->parked);
    list_init(&side->blocked);
    rt->side = side;
    rt->far = &bridge_hooks;
    rt->index = index;
    rt->schedulers = x->count;
    rt->bits = x->bits;
    rt->mask = (UINT64_C(1) << x->bits) - 1;
    rt->serial = index;
    x->runtime[index] = rt;
    message_pool_join(rt->pool, (uint8_t)index, bridge_send_home, side);
    return 0;
}

int bridge_runtime_new(struct bridge *x, struct runtime **out, unsigned index,
                       const struct runtime_options *options)
{
    struct runtime_options shared = *options;

    shared.names = &x->names;
    shared.node_names = &x->nodes;
    shared.bits = x->bits;
    int err = runtime_new(out, &shared);
    if (err == 0 && (err = bridge_join(x, *out, index, options->seed)) != 0) {
        runtime_free(*out);
        *out = NULL;
    }
    return err;
}

static void bridge_leave(struct runtime *rt)
{
    struct side *side = rt->side;

    for (uint32_t i = 0; i < rt->nodes.count; i++) {
        bridge_unreserve(rt, rt->nodes.at[i]);
    }
    channel_fini(rt);
    map_fini(&side->channels);
    map_fini(&side->http);
    free(side);
    rt->side = NULL;
    rt->far = NULL;
}

unsigned bridge_next_scheduler(struct bridge *x)
{
    /* Relaxed: nothing else depends on this counter. */
    return atomic_fetch_add_explicit(&x->next, 1, memory_order_relaxed) % x->count;
}

/* ---- sending ---- */

void bridge_out(struct side *side, unsigned to, struct message *m)
{
    struct outgoing *out = &side->out[to];

    m->next = out->newest;
    out->newest = m;
    if (!out->oldest) {
        out->oldest = m;
        side->rt->gathered |= UINT64_C(1) << to;
    }
}

void bridge_push(struct side *side, unsigned to)
{
    struct outgoing *out = &side->out[to];
    struct runtime *rt = side->bridge->runtime[to];

    if (!out->newest) {
        return;
    }
    if (sched_queue_push(&side->bridge->sched_queue[to], out->newest, out->oldest)) {
        rt->hooks->wake(rt->context);
    }
    *out = (struct outgoing){ 0 };
    side->rt->gathered &= ~(UINT64_C(1) << to);
}

void runtime_flush(struct runtime *rt)
{
    struct side *side = rt->side;

    while (rt->gathered) {
        bridge_push(side, (unsigned)__builtin_ctzll(rt->gathered));
    }
}

int bridge_note(struct runtime *rt, unsigned to, enum rusm_kind kind, rusm_pid from, uint64_t ref,
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
    bridge_out(rt->side, to, m);
    return 0;
}

/* ---- nodes that come and go ---- */

static void bridge_unreserve(struct runtime *rt, struct node_name *node)
{
    while (node->notes) {
        struct message *m = node->notes;
        node->notes = m->next;
        message_free(rt->pool, m);
    }
}

static int bridge_reserve(struct runtime *rt, struct node_name *node)
{
    bridge_unreserve(rt, node);
    for (unsigned i = 1; i < rt->schedulers; i++) {
        struct message *m = message_new(rt->pool, 0);
        if (!m) {
            bridge_unreserve(rt, node);
            return RUSM_ENOMEM;
        }
        m->next = node->notes;
        node->notes = m;
    }
    return 0;
}

static int bridge_node_up(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    rusm_pid from = { .node = node->index, .incarnation = incarnation };
    int err = 0;

    if (rt->index != runtime_node_share(rt, node)) {
        return 0;
    }
    atomic_store_explicit(&node->known->up, incarnation, memory_order_relaxed);
    err = bridge_reserve(rt, node);
    for (unsigned i = 0; err == 0 && i < rt->schedulers; i++) {
        err = i == rt->index ? 0 : bridge_note(rt, i, NOTE_NODE_UP, from, 0, 0, NULL);
    }
    return err;
}

static void bridge_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    if (rt->index != runtime_node_share(rt, node)) {
        return;
    }
    if (atomic_load_explicit(&node->known->up, memory_order_relaxed) == incarnation) {
        atomic_store_explicit(&node->known->up, 0, memory_order_relaxed);
    }
    for (unsigned i = 0; i < rt->schedulers; i++) {
        struct message *m = node->notes;
        if (i == rt->index) {
            continue;
        }
        if (m) {
            node->notes = m->next;
        } else if (!(m = message_new(rt->pool, 0))) {
            continue; /* no note was reserved, so nobody told it of the node */
        }
        m->pub.kind = NOTE_NODE_LOST;
        m->pub.from = (rusm_pid){ .node = node->index, .incarnation = incarnation };
        bridge_out(rt->side, i, m);
    }
}

int runtime_task(struct runtime *rt, unsigned to, struct task *task)
{
    return bridge_note(rt, to, NOTE_TASK, (rusm_pid){ 0 }, 0, 0, task);
}

unsigned runtime_index(const struct runtime *rt)
{
    return rt->index;
}

bool runtime_passing(const struct runtime *rt)
{
    const struct side *side = rt->side;

    return side && (side->channels.count > side->idle_count || !list_empty(&side->blocked));
}

void runtime_answer(struct runtime *rt, uint64_t serial, enum rusm_kind kind, int error,
                    rusm_pid from, uint64_t ref, const char *text)
{
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, serial);
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
        m->receipt = serial; /* the serial of the process: the message is on no channel */
        bridge_out(rt->side, whose, m);
    }
}

int runtime_pass(struct runtime *rt, const struct passing *in)
{
    return channel_post(rt, in);
}

void runtime_receipt(struct runtime *rt, uint64_t receipt, int error)
{
    static const rusm_pid none;

    if (rt->index == 0) {
        rt->hooks->receipt(rt->context, none, receipt, error);
    } else { /* without memory for the note, whoever asked waits in vain */
        (void)bridge_note(rt, 0, NOTE_RECEIPT, none, receipt, error, NULL);
    }
}

/* ---- receiving ---- */

/* Frees a message of ours that has come home, and ends its task. */
static void bridge_come_home(struct runtime *rt, struct message *m)
{
    if (m->channel) {
        channel_home(rt, m);
        return;
    }
    struct task *task = m->pub.kind == NOTE_TASK ? (void *)m->pub.data : NULL;
    message_free(rt->pool, m);
    if (task) {
        task->done(task, rt);
    }
}

static void bridge_global(struct runtime *rt, rusm_pid pid)
{
    struct rusm_process *p = process_table_find(&rt->processes_by_serial, pid.serial);

    if (p) {
        p->global = true;
    } else {
        rt->hooks->exited(rt->context, pid, "noproc", true);
    }
}

/* Handles a message of another scheduler. It goes home when it is freed here. */
static void bridge_arrive(struct runtime *rt, struct message *m)
{
    rusm_pid from = m->pub.from;
    struct rusm_process *p;

    if (m->channel) {
        channel_arrive(rt, m);
        return;
    }
    if (m->pub.kind < NOTE_TASK && (p = process_table_find(&rt->processes_by_serial, m->receipt))) {
        process_deliver(p, m);
        return;
    }
    switch ((int)m->pub.kind) {
    case NOTE_TASK: {
        struct task *task = (void *)m->pub.data;
        task->run(task, rt);
        break;
    }
    case NOTE_RECEIPT: rt->hooks->receipt(rt->context, from, m->pub.ref, m->pub.error); break;
    case NOTE_NAMED: names_told(rt, (void *)m->pub.data, true); break;
    case NOTE_UNNAMED: names_told(rt, (void *)m->pub.data, false); break;
    case NOTE_GLOBAL: bridge_global(rt, from); break;
    case NOTE_NODE_UP: (void)runtime_node_up(rt, from.node, from.incarnation); break;
    case NOTE_NODE_LOST:
        channel_node_lost(rt, from.node, from.incarnation);
        runtime_node_lost(rt, from.node, from.incarnation);
        break;
    case NOTE_GIVE_UP: rt->hooks->give_up(rt->context, from.node); break;
    case NOTE_GAP: runtime_gap(rt, from.serial, m->pub.ref); break;
    case NOTE_GAPS_TELL: runtime_gaps_tell(rt, from.node, from.incarnation, m->pub.error); break;
    default: break; /* an answer to a process that has ended */
    }
    message_free(rt->pool, m);
}

bool runtime_receive(struct runtime *rt, uint64_t now_ns)
{
    struct message *m =
        rt->side ? sched_queue_take(&rt->side->bridge->sched_queue[rt->index]) : NULL;
    bool any = m != NULL;

    if (any) {
        rt->now_ns = now_ns;
    }
    while (m) {
        struct message *next = m->next;
        if (m->home == rt->index) {
            bridge_come_home(rt, m);
        } else {
            bridge_arrive(rt, m);
        }
        m = next;
    }
    return any;
}

bool runtime_called(const struct runtime *rt)
{
    return rt->side && sched_queue_any(&rt->side->bridge->sched_queue[rt->index]);
}

bool runtime_sleep(struct runtime *rt)
{
    return !rt->side || sched_queue_sleep(&rt->side->bridge->sched_queue[rt->index]);
}

/* ---- the hooks that a runtime calls ---- */

static int bridge_post(struct runtime *rt, const struct post *post)
{
    struct passing in = { .post = *post,
                          .has_receipt = post->receipt != 0,
                          .receipt = post->receipt };

    return channel_post(rt, &in);
}

/* Asks the scheduler of a node's connections to end them. Without memory for the note, the next
 * answer that the node does not take asks again. */
static void bridge_give_up(struct runtime *rt, unsigned scheduler, uint32_t node)
{
    (void)bridge_note(rt, scheduler, NOTE_GIVE_UP, (rusm_pid){ .node = node }, 0, 0, NULL);
}

/* Tells a process of messages that may be lost. Without memory for the note, it is not told of
 * these. */
static void bridge_gap(struct runtime *rt, unsigned scheduler, uint64_t serial, uint64_t records)
{
    (void)bridge_note(rt, scheduler, NOTE_GAP, (rusm_pid){ .serial = serial }, records, 0, NULL);
}

static void bridge_gaps_tell(struct runtime *rt, const struct node_name *node, uint32_t incarnation,
                             int error)
{
    rusm_pid of = { .node = node->index, .incarnation = incarnation };

    for (unsigned i = 0; i < rt->schedulers; i++) {
        if (i != rt->index) {
            (void)bridge_note(rt, i, NOTE_GAPS_TELL, of, 0, error, NULL);
        }
    }
}

static int bridge_named_global(struct runtime *rt, rusm_pid pid)
{
    return bridge_note(rt, (unsigned)(pid.serial & rt->mask), NOTE_GLOBAL, pid, 0, 0, NULL);
}

static const struct far_hooks bridge_hooks = { .post = bridge_post,
                                               .writable = channel_writable,
                                               .give_up = bridge_give_up,
                                               .gap = bridge_gap,
                                               .gaps_tell = bridge_gaps_tell,
                                               .global = bridge_named_global,
                                               .node_up = bridge_node_up,
                                               .node_lost = bridge_node_lost,
                                               .client_up = bridge_reserve,
                                               .client_down = bridge_unreserve,
                                               .flush = runtime_flush,
                                               .leave = bridge_leave };
