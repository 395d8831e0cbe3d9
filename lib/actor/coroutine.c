/* coroutine: see the header. Implements rusm_receive of rusm.h. A switch goes from coroutine_run,
 * on the scheduler's stack, to a body, and back to coroutine_run. */
#include "actor/coroutine.h"

#include <string.h>
#include "actor/coroutine_state.h"
#include "actor/process.h"
#include "actor/wait.h"
#include "actor/limits.h"
#include "base/must.h"

void coroutine_rt_init(struct runtime *rt)
{
    stacks_init(&rt->stacks);
    slab_init(&rt->coroutine_slab, sizeof(struct coroutine));
    rt->main = (struct context){ 0 };
}

void coroutine_rt_fini(struct runtime *rt)
{
    stacks_fini(&rt->stacks);
    slab_fini(&rt->coroutine_slab);
}

bool coroutine_inside(const struct rusm_process *self)
{
    return self->co && self->co->inside;
}

/* ---- switching ---- */

/* Switches to the scheduler. Returns when there is a reason to go on. */
static void coroutine_block(struct coroutine *co)
{
    co->inside = false;
    context_switch(&co->own, &co->process->rt->main);
    co->inside = true;
}

static void coroutine_entry(void *argument)
{
    struct coroutine *co = argument;
    struct rusm_process *p = co->process;

    context_entered(&co->own, &p->rt->main);
    co->inside = true;
    p->behaviour->body(p, p->state);
    process_kill(p, "normal", strlen("normal"));
    coroutine_leave(p);
}

void coroutine_leave(struct rusm_process *self)
{
    if (self->co && self->co->inside) {
        coroutine_block(self->co);
        must(false); /* nothing switches to a coroutine that must end */
    }
}

bool coroutine_waits(struct rusm_process *self)
{
    struct coroutine *co = self->co;

    if (!co || !co->inside) {
        return false;
    }
    co->busy = true;
    if (!self->busy && !self->busy_far) {
        co->go = true; /* no RUSM_WRITABLE will come */
    }
    coroutine_block(co);
    co->busy = false;
    return true;
}

/* ---- life ---- */

static void coroutine_late(struct wheel_node *node)
{
    struct coroutine *co = container_of(node, struct coroutine, deadline);

    co->late = true;
    process_schedule(co->process);
}

int coroutine_begin(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    int size_class = stack_class(p->behaviour->stack_bytes);

    if (size_class < 0) {
        return size_class;
    }
    struct coroutine *co = slab_take(&rt->coroutine_slab);
    if (!co) {
        return RUSM_ENOMEM;
    }
    *co = (struct coroutine){ .process = p, .stack_class = size_class, .go = true };
    co->stack = stack_take(&rt->stacks, size_class);
    if (!co->stack) {
        slab_give(&rt->coroutine_slab, co);
        return RUSM_ENOMEM;
    }
    wheel_node_init(&co->deadline, coroutine_late);
    context_init(&co->own, co->stack, stack_bytes(size_class), coroutine_entry, co);
    p->co = co;
    process_has(p, PART_BODY);
    p->holding = true; /* a message alone does not make it ready: coroutine_ready decides */
    return 0;
}

void coroutine_end(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    struct coroutine *co = p->co;

    if (!co) {
        return;
    }
    must(!co->inside);
    wheel_cancel(&rt->wheel, &co->deadline);
    message_free(rt->pool, co->found);
    context_fini(&co->own);
    stack_give(&rt->stacks, co->stack, co->stack_class);
    slab_give(&rt->coroutine_slab, co);
    p->co = NULL;
}

/* ---- receiving ---- */

/* Looks through the messages not seen yet. Returns true if one matches: co->found is the first that
 * does. */
static bool coroutine_look(struct coroutine *co)
{
    struct rusm_process *p = co->process;

    while (coroutine_unseen(co)) {
        struct message *m = co->seen ? co->seen->next : p->mailbox.head;
        if (!co->match || co->match(co->context, &m->pub)) {
            mailbox_remove(&p->mailbox, co->seen, m);
            co->found = m;
            return true;
        }
        co->seen = m;
    }
    return false;
}

/* Frees the message that the body has borrowed. */
static void coroutine_done(struct coroutine *co)
{
    if (co->found) {
        message_free(co->process->rt->pool, co->found);
        co->found = NULL;
    }
}

int rusm_receive(struct rusm_process *self, rusm_match_fn *match, void *context,
                 uint32_t timeout_ms, const struct rusm_message **message)
{
    struct runtime *rt = self->rt;
    struct coroutine *co = self->co;

    if (!co || !co->inside) {
        return RUSM_EINVAL;
    }
    if (self->reason) {
        coroutine_leave(self);
    }
    coroutine_done(co);
    if (co->took++ >= LIMIT_RUN_BATCH) {
        co->go = true; /* other processes get their turn */
        coroutine_block(co);
    }
    co->match = match;
    co->context = context;
    co->seen = NULL;
    if (!coroutine_look(co)) {
        if (timeout_ms == 0) {
            return RUSM_ETIMEOUT;
        }
        if (timeout_ms != RUSM_FOREVER) {
            wheel_set(&rt->wheel, &co->deadline, timeout_ms, rt->now_ns);
        }
        co->waiting = true;
        coroutine_block(co);
        co->waiting = co->late = false;
        wheel_cancel(&rt->wheel, &co->deadline);
        if (!co->found) {
            return RUSM_ETIMEOUT;
        }
    }
    if (co->found->pub.kind == RUSM_TIMER) {
        rt->parts->took_timer(rt, co->found->pub.ref);
    }
    trace_message(self, TRACE_TAKEN, &co->found->pub);
    self->received++;
    rt->counters.messages_handled++;
    process_took(self);
    *message = &co->found->pub;
    return 0;
}

/* ---- running ---- */

unsigned coroutine_run(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    struct coroutine *co = p->co;
    bool go = co->go || (co->busy && p->writable);

    p->writable = false;
    if (!go && co->waiting) {
        go = coroutine_look(co) || co->late;
    }
    if (!go) {
        wait_release(p);
        return 1;
    }
    co->go = false;
    co->took = 0;
    rt->depth++;
    rt->inside = co;
    context_switch(&rt->main, &co->own);
    rt->inside = NULL;
    rt->depth--;
    wait_release(p);
    return co->took + 1;
}

bool runtime_overflow(const struct runtime *rt, const void *address, struct overflow *out)
{
    const struct coroutine *co = rt ? rt->inside : NULL;

    if (!co || !stack_guards(co->stack, address)) {
        return false;
    }
    *out = (struct overflow){ .serial = co->process->serial,
                              .behaviour = co->process->behaviour->name,
                              .stack_bytes = stack_bytes(co->stack_class) };
    return true;
}
