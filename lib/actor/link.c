/* link: see the header. Called by self.c, by the runtime when a process ends, and by signal.c for
 * what comes from other nodes. */
#include "actor/link.h"

#include <string.h>
#include "actor/exit_notice.h"
#include "actor/process.h"
#include "actor/limits.h"

struct link_end {
    struct list at; /* must be first; in a process's ring, or in a node's `linked` */
    struct link *link;
};

struct link {
    struct map_node by_pair;   /* in rt->links */
    struct link_end end[2];    /* [0] is of self, [1] of peer or of its node */
    struct rusm_process *self; /* of this runtime; the older one if both are */
    struct rusm_process *peer; /* the other one if it is of this runtime; else NULL */
    rusm_pid other;            /* pid of the other one */
    uint64_t unlinking;        /* not 0: the link is deaf until an UNLINKED with this ref comes */
};

static struct link *link_of(const struct list *end)
{
    return container_of(end, struct link_end, at)->link;
}

void link_slab_init(struct runtime *rt)
{
    slab_init(&rt->link_slab, sizeof(struct link));
}

/* ---- the table ---- */

struct link_key {
    uint64_t self; /* serial */
    rusm_pid other;
};

/* Returns the two ends in the order of struct link. */
static struct link_key link_key(const struct rusm_process *p, rusm_pid other)
{
    if (other.serial < p->serial && !runtime_far(p->rt, other)) {
        return (struct link_key){ .self = other.serial, .other = process_pid(p) };
    }
    return (struct link_key){ .self = p->serial, .other = other };
}

/* Leaves the incarnation out, because 0 stands for whichever incarnation is present. */
static uint64_t link_hash(const struct runtime *rt, const struct link_key *key)
{
    uint64_t other = key->other.serial ^ (uint64_t)key->other.node << 40;

    return map_hash_u64(&rt->links, map_hash_u64(&rt->links, other) ^ key->self);
}

static bool link_eq(const struct map_node *node, const void *key)
{
    const struct link *k = container_of(node, struct link, by_pair);
    const struct link_key *want = key;
    uint32_t a = k->other.incarnation, b = want->other.incarnation;

    return k->self->serial == want->self && k->other.serial == want->other.serial &&
           k->other.node == want->other.node && (a == b || a == 0 || b == 0);
}

static struct link *link_find(const struct rusm_process *p, rusm_pid other)
{
    struct link_key key = link_key(p, other);
    struct map_node *found = map_find(&p->rt->links, link_hash(p->rt, &key), link_eq, &key);

    return found ? container_of(found, struct link, by_pair) : NULL;
}

static void link_ring_add(struct rusm_process *p, struct list *end)
{
    process_has(p, PART_LINKS);
    list_init(end);
    if (p->links) {
        list_append(p->links, end);
    } else {
        p->links = end;
    }
}

static void link_ring_remove(struct rusm_process *p, struct list *end)
{
    if (p->links == end) {
        p->links = list_linked(end) ? end->next : NULL;
    }
    list_remove(end);
}

/* Makes a link. peer is the process `to` if it is of this runtime. Returns 0, RUSM_ELIMIT or
 * RUSM_ENOMEM. */
static int link_new(struct rusm_process *p, rusm_pid to, struct rusm_process *peer)
{
    struct runtime *rt = p->rt;
    struct link_key key = link_key(p, to);
    bool first = key.self == p->serial;

    if (rt->links.count >= LIMIT_LINKS / rt->schedulers) {
        return RUSM_ELIMIT;
    }
    struct link *k = slab_take(&rt->link_slab);
    if (!k) {
        return RUSM_ENOMEM;
    }
    *k = (struct link){ .self = first ? p : peer, .peer = first ? peer : p, .other = key.other };
    k->end[0].link = k->end[1].link = k;
    if (map_insert(&rt->links, link_hash(rt, &key), &k->by_pair) != 0) {
        slab_give(&rt->link_slab, k);
        return RUSM_ENOMEM;
    }
    link_ring_add(k->self, &k->end[0].at);
    if (k->peer) {
        link_ring_add(k->peer, &k->end[1].at);
    } else {
        list_init(&k->end[1].at);
        list_append(&nodes_at(&rt->nodes, to.node)->linked, &k->end[1].at);
    }
    return 0;
}

static void link_free(struct runtime *rt, struct link *k)
{
    link_ring_remove(k->self, &k->end[0].at);
    if (k->peer) {
        link_ring_remove(k->peer, &k->end[1].at);
    } else {
        list_remove(&k->end[1].at);
    }
    map_remove(&rt->links, &k->by_pair);
    slab_give(&rt->link_slab, k);
}

uint64_t link_count(const struct rusm_process *p)
{
    uint64_t count = 0;
    const struct list *at = p->links;

    while (at) {
        count += link_of(at)->unlinking == 0;
        at = at->next == p->links ? NULL : at->next;
    }
    return count;
}

void link_each(const struct rusm_process *p, size_t most,
               void (*each)(void *context, rusm_pid other), void *context)
{
    const struct list *at = p->links;

    while (at && most > 0) {
        const struct link *k = link_of(at);
        if (k->unlinking == 0) {
            each(context, k->self == p ? k->other : process_pid(k->self));
            most--;
        }
        at = at->next == p->links ? NULL : at->next;
    }
}

/* ---- what a process does ---- */

static void link_exit(struct rusm_process *p, rusm_pid from, const char *reason)
{
    process_exit_signal(p, from, reason, strlen(reason), true);
}

static int link_make_far(struct rusm_process *self, rusm_pid to)
{
    struct runtime *rt = self->rt;
    struct link *k = link_find(self, to);

    if (!nodes_at(&rt->nodes, to.node) || to.serial == 0) {
        return RUSM_EINVAL;
    }
    if (k && !k->unlinking) {
        return 0;
    }
    int err = k ? 0 : link_new(self, to, NULL);
    if (err) {
        return err;
    }
    struct post post = { .from = process_pid(self), .node = to.node, .to = to };
    post.kind = MESSAGE_LINK;
    post.data = "";
    err = process_post(self, &post);
    /* Look it up again: the hook may have lost that node meanwhile, and the link with it. */
    k = link_find(self, to);
    if (!k) {
        return 0;
    }
    if (err == 0) {
        k->unlinking = 0;
        return 0;
    }
    if (!k->unlinking) {
        link_free(rt, k);
    }
    if (err == RUSM_ENOPROC || err == RUSM_ENOCONN) {
        link_exit(self, to, err == RUSM_ENOPROC ? "noproc" : "noconnection");
        return 0;
    }
    return err;
}

int link_make(struct rusm_process *self, rusm_pid to)
{
    struct runtime *rt = self->rt;

    if (runtime_far(rt, to)) {
        return link_make_far(self, to);
    }
    struct rusm_process *other = runtime_local(rt, to);
    if (!other) {
        link_exit(self, to, "noproc");
        return 0;
    }
    if (other == self || link_find(self, to)) {
        return 0;
    }
    return link_new(self, to, other);
}

int link_cut(struct rusm_process *self, rusm_pid other)
{
    struct runtime *rt = self->rt;
    struct link *k = link_find(self, other);

    if (!k || k->unlinking) {
        return RUSM_ENOPROC;
    }
    if (k->peer) {
        link_free(rt, k);
        return 0;
    }
    uint64_t ref = k->unlinking = ++rt->ref;
    exit_notice_post(rt, MESSAGE_UNLINK, process_pid(self), other, ref, "");
    return 0;
}

void link_refused(struct rusm_process *p, rusm_pid other, const char *reason)
{
    if (link_told(p, other)) {
        link_exit(p, other, reason);
    }
}

void link_ended(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    rusm_pid pid = process_pid(p);

    while (p->links) {
        struct link *k = link_of(p->links);
        struct rusm_process *q = k->self == p ? k->peer : k->self;
        rusm_pid other = k->other;
        bool deaf = k->unlinking != 0;
        link_free(rt, k);
        if (q) {
            link_exit(q, pid, p->reason);
        } else if (!deaf) {
            exit_notice_post(rt, MESSAGE_LINK_EXIT, pid, other, 0, p->reason);
        }
    }
}

/* ---- other nodes ---- */

bool link_told(struct rusm_process *p, rusm_pid other)
{
    struct link *k = link_find(p, other);

    if (!k) {
        return false;
    }
    bool heard = k->unlinking == 0;
    link_free(p->rt, k);
    return heard;
}

int link_asked(struct rusm_process *p, rusm_pid other)
{
    struct runtime *rt = p->rt;

    /* A link that is being unlinked stays so: the other end asked for it before it heard of the
     * unlink. */
    if (link_find(p, other)) {
        return 0;
    }
    int err = link_new(p, other, NULL);
    if (err) {
        exit_notice_answer(rt, MESSAGE_LINK_EXIT, process_pid(p), other, 0, "system_limit");
    }
    return err;
}

void link_undone(struct rusm_process *p, rusm_pid other, uint64_t ref)
{
    struct link *k = link_find(p, other);

    if (k && !k->unlinking) {
        link_free(p->rt, k);
    }
    exit_notice_answer(p->rt, MESSAGE_UNLINKED, process_pid(p), other, ref, "");
}

void link_confirmed(struct rusm_process *p, rusm_pid other, uint64_t ref)
{
    struct link *k = link_find(p, other);

    if (k && k->unlinking == ref) {
        link_free(p->rt, k);
    }
}

void link_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    list_each_safe(l, &node->linked) {
        struct link *k = link_of(l);
        /* 0 stands for the incarnation that was present at the time, whichever that was. */
        if (k->other.incarnation == incarnation || k->other.incarnation == 0) {
            struct rusm_process *p = k->self;
            rusm_pid other = k->other;
            bool heard = k->unlinking == 0;
            link_free(rt, k);
            if (heard) {
                link_exit(p, other, "noconnection");
            }
        }
    }
}
