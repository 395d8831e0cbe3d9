/* dial: dials the members that are wanted and not connected, when their time has come, with backoff
 * and jitter. member.c calls it on any scheduler's thread. The ticks of the member's scheduler call
 * it on theirs. All of it runs under members_lock. */
#include <stdlib.h>
#include <string.h>

#include "node/limits.h"
#include "node/dial.h"
#include "node/runfiles.h"
#include "node/member_lock.h"
#include "node/node.h"
#include "node/trouble.h"

/* One attempt at all addresses of a member. Each attempt resolves the name again, as the addresses
 * may have changed. */
struct attempt {
    struct resolver_ask ask;
    int tried; /* how many of ask.found were dialled */
};

static void queue_init(struct dial_queue *q)
{
    heap_init(&q->due);
    list_init(&q->trying);
    q->full_ns = 0;
}

void dials_init(struct dials *d, dial_start_fn *start)
{
    d->start = start;
    queue_init(&d->vouched);
    queue_init(&d->others);
}

void dials_fini(struct dials *d)
{
    heap_fini(&d->vouched.due);
    heap_fini(&d->others.due);
}

int dial_add(struct member *m)
{
    list_init(&m->trying);
    return heap_insert(&m->scheduler->dials.others.due, &m->dial, UINT64_MAX);
}

/* Returns the queue that has the member. dial_vouch moves members from one queue to the other. */
static struct dial_queue *queue_of(const struct member *m)
{
    struct dials *d = &m->scheduler->dials;
    const struct heap *h = &d->vouched.due;
    return m->dial.index <= h->count && h->at[m->dial.index] == &m->dial ? &d->vouched : &d->others;
}

/* Returns whether a dial waits for the name service or the run folder. */
static bool is_asking(const struct member *m)
{
    return m->sought || (m->attempt && m->attempt->ask.under_way);
}

bool dial_has_more(const struct member *m)
{
    return m->attempt && m->attempt->tried < m->attempt->ask.count;
}

void dial_done(struct member *m)
{
    if (m->attempt && m->attempt->ask.under_way) {
        return; /* the resolver's thread uses it; the next dial frees it */
    }
    free(m->attempt);
    m->attempt = NULL;
}

void dial_remove(struct member *m)
{
    free(m->attempt); /* the resolver is gone by now */
    list_remove(&m->trying);
    heap_remove(&queue_of(m)->due, &m->dial);
}

void dial_vouch(struct member *m)
{
    struct dials *d = &m->scheduler->dials;
    uint64_t at_ns = m->dial.key;
    if (queue_of(m) == &d->vouched) {
        return;
    }
    list_remove(&m->trying);
    heap_remove(&d->others.due, &m->dial);
    /* Without memory for it, the member stays in the other queue, whose heap still has its
     * place. */
    if (heap_insert(&d->vouched.due, &m->dial, at_ns) != 0) {
        heap_insert(&d->others.due, &m->dial, at_ns);
    }
}

/* Makes the scheduler look at its dials in its next tick. */
static void look(struct scheduler *s)
{
    atomic_store(&s->dials_ns, 0);
    if (s->node->scheduler_count > 1 && s->loop.ev) {
        loop_wake(&s->loop);
    }
}

void dial_at(struct member *m, uint64_t at_ns)
{
    heap_move(&queue_of(m)->due, &m->dial, at_ns);
    look(m->scheduler);
}

static const struct backoff_policy dial_backoff = { .min_ns = LIMIT_BACKOFF_MIN_NS,
                                                    .max_ns = LIMIT_BACKOFF_MAX_NS };

void dial_later(struct member *m)
{
    struct scheduler *s = m->scheduler;
    dial_at(m, s->now_ns + backoff_next_ns(&m->backoff, &dial_backoff, &s->rng));
}

/* Dials the member's next address. Returns false if no address is left. */
static bool dial_next(struct member *m)
{
    struct attempt *a = m->attempt;
    while (dial_has_more(m)) {
        const struct resolved *to = &a->ask.found[a->tried++];
        if (m->scheduler->dials.start(m->scheduler, to, m->name, &m->dialling) != 0) {
            continue;
        }
        m->dialling->member = m;
        m->dialling->index = m->index;
        return true;
    }
    m->dialling = NULL;
    return false;
}

/* Says why none of the addresses was dialled. */
static void say_undialled(struct member *m, const struct resolver_ask *ask)
{
    if (ask->count < 0) {
        trouble_say(m, TROUBLE_NAME, ask->why.text);
    } else {
        trouble_say(m, TROUBLE_ADDRESS,
                    "none of its addresses can be dialled from the address this node listens on");
    }
}

static void on_resolved(struct resolver_ask *ask)
{
    struct member *m = ask->user;
    struct scheduler *s = m->scheduler;
    if (m->wanted && !m->current && !m->dialling && !atomic_load(&s->node->leaving) &&
        !dial_next(m)) {
        say_undialled(m, ask);
        dial_later(m);
    }
    if (!m->dialling) {
        dial_ended(s);
    }
}

static void begin(struct member *m)
{
    if (!m->wanted || m->current || m->dialling || is_asking(m) || !m->address[0]) {
        return;
    }
    if (dial_has_more(m) && dial_next(m)) {
        return;
    }
    dial_done(m);
    struct attempt *a = m->attempt = calloc(1, sizeof(*a));
    if (!a) {
        dial_later(m);
        return;
    }
    memcpy(a->ask.host_port, m->address, sizeof(m->address));
    list_init(&a->ask.link);
    a->ask.done = on_resolved;
    a->ask.user = m;
    if (resolver_ask(&m->scheduler->resolver, &a->ask) != 0) {
        dial_later(m);
    }
}

/* Takes what the run folder says of a member. Its node may have come back at another address, or be
 * gone for good. */
static void on_sought(struct runfiles_job *job)
{
    struct member *m = job->user;
    m->sought = false;
    if (job->result == 0 && job->entry.alive) {
        memcpy(m->address, job->entry.address, sizeof(job->entry.address));
    } else if (job->result == 0) {
        m->wanted = false;
    }
    if (!atomic_load(&m->scheduler->node->leaving)) {
        begin(m);
    }
    if (!m->dialling && !is_asking(m)) {
        dial_ended(m->scheduler);
    }
}

static void dial(struct member *m)
{
    dial_at(m, UINT64_MAX);
    if (m->near && !m->joined && !is_asking(m)) {
        m->sought = runfiles_find(m->scheduler, m->name, 0, on_sought, m) == 0;
    }
    if (!m->sought) {
        begin(m);
    }
}

static struct member *due(const struct dial_queue *q, uint64_t now_ns)
{
    struct heap_node *n = heap_min(&q->due);
    return n && n->key <= now_ns ? container_of(n, struct member, dial) : NULL;
}

void dial_ended(struct scheduler *s)
{
    s->dials.vouched.full_ns = s->dials.others.full_ns = 0;
    look(s);
}

/* Returns whether one more dial of this queue may begin. Sets q->full_ns to when to ask again. */
static bool has_place(struct dial_queue *q, bool others, uint64_t now_ns)
{
    unsigned all = 0, fresh = 0;
    uint64_t oldest_ns = 0;
    list_each_safe(link, &q->trying) { /* oldest first */
        struct member *m = container_of(link, struct member, trying);
        if (!m->dialling && !is_asking(m)) {
            list_remove(link);
            continue;
        }
        all++;
        if (now_ns - m->trying_ns >= LIMIT_DIALS_FRESH_NS) {
            continue;
        }
        if (fresh++ == 0) {
            oldest_ns = m->trying_ns;
        }
    }
    q->full_ns = others && all >= LIMIT_DIALS ? UINT64_MAX
                 : fresh >= LIMIT_DIALS_FRESH ? oldest_ns + LIMIT_DIALS_FRESH_NS
                                              : 0;
    return q->full_ns == 0;
}

/* Dials the members of a queue that are due. Returns when the next one may be dialled. */
static uint64_t queue_tick(struct scheduler *s, struct dial_queue *q)
{
    bool others = q == &s->dials.others;
    struct member *m;
    if (q->full_ns <= s->now_ns) {
        q->full_ns = 0;
    }
    while (!q->full_ns && (m = due(q, s->now_ns)) && has_place(q, others, s->now_ns)) {
        dial(m);
        list_remove(&m->trying);
        list_append(&q->trying, &m->trying);
        m->trying_ns = s->now_ns;
    }
    struct heap_node *first = heap_min(&q->due);
    return q->full_ns ? q->full_ns : first ? first->key : UINT64_MAX;
}

uint64_t dials_next_ns(const struct scheduler *s)
{
    return atomic_load(&s->node->leaving) ? UINT64_MAX : atomic_load(&s->dials_ns);
}

void dials_tick(struct scheduler *s)
{
    if (s->resolver.shared) {
        member_lock(s->node);
        resolver_collect(&s->resolver);
        member_unlock(s->node);
    }
    if (s->now_ns < dials_next_ns(s)) {
        return;
    }
    member_lock(s->node);
    uint64_t next = queue_tick(s, &s->dials.vouched);
    uint64_t other = queue_tick(s, &s->dials.others);
    if (other < next) {
        next = other;
    }
    atomic_store(&s->dials_ns, next);
    member_unlock(s->node);
}
