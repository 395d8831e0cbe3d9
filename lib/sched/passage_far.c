/* passage_far: the far half of a passage: into mailboxes, or on to other nodes. See passage.h. Called by the
 * crossing for what arrives, and by the runtime when there is room. */
#include "sched/passage_state.h"
#include "actor/process.h"
#include "actor/roster.h"

static void passage_receipt(struct runtime *rt, const struct message *m, int err)
{
    if (m->flags & MESSAGE_RECEIPT) {
        /* Without memory for it, the one who asked waits in vain, as for one that is lost. */
        (void)crossing_note(rt, m->home, NOTE_RECEIPT, m->pub.from, m->receipt, err, NULL);
    }
}

/* Nobody is there: whoever asked for something is answered, messages are counted. */
static int passage_nobody(struct runtime *rt, struct passage *p, struct message *m)
{
    enum rusm_kind kind = m->pub.kind;

    if (kind == RUSM_SEND || kind == RUSM_CALL) {
        rt->counters.noproc_local++;
    }
    if (kind != RUSM_SEND) {
        (void)runtime_signal(rt, NULL, p->to, kind, m->pub.from, m->pub.ref);
    }
    passage_receipt(rt, m, RUSM_ENOPROC);
    message_free(rt->pool, m);
    return 0;
}

static bool passage_is_signal(enum rusm_kind kind)
{
    return (kind >= MESSAGE_LINK && kind <= MESSAGE_DEMONITOR) || kind == MESSAGE_UNLINKED;
}

static bool passage_traps(const struct rusm_process *target, const struct message *m)
{
    return process_traps(target, (const char *)m->pub.data, m->pub.len);
}

/* Into a mailbox, or to its effect. RUSM_BUSY: there is no room for it; else m is taken. */
static int passage_deliver(struct runtime *rt, struct passage *p, struct message *m)
{
    struct rusm_process *target = roster_find(&rt->roster, p->to.serial);
    enum rusm_kind kind = m->pub.kind;

    if (!target) {
        return passage_nobody(rt, p, m);
    }
    if (passage_is_signal(kind)) {
        int err = runtime_signal(rt, target, p->to, kind, m->pub.from, m->pub.ref);
        passage_receipt(rt, m, err);
        message_free(rt->pool, m);
        return 0;
    }
    struct arrival arrival = { .kind = kind,
                               .data = m->pub.data,
                               .len = m->pub.len,
                               .unordered = m->flags & MESSAGE_UNORDERED,
                               .urgent = m->flags & MESSAGE_URGENT };
    switch (process_admit(target, &arrival, &p->waiter)) {
    case ADMIT_TAKE: break;
    case ADMIT_HOLD: return RUSM_BUSY;
    case ADMIT_REFUSE:
        rt->counters.overflow++;
        passage_receipt(rt, m, RUSM_BUSY);
        message_free(rt->pool, m);
        return 0;
    case ADMIT_DROP: message_free(rt->pool, m); return 0;
    }
    passage_receipt(rt, m, 0);
    process_deliver(target, m);
    return 0;
}

/* For a sibling's process, as if it were one of this scheduler. */
static int passage_post_on(struct runtime *rt, struct passage *p, struct message *m)
{
    struct post post = { .from = p->from, .node = p->node, .to = p->to, .kind = m->pub.kind };

    post.name = p->to.serial ? NULL : p->name;
    post.name_len = p->name_len;
    post.global = p->global;
    post.ref = m->pub.ref;
    post.data = m->pub.data;
    post.len = m->pub.len;
    post.flags = m->flags & MESSAGE_UNORDERED ? RUSM_UNORDERED : 0;
    post.receipt = m->flags & MESSAGE_RECEIPT ? m->receipt : 0;
    int err = rt->hooks->post(rt->context, &post);
    if (err != RUSM_BUSY) {
        if (err) {
            passage_receipt(rt, m, err); /* else that node gives it */
        }
        m->pub.error = err;
        message_free(rt->pool, m);
    }
    return err == RUSM_BUSY ? err : 0;
}

static int passage_try(struct runtime *rt, struct passage *p, struct message *m)
{
    return p->node == 0 ? passage_deliver(rt, p, m) : passage_post_on(rt, p, m);
}

/* What waits is to be tried again when there is room. */
static void passage_park(struct runtime *rt, struct passage *p)
{
    struct side *side = rt->side;

    if (p->node == 0) {
        list_append(&side->parked, &p->parked); /* its waiter waits in the mailbox's line */
        return;
    }
    list_append(&side->gated, &p->parked);
    /* Without memory for it, it is found when all are told. */
    p->mapped =
        map_insert(&side->gate, map_hash_u64(&side->gate, p->from.serial), &p->by_from) == 0;
}

/* Tries all that waits, in order. */
static void passage_drain(struct runtime *rt, struct passage *p)
{
    struct message *m;

    while ((m = p->head)) {
        struct message *next = m->next;
        if (passage_try(rt, p, m) == RUSM_BUSY) {
            m->next = next;
            passage_park(rt, p);
            return;
        }
        p->head = next;
    }
}

void passage_ready(struct waiter *w)
{
    struct passage *p = container_of(w, struct passage, waiter);

    list_remove(&p->parked);
    passage_drain(p->far, p);
}

/* An exit signal that is not trapped waits for nothing; what waits is for a process that has ended
 * then. */
static bool passage_cuts(const struct runtime *rt, const struct passage *p, const struct message *m)
{
    const struct rusm_process *target =
        m->pub.kind == RUSM_EXIT && p->node == 0 ? roster_find(&rt->roster, p->to.serial) : NULL;

    return (target && (m->flags & MESSAGE_URGENT || !passage_traps(target, m))) ||
           (m->flags & MESSAGE_UNORDERED && p->node == 0);
}

void passage_arrive(struct runtime *rt, struct message *m)
{
    struct passage *p = m->passage;

    if (p->head && !passage_cuts(rt, p, m)) {
        p->tail->next = m;
        p->tail = m;
        m->next = NULL;
        return;
    }
    if (passage_try(rt, p, m) == RUSM_BUSY) {
        p->head = p->tail = m;
        m->next = NULL;
        passage_park(rt, p);
    }
}

/* ---- other nodes ---- */

static bool passage_is_from(const struct map_node *node, const void *key)
{
    return container_of(node, struct passage, by_from)->from.serial == *(const uint64_t *)key;
}

static void passage_ungate(struct side *side, struct passage *p)
{
    list_remove(&p->parked);
    if (p->mapped) {
        map_remove(&side->gate, &p->by_from);
        p->mapped = false;
    }
}

void passage_writable(struct runtime *rt, rusm_pid from)
{
    struct side *side = rt->side;
    struct list found;
    struct list *l;

    list_init(&found);
    if (from.serial == 0) {
        list_each_safe(at, &side->gated) {
            struct passage *p = container_of(at, struct passage, parked);
            passage_ungate(side, p);
            list_append(&found, &p->parked);
        }
    } else {
        uint64_t hash = map_hash_u64(&side->gate, from.serial);
        struct map_node *node;
        while ((node = map_find(&side->gate, hash, passage_is_from, &from.serial))) {
            struct passage *p = container_of(node, struct passage, by_from);
            passage_ungate(side, p);
            list_append(&found, &p->parked);
        }
    }
    while ((l = list_first(&found))) {
        list_remove(l);
        passage_drain(rt, container_of(l, struct passage, parked));
    }
}

void runtime_ungate(struct runtime *rt)
{
    struct list *l;

    while ((l = list_first(&rt->side->gated))) {
        struct passage *p = container_of(l, struct passage, parked);
        passage_ungate(rt->side, p);
        while (p->head) {
            struct message *m = p->head;
            p->head = m->next;
            rt->counters.noconnection++;
            m->pub.error = RUSM_ENOCONN;
            message_free(rt->pool, m);
        }
    }
}

void passage_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation)
{
    list_each_safe(l, &rt->side->parked) {
        struct passage *p = container_of(l, struct passage, parked);
        if (p->from.node != node || p->from.incarnation != incarnation) {
            continue;
        }
        list_remove(l);
        list_remove(&p->waiter.link);
        while (p->head) {
            struct message *m = p->head;
            p->head = m->next;
            rt->counters.noconnection++;
            message_free(rt->pool, m);
        }
    }
}
