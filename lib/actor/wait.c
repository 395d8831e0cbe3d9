/* wait: see the header. Called by the runtime between handlers, and by sends. */
#include "actor/wait.h"

#include "actor/process.h"
#include "base/must.h"

/* A process that waits for room in another's mailbox, or was granted it. */
struct wait {
    struct waiter waiter; /* in the target's waiters unless granted */
    struct map_node by_pair;
    struct list at_process; /* in who->waits */
    struct rusm_process *who;
    uint64_t target; /* serial of the target */
    bool granted;    /* one of the target's slots is reserved for `who` */
};

void wait_slab_init(struct runtime *rt)
{
    slab_init(&rt->wait_slab, sizeof(struct wait));
}

/* ---- room, for any waiter ---- */

bool process_has_room(const struct rusm_process *p, size_t len)
{
    const struct mailbox_limits *limits = &p->rt->limits;

    if (!mailbox_has_room(&p->mailbox, limits, len)) {
        return false;
    }
    if (list_empty(&p->waiters)) {
        return true;
    }
    /* A first waiter whose message is too large for now goes first: small messages would refill the
     * mailbox for ever. */
    const struct waiter *first = container_of(p->waiters.next, struct waiter, link);
    return mailbox_has_room(&p->mailbox, limits, first->len);
}

void process_wait_for(struct rusm_process *p, struct waiter *w, size_t len)
{
    w->len = len;
    if (!list_linked(&w->link) || w->at != p) {
        list_remove(&w->link);
        list_append(&p->waiters, &w->link);
        w->at = p;
        process_has(p, PART_WAITS);
    }
    if (p->mailbox.count == 0) {
        process_took(p); /* otherwise wait_wake looks when p takes a message */
    }
}

void process_wait(struct rusm_process *p, struct waiter *w)
{
    process_wait_for(p, w, 0);
}

/* ---- local processes ---- */

struct wait_key {
    uint64_t who, target;
};

static uint64_t wait_hash(const struct runtime *rt, uint64_t who, uint64_t target)
{
    return map_hash_u64(&rt->waits, map_hash_u64(&rt->waits, who) ^ target);
}

static bool wait_eq(const struct map_node *node, const void *key)
{
    const struct wait *w = container_of(node, struct wait, by_pair);
    const struct wait_key *k = key;

    return w->who->serial == k->who && w->target == k->target;
}

static struct wait *wait_find(const struct rusm_process *who, uint64_t target)
{
    const struct runtime *rt = who->rt;
    struct wait_key key = { .who = who->serial, .target = target };
    struct map_node *found =
        map_find(&rt->waits, wait_hash(rt, who->serial, target), wait_eq, &key);

    return found ? container_of(found, struct wait, by_pair) : NULL;
}

static void wait_free(struct runtime *rt, struct wait *w)
{
    list_remove(&w->waiter.link);
    list_remove(&w->at_process);
    map_remove(&rt->waits, &w->by_pair);
    slab_give(&rt->wait_slab, w);
}

/* `ready` of a local process: reserves a slot for it. */
static void wait_grant(struct waiter *waiter)
{
    struct wait *w = container_of(waiter, struct wait, waiter);
    struct rusm_process *target = process_table_find(&w->who->rt->processes_by_serial, w->target);

    target->mailbox.reserved++;
    w->granted = true;
    wait_writable(w->who);
}

static int wait_new(struct rusm_process *self, struct rusm_process *target, size_t len)
{
    struct runtime *rt = self->rt;
    struct wait *w = slab_take(&rt->wait_slab);

    if (!w) {
        return RUSM_ENOMEM;
    }
    *w = (struct wait){ .who = self, .target = target->serial };
    if (map_insert(&rt->waits, wait_hash(rt, self->serial, target->serial), &w->by_pair) != 0) {
        slab_give(&rt->wait_slab, w);
        return RUSM_ENOMEM;
    }
    list_init(&w->waiter.link);
    list_append(&self->waits, &w->at_process);
    process_has(self, PART_WAITS);
    w->waiter.ready = wait_grant;
    process_wait_for(target, &w->waiter, len);
    return 0;
}

int wait_admit(struct rusm_process *self, struct rusm_process *target, size_t len)
{
    struct runtime *rt = self->rt;
    struct mailbox *mb = &target->mailbox;
    bool waited_for = !list_empty(&target->waiters);
    struct wait *w = NULL;

    if (waited_for || mb->reserved) {
        w = wait_find(self, target->serial);
    }
    if (!w && !waited_for && mailbox_has_room(mb, &rt->limits, len)) {
        return 0;
    }
    if (w && w->granted) {
        mb->reserved--;
        if (mailbox_has_room(mb, &rt->limits, len)) {
            wait_free(rt, w);
            return 0;
        }
        w->granted = false;
        process_wait_for(target, &w->waiter, len);
    } else if (w) {
        w->waiter.len = len;
    } else {
        int err = wait_new(self, target, len);
        if (err) {
            return err;
        }
    }
    self->busy = true;
    rt->counters.busy_local++;
    return RUSM_BUSY;
}

void wait_writable(struct rusm_process *p)
{
    p->busy = false;
    p->writable = true;
    process_schedule(p);
}

/* Gives up a grant. The slot is free for others again. */
static void wait_ungrant(struct runtime *rt, struct wait *w)
{
    struct rusm_process *target = process_table_find(&rt->processes_by_serial, w->target);

    if (target) {
        target->mailbox.reserved--;
        process_took(target);
    }
}

void wait_release(struct rusm_process *p)
{
    list_each_safe(l, &p->waits) {
        struct wait *w = container_of(l, struct wait, at_process);
        if (w->granted) {
            wait_ungrant(p->rt, w);
            wait_free(p->rt, w);
        }
    }
}

void wait_ended(struct rusm_process *p)
{
    struct runtime *rt = p->rt;
    struct list *l;

    list_remove(&p->wake);
    while ((l = list_first(&p->waits))) {
        struct wait *w = container_of(l, struct wait, at_process);
        if (w->granted) {
            wait_ungrant(rt, w);
        }
        wait_free(rt, w);
    }
    while ((l = list_first(&p->waiters))) {
        struct waiter *waiter = container_of(l, struct waiter, link);
        list_remove(l);
        if (waiter->ready == wait_grant) {
            struct wait *w = container_of(waiter, struct wait, waiter);
            wait_writable(w->who);
            wait_free(rt, w);
        } else {
            /* The caller may be a behaviour that ends p, and `ready` must not run inside of one. */
            waiter->at = NULL;
            list_append(&rt->orphans, l);
        }
    }
}

static struct waiter *wait_head(struct rusm_process *p)
{
    struct list *l = list_first(&p->waiters);
    struct waiter *w = l ? container_of(l, struct waiter, link) : NULL;

    return w && mailbox_has_room(&p->mailbox, &p->rt->limits, w->len) ? w : NULL;
}

/* Wakes as many of p's waiters as p has free slots. */
static void wait_wake_one(struct runtime *rt, struct rusm_process *p)
{
    uint64_t serial = p->serial, used = (uint64_t)p->mailbox.count + p->mailbox.reserved;
    uint64_t slots = used < rt->limits.messages ? rt->limits.messages - used : 0;
    struct waiter *w;

    while (slots-- > 0 && (w = wait_head(p))) {
        list_remove(&w->link);
        w->ready(w);
        if (process_table_find(&rt->processes_by_serial, serial) != p) {
            return; /* `ready` ended it */
        }
    }
    /* Waiters that deliver later in this tick have not used their slots yet. Look again next
     * time. */
    if (wait_head(p)) {
        process_took(p);
    }
}

void wait_wake(struct runtime *rt)
{
    struct list *l;

    while ((l = list_first(&rt->orphans))) {
        struct waiter *w = container_of(l, struct waiter, link);
        list_remove(l);
        w->ready(w);
    }
    /* Processes that are added meanwhile are for the next time. */
    list_move_all(&rt->waking, &rt->wake);
    while ((l = list_first(&rt->waking))) {
        struct rusm_process *p = container_of(l, struct rusm_process, wake);
        list_remove(l);
        wait_wake_one(rt, p);
    }
}

/* ---- for attach ---- */

void wait_each(const struct rusm_process *p, size_t most, wait_fn *each, void *context)
{
    list_each(l, &p->waits) {
        const struct wait *w = container_of(l, struct wait, at_process);
        if (most-- == 0) {
            return;
        }
        if (!w->granted) {
            each(context, (rusm_pid){ .serial = w->target, .incarnation = p->rt->incarnation },
                 w->waiter.len);
        }
    }
}

void wait_each_waiter(const struct rusm_process *p, size_t most, wait_fn *each, void *context)
{
    list_each(l, &p->waiters) {
        struct waiter *waiter = container_of(l, struct waiter, link);
        if (most-- == 0) {
            return;
        }
        each(context,
             waiter->ready == wait_grant
                 ? process_pid(container_of(waiter, struct wait, waiter)->who)
                 : waiter->from,
             waiter->len);
    }
}
