/* dial: dialling the members that are wanted and not connected, with backoff and jitter, when they are
 * due; called by member.c and the node's turns. */
#include <string.h>

#include "base/limits.h"
#include "node/node.h"

void dials_init(struct dials *d)
{
    heap_init(&d->vouched);
    heap_init(&d->others);
    list_init(&d->trying);
    d->full = false;
}

void dials_fini(struct dials *d)
{
    heap_fini(&d->vouched);
    heap_fini(&d->others);
}

int dial_add(struct member *m)
{
    list_init(&m->trying);
    return heap_insert(&m->node->dials.others, &m->dial, UINT64_MAX);
}

/* Either heap may hold it: see dial_vouch. */
static struct heap *heap_of(const struct member *m)
{
    struct dials *d = &m->node->dials;
    return m->dial.index <= d->vouched.count && d->vouched.at[m->dial.index] == &m->dial
               ? &d->vouched
               : &d->others;
}

void dial_remove(struct member *m)
{
    list_remove(&m->trying);
    heap_remove(heap_of(m), &m->dial);
}

void dial_vouch(struct member *m)
{
    struct dials *d = &m->node->dials;
    uint64_t at_ns = m->dial.key;
    if (heap_of(m) == &d->vouched)
        return;
    list_remove(&m->trying);
    heap_remove(&d->others, &m->dial);
    /* Without memory it stays with the others, whose heap has room for it. */
    if (heap_insert(&d->vouched, &m->dial, at_ns) != 0)
        heap_insert(&d->others, &m->dial, at_ns);
}

void dial_at(struct member *m, uint64_t at_ns)
{
    heap_move(heap_of(m), &m->dial, at_ns);
}

void dial_later(struct member *m)
{
    struct rusm_node *node = m->node;
    uint64_t wait = m->backoff_ns ? m->backoff_ns * 2 : LIMIT_BACKOFF_MIN_NS;
    if (wait > LIMIT_BACKOFF_MAX_NS)
        wait = LIMIT_BACKOFF_MAX_NS;
    m->backoff_ns = wait;
    dial_at(m, node->now_ns + wait / 2 + rng_below(&node->rng, wait / 2 + 1));
}

/* A neighbour of the run folder may have come back elsewhere, or be gone for good. */
static void refresh(struct rusm_node *node, struct member *m)
{
    struct rundir_entry e;
    if (m->joined || rundir_find(&node->rundir, m->name, &e) != 0)
        return;
    if (e.alive)
        memcpy(m->address, e.address, sizeof e.address);
    else
        m->wanted = false;
}

/* Dials the next of its addresses. False: there is none left. */
static bool dial_next(struct rusm_node *node, struct member *m)
{
    while (m->tried < m->ask.count) {
        if (connection_dial(node, &m->ask.found[m->tried++], m->name, &m->dialling) != 0)
            continue;
        m->dialling->member = m;
        m->dialling->index = m->index;
        return true;
    }
    m->dialling = NULL;
    return false;
}

static void on_resolved(struct resolver_ask *ask)
{
    struct member *m = ask->user;
    struct rusm_node *node = m->node;
    if (ask->count < 0)
        log_warn(&node->log, "cannot dial %s: %s", m->name, ask->why.text);
    if (m->wanted && !m->current && !m->dialling && !node->leaving && !dial_next(node, m))
        dial_later(m);
    if (!m->dialling)
        dial_ended(node);
}

static void dial(struct rusm_node *node, struct member *m)
{
    dial_at(m, UINT64_MAX);
    refresh(node, m);
    if (!m->wanted || m->current || m->dialling || m->ask.under_way || !m->address[0])
        return;
    if (m->tried < m->ask.count && dial_next(node, m))
        return;
    memcpy(m->ask.host_port, m->address, sizeof m->address);
    m->ask.done = on_resolved;
    m->ask.user = m;
    m->tried = 0;
    if (resolver_ask(&node->resolver, &m->ask) != 0)
        dial_later(m);
}

static struct member *due(const struct heap *h, uint64_t now_ns)
{
    struct heap_node *n = heap_min(h);
    return n && n->key <= now_ns ? list_entry(n, struct member, dial) : NULL;
}

void dial_ended(struct rusm_node *node)
{
    node->dials.full = false;
}

/* May another of the others be dialled? */
static bool has_place(struct dials *d)
{
    unsigned count = 0;
    list_each_safe(link, &d->trying) {
        struct member *m = list_entry(link, struct member, trying);
        if (m->dialling || m->ask.under_way)
            count++;
        else
            list_remove(link);
    }
    d->full = count >= LIMIT_DIALS;
    return !d->full;
}

uint64_t dials_tick(struct rusm_node *node)
{
    struct dials *d = &node->dials;
    struct member *m;
    if (node->leaving)
        return UINT64_MAX;
    while ((m = due(&d->vouched, node->now_ns)))
        dial(node, m);
    while (!d->full && (m = due(&d->others, node->now_ns)) && has_place(d)) {
        dial(node, m);
        if (!list_linked(&m->trying))
            list_append(&d->trying, &m->trying);
    }
    struct heap_node *first = heap_min(&d->vouched), *other = d->full ? NULL : heap_min(&d->others);
    uint64_t next = first ? first->key : UINT64_MAX;
    return other && other->key < next ? other->key : next;
}
