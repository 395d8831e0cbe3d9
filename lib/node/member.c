/* member: the other nodes that we know of, from the run folder, --join, a peer's word or their own
 * call; and dialling those that are wanted and not connected, with backoff and jitter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/id.h"
#include "base/limits.h"
#include "node/node.h"

static struct member *of(struct list *link)
{
    return list_entry(link, struct member, link);
}

struct member *member_find(struct rusm_node *node, const char *name, size_t len)
{
    list_each(link, &node->members) {
        struct member *m = of(link);
        if (strlen(m->name) == len && memcmp(m->name, name, len) == 0)
            return m;
    }
    return NULL;
}

struct member *member_get(struct rusm_node *node, const char *name, size_t len)
{
    struct member *m = member_find(node, name, len);
    if (m)
        return m;
    m = calloc(1, sizeof *m);
    if (!m || runtime_node_index(node->runtime, name, len, &m->index) != 0) {
        free(m);
        return NULL;
    }
    memcpy(m->name, name, len);
    m->node = node;
    m->since_ns = node->now_ns;
    m->dial_at_ns = UINT64_MAX;
    m->pidfd = -1;
    list_init(&m->ask.link);
    list_append(&node->members, &m->link);
    return m;
}

void members_free(struct rusm_node *node)
{
    list_each_safe(link, &node->members) {
        neighbour_forget(node, of(link));
        list_remove(link);
        free(of(link));
    }
}

/* Counts those known from others' word alone. */
static void tell_apart(struct rusm_node *node, struct member *m, bool told)
{
    if (m->told == told)
        return;
    m->told = told;
    node->told += told ? 1u : -1u;
}

/* ---- who is wanted ---- */

static void dial_at(struct rusm_node *node, struct member *m, uint64_t at_ns)
{
    m->dial_at_ns = at_ns;
    if (at_ns < node->dial_at_ns)
        node->dial_at_ns = at_ns;
}

static void want(struct rusm_node *node, struct member *m, const char *address)
{
    size_t len = strlen(address);
    if (len >= sizeof m->address)
        return;
    memcpy(m->address, address, len + 1);
    m->wanted = true;
    if (m->current || m->dialling)
        return;
    m->backoff_ns = 0;
    dial_at(node, m, node->now_ns);
}

void members_scan(struct rusm_node *node)
{
    struct rundir_entry *entries;
    size_t count;
    if (rundir_list(&node->rundir, &entries, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct rundir_entry *e = &entries[i];
        if (strcmp(e->name, node->name) == 0)
            continue;
        if (!e->alive) {
            rundir_clean(&node->rundir, e->name);
            continue;
        }
        if (strcmp(e->fingerprint, identity_fingerprint(node->identity)) != 0)
            continue;
        struct member *m = member_get(node, e->name, strlen(e->name));
        if (!m)
            continue;
        m->near = true;
        want(node, m, e->address);
    }
    free(entries);
}

int members_join(struct rusm_node *node, const char *text, struct rusm_why *why)
{
    struct id_target target;
    char address[300];
    if (id_target_parse(text, &target) != 0 || !target.name[0] || !target.host[0])
        return err_why(why, RUSM_EINVAL, "cannot join '%s': write it NODE@HOST:PORT", text);
    if (strcmp(target.name, node->name) == 0)
        return err_why(why, RUSM_EINVAL, "cannot join '%s': it is this node's own name", text);
    struct member *m = member_get(node, target.name, strlen(target.name));
    if (!m)
        return err_why(why, RUSM_ENOMEM, "no memory");
    bool v6 = strchr(target.host, ':');
    snprintf(address, sizeof address, v6 ? "[%s]:%s" : "%s:%s", target.host, target.port);
    m->joined = true;
    want(node, m, address);
    return 0;
}

/* ---- dialling ---- */

void member_dial_later(struct rusm_node *node, struct member *m)
{
    uint64_t wait = m->backoff_ns ? m->backoff_ns * 2 : LIMIT_BACKOFF_MIN_NS;
    if (wait > LIMIT_BACKOFF_MAX_NS)
        wait = LIMIT_BACKOFF_MAX_NS;
    m->backoff_ns = wait;
    dial_at(node, m, node->now_ns + wait / 2 + rng_below(&node->rng, wait / 2 + 1));
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
    if (!m->wanted || m->current || m->dialling || node->leaving)
        return;
    if (!dial_next(node, m))
        member_dial_later(node, m);
}

static void dial(struct rusm_node *node, struct member *m)
{
    m->dial_at_ns = UINT64_MAX;
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
        member_dial_later(node, m);
}

/* The user vouches for some; the rest may be made up, and share LIMIT_DIALS. */
static bool vouched(const struct member *m)
{
    return m->joined || m->near;
}

/* Who of the rest has been due for longest. NULL: nobody, or enough dials are under way. */
static struct member *next_due(struct rusm_node *node)
{
    struct member *first = NULL;
    unsigned dials = 0;
    list_each(link, &node->members) {
        struct member *m = of(link);
        if (vouched(m))
            continue;
        dials += m->dialling || m->ask.under_way;
        if (m->dial_at_ns <= node->now_ns && (!first || m->dial_at_ns < first->dial_at_ns))
            first = m;
    }
    return dials < LIMIT_DIALS ? first : NULL;
}

uint64_t members_tick(struct rusm_node *node)
{
    struct member *next;
    if (node->leaving)
        return UINT64_MAX;
    if (node->now_ns < node->dial_at_ns)
        return node->dial_at_ns;
    node->dial_at_ns = UINT64_MAX;
    for (int i = 0; i < LIMIT_DIALS && (next = next_due(node)); i++)
        dial(node, next);
    list_each(link, &node->members) {
        struct member *m = of(link);
        if (vouched(m) && m->dial_at_ns <= node->now_ns)
            dial(node, m);
        /* Those that are due still wait for another's dial to end. */
        if (m->dial_at_ns > node->now_ns && m->dial_at_ns < node->dial_at_ns)
            node->dial_at_ns = m->dial_at_ns;
    }
    return node->dial_at_ns;
}

void member_connected(struct rusm_node *node, struct member *m, struct connection *c)
{
    tell_apart(node, m, false);
    m->current = c;
    m->left = false;
    m->since_ns = node->now_ns;
    m->tried = m->ask.count = 0;
    m->incarnation = c->incarnation;
    m->backoff_ns = 0;
    m->dial_at_ns = UINT64_MAX;
    m->wanted = true;
    neighbour_watch(node, m);
}

void member_lost(struct rusm_node *node, struct member *m, struct connection *c)
{
    bool was_current = m->current == c, was_dialling = m->dialling == c;
    if (was_current) {
        m->current = NULL;
        neighbour_forget(node, m);
        m->left = c->left;
        m->since_ns = node->now_ns;
        if (c->left)
            m->wanted = false;
    }
    if (was_dialling) {
        m->dialling = NULL;
        node->dial_at_ns = 0; /* another may have its turn */
    }
    if (m->contender == c)
        m->contender = NULL;
    if (m->current || m->dialling || !m->wanted || node->leaving)
        return;
    if (was_dialling && !was_current && m->tried < m->ask.count)
        dial_at(node, m, node->now_ns); /* another of its addresses may do, before we wait */
    else
        member_dial_later(node, m);
}

/* ---- what nodes tell each other of third ones ---- */

void members_tell(struct rusm_node *node, struct connection *c)
{
    uint8_t body[LIMIT_FRAME];
    struct writer w = writer_on(body, sizeof body);
    list_each(link, &node->members) {
        struct member *m = of(link);
        if (!m->current || m->current == c || !m->address[0])
            continue;
        if (sizeof body - writer_len(&w) < 512) {
            peer_send_frame(c->peer, FRAME_NODES, true, body, writer_len(&w));
            w = writer_on(body, sizeof body);
        }
        node_entry_write(&w, &(struct node_entry){ .name = m->name,
                                                   .name_len = strlen(m->name),
                                                   .address = m->address,
                                                   .address_len = strlen(m->address),
                                                   .incarnation = m->incarnation });
    }
    if (writer_len(&w) > 0)
        peer_send_frame(c->peer, FRAME_NODES, true, body, writer_len(&w));
}

int members_told(struct rusm_node *node, const struct frame *frame)
{
    struct reader r = reader_on(frame->body, frame->len);
    struct node_entry e;
    int got;
    while ((got = node_entry_read(&r, &e)) > 0) {
        char address[300];
        bool self = e.name_len == strlen(node->name) && memcmp(e.name, node->name, e.name_len) == 0;
        if (self || e.address_len >= sizeof address || node->leaving)
            continue;
        struct member *m = member_find(node, e.name, e.name_len);
        if (!m && node->told < LIMIT_TOLD) {
            m = member_get(node, e.name, e.name_len);
            if (m)
                tell_apart(node, m, true);
        }
        if (!m || m->current || m->dialling || m->wanted)
            continue;
        memcpy(address, e.address, e.address_len);
        address[e.address_len] = 0;
        want(node, m, address);
    }
    return got;
}
