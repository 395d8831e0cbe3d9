/* member: the other nodes that we know of, from the run folder, --join, a peer's word or their own
 * call. Each member belongs to one scheduler. Any scheduler may hear of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/id.h"
#include "node/limits.h"
#include "wire/limits.h"
#include "node/dial.h"
#include "node/runfiles.h"
#include "node/member.h"
#include "node/member_lock.h"
#include "node/peer_process.h"
#include "node/node.h"
#include "node/reach.h"
#include "node/trouble.h"

static struct member *of(struct list *link)
{
    return container_of(link, struct member, link);
}

struct name_key {
    const char *name;
    size_t len;
};

static bool is_named(const struct map_node *n, const void *key)
{
    const struct member *m = container_of(n, struct member, by_name);
    const struct name_key *k = key;
    return strlen(m->name) == k->len && memcmp(m->name, k->name, k->len) == 0;
}

void members_init(struct rusm_node *node)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&node->members_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    list_init(&node->members);
}

void members_free(struct rusm_node *node)
{
    list_each_safe(link, &node->members) {
        peer_process_forget(of(link));
        list_remove(link);
        dial_remove(of(link));
        free(of(link));
    }
}

void members_fini(struct rusm_node *node)
{
    map_fini(&node->by_name);
    pthread_mutex_destroy(&node->members_lock);
}

struct member *member_next(struct rusm_node *node, struct member *m)
{
    member_lock(node);
    struct list *next = m ? m->link.next : node->members.next;
    member_unlock(node);
    return next == &node->members ? NULL : of(next);
}

/* Returns the member of that name, forgotten or not. */
static struct member *known(struct rusm_node *node, const char *name, size_t len)
{
    const struct name_key key = { .name = name, .len = len };
    struct map_node *n =
        map_find(&node->by_name, map_hash_bytes(&node->by_name, name, len), is_named, &key);
    return n ? container_of(n, struct member, by_name) : NULL;
}

struct member *member_find(struct rusm_node *node, const char *name, size_t len)
{
    struct member *m = known(node, name, len);
    return m && !m->forgotten ? m : NULL;
}

/* Returns the scheduler that a node belongs to. runtime_node_scheduler shares out the nodes in the
 * same way. */
static struct scheduler *scheduler_of(struct rusm_node *node, const char *name, size_t len)
{
    return &node->schedulers[id_node_share(name, len) % node->scheduler_count];
}

struct member *member_get(struct scheduler *s, const char *name, size_t len, bool heard)
{
    struct rusm_node *node = s->node;
    int (*index)(struct runtime *, const char *, size_t, uint32_t *) =
        heard ? runtime_node_heard : runtime_node_index;
    struct member *m = known(node, name, len);
    if (m) {
        m->since_ns = m->forgotten ? s->now_ns : m->since_ns;
        m->forgotten = false;
        return m;
    }
    m = calloc(1, sizeof(*m));
    if (m) {
        m->scheduler = scheduler_of(node, name, len);
    }
    if (!m || index(s->runtime, name, len, &m->index) != 0 || dial_add(m) != 0) {
        free(m);
        return NULL;
    }
    if (map_insert(&node->by_name, map_hash_bytes(&node->by_name, name, len), &m->by_name) != 0) {
        dial_remove(m);
        free(m);
        return NULL;
    }
    memcpy(m->name, name, len);
    m->number = ++node->member_number;
    m->since_ns = s->now_ns;
    m->pidfd = -1;
    list_init(&m->contended);
    list_append(&node->members, &m->link);
    return m;
}

/* Marks a member as known from a peer's word alone, or not, and counts such members. */
static void tell_apart(struct rusm_node *node, struct member *m, bool told)
{
    if (m->told == told) {
        return;
    }
    m->told = told;
    node->told += told ? 1u : -1u;
}

void member_forget(struct member *m)
{
    tell_apart(m->scheduler->node, m, false);
    dial_done(m);
    dial_at(m, UINT64_MAX);
    backoff_reset(&m->backoff);
    trouble_left(m);
    m->trouble = TROUBLE_NONE;
    m->wanted = m->found = m->near = m->left = m->tried = false;
    m->incarnation = 0;
    m->address[0] = '\0';
    m->lost = 0;
    m->forgotten = true;
}

/* ---- members that are wanted ---- */

static void want(struct member *m, const char *address, uint64_t at_ns)
{
    size_t len = strlen(address);
    if (len >= sizeof(m->address)) {
        return;
    }
    memcpy(m->address, address, len + 1);
    m->wanted = true;
    if (m->current || m->dialling) {
        return;
    }
    backoff_reset(&m->backoff);
    dial_at(m, at_ns);
}

/* Returns whether the entry is of our cluster and its node runs. */
static bool is_near(const struct rusm_node *node, const struct rundir_entry *e)
{
    return e->alive && strcmp(e->fingerprint, identity_fingerprint(node->identity)) == 0;
}

static void want_near(struct member *m, const struct rundir_entry *e, uint64_t at_ns)
{
    m->near = true;
    dial_vouch(m);
    want(m, e->address, at_ns);
}

void members_near(struct rusm_node *node, const struct rundir_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct rundir_entry *e = &entries[i];
        struct member *m = is_near(node, e) && strcmp(e->name, node->name) != 0
                               ? member_get(node->first, e->name, strlen(e->name), false)
                               : NULL;
        if (m) { /* in a random order, so that not all nodes begin with the same one */
            want_near(m, e, node->first->now_ns + rng_below(&node->first->rng, 1000));
        }
    }
}

int members_join(struct rusm_node *node, const char *text, struct rusm_why *why)
{
    struct id_target target;
    char address[300];
    if (id_target_parse(text, &target) != 0 || !target.name[0] || !target.host[0]) {
        return err_why(why, RUSM_EINVAL, "cannot join '%s': write it NODE@HOST:PORT", text);
    }
    if (strcmp(target.name, node->name) == 0) {
        return err_why(why, RUSM_EINVAL, "cannot join '%s': it is this node's own name", text);
    }
    struct member *m = member_get(node->first, target.name, strlen(target.name), false);
    if (!m) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    bool v6 = strchr(target.host, ':');
    snprintf(address, sizeof(address), v6 ? "[%s]:%s" : "%s:%s", target.host, target.port);
    m->joined = true;
    dial_vouch(m);
    want(m, address, node->started_ns);
    return 0;
}

void member_found(struct scheduler *s, const char *name, const char *address)
{
    struct member *m = member_get(s, name, strlen(name), false);
    if (!m || m->joined) {
        return; /* what the user wrote of it stays */
    }
    m->found = true;
    m->tried = false;
    dial_vouch(m);
    if (!m->current) {
        want(m, address, s->now_ns);
    }
}

void member_moved(struct rusm_node *node, const char *name, const struct hello *now)
{
    struct member *m = name[0] ? member_find(node, name, strlen(name)) : NULL;
    bool same = strlen(name) == now->name_len && memcmp(name, now->name, now->name_len) == 0;
    if (m && !same && !m->current && !m->joined && !m->near) {
        m->wanted = false;
    }
}

void member_settled(struct member *m)
{
    m->contender = NULL;
    list_remove(&m->contended);
}

void member_connected(struct member *m, struct connection *c)
{
    struct scheduler *s = m->scheduler;
    struct rusm_node *node = s->node;
    tell_apart(node, m, false);
    m->current = c;
    if (m->dialling == c) {
        m->dialling = NULL;
    }
    m->left = m->forgotten = false;
    m->since_ns = s->now_ns;
    dial_done(m);
    m->incarnation = c->incarnation;
    dial_at(m, UINT64_MAX);
    dial_ended(s);
    m->wanted = true;
    peer_process_watch(m);
    events_node_up(node, m);
}

void member_confirmed(struct member *m, const struct connection *c)
{
    backoff_reset(&m->backoff);
    if (trouble_over(m)) {
        log_warn(&m->scheduler->node->log, "%s is connected now (%s)", m->name, c->address);
    }
}

void member_lost(struct member *m, struct connection *c)
{
    struct scheduler *s = m->scheduler;
    bool was_current = m->current == c, was_dialling = m->dialling == c;
    if (was_current) {
        m->current = NULL;
        peer_process_forget(m);
        m->left = c->left;
        m->since_ns = s->now_ns;
        if (c->left && !m->joined) {
            m->wanted = false; /* one that --join names is dialled for ever */
        }
    }
    if (was_dialling) {
        m->dialling = NULL;
        dial_ended(s);
    }
    if (m->contender == c) {
        member_settled(m);
    }
    if (m->current || m->dialling || !m->wanted || atomic_load(&s->node->leaving)) {
        return;
    }
    if (was_dialling && !was_current && dial_has_more(m)) {
        dial_at(m, s->now_ns); /* tries the member's next address before we wait */
    } else {
        dial_later(m);
    }
}

/* ---- what nodes tell each other about third nodes ---- */

void members_tell(struct connection *c)
{
    struct rusm_node *node = c->scheduler->node;
    uint8_t body[LIMIT_FRAME];
    struct writer w = writer_on(body, sizeof(body));
    bool near = reach_is_near(c);
    list_each(link, &node->members) {
        struct member *m = of(link);
        char address[sizeof(m->address)];
        if (!m->current || m->current == c || !m->address[0] ||
            !reach_address(m, c, near, address, sizeof(address))) {
            continue;
        }
        if (sizeof(body) - writer_len(&w) < 512) {
            peer_send_frame(c->peer, FRAME_NODES, true, body, writer_len(&w));
            w = writer_on(body, sizeof(body));
        }
        node_entry_write(&w, &(struct node_entry){ .name = m->name,
                                                   .name_len = strlen(m->name),
                                                   .address = address,
                                                   .address_len = strlen(address),
                                                   .incarnation = m->incarnation });
    }
    if (writer_len(&w) > 0) {
        peer_send_frame(c->peer, FRAME_NODES, true, body, writer_len(&w));
    }
}

static uint64_t jitter(struct scheduler *s)
{
    return rng_below(&s->rng, LIMIT_NEAR_NS);
}

/* Returns whether the address that a peer told is one that we can dial. */
static bool is_usable(const char *address, bool same_host)
{
    enum resolve_reach reach = resolve_reach(address);
    return reach == RESOLVE_ANYWHERE || (same_host && reach == RESOLVE_HOST);
}

/* The run folder says whether it has a member that a peer told of. */
static void on_sought(struct runfiles_job *job)
{
    struct member *m = job->user;
    struct scheduler *s = m->scheduler;
    if (!m->wanted || m->current || m->dialling) {
        return;
    }
    if (job->result == 0 && is_near(s->node, &job->entry)) {
        /* The node published its entry after we looked. So it saw us when it looked, and dials
         * us. */
        want_near(m, &job->entry, s->now_ns + LIMIT_NEAR_NS + jitter(s));
    } else {
        dial_at(m, s->now_ns);
    }
}

/* Dials a member that a peer told of, if the run folder does not have it. Should the folder not
 * answer, dials it as late as one that it has. */
static void want_told(struct scheduler *s, struct member *m, const char *address)
{
    bool asked = runfiles_find(m->scheduler, m->name, 0, on_sought, m) == 0;
    want(m, address, s->now_ns + (asked ? LIMIT_NEAR_NS + jitter(s) : 0));
}

int members_told(const struct connection *c, const struct frame *frame)
{
    struct scheduler *s = c->scheduler;
    struct rusm_node *node = s->node;
    bool same_host = reach_is_near(c);
    struct reader r = reader_on(frame->body, frame->len);
    struct node_entry e;
    int got;
    while ((got = node_entry_read(&r, &e)) > 0) {
        char address[300];
        bool self = e.name_len == strlen(node->name) && memcmp(e.name, node->name, e.name_len) == 0;
        if (self || e.address_len >= sizeof(address) || atomic_load(&node->leaving)) {
            continue;
        }
        memcpy(address, e.address, e.address_len);
        address[e.address_len] = 0;
        if (!is_usable(address, same_host)) {
            continue;
        }
        struct member *m = member_find(node, e.name, e.name_len);
        if (!m && node->told < LIMIT_TOLD) {
            m = member_get(s, e.name, e.name_len, true);
            if (m) {
                tell_apart(node, m, true);
            }
        }
        if (!m || m->current || m->dialling || m->wanted) {
            continue;
        }
        want_told(s, m, address);
    }
    return got;
}
