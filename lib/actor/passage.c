/* passage: see the header. Called by sends and signals, and by the crossing for what arrives. */
#include "actor/passage.h"

#include <stdlib.h>
#include <string.h>
#include "actor/call.h"
#include "actor/crossing.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "base/limits.h"
#include "base/must.h"

/* Exit signals have places of their own, as they may be what ends a process that is stuck; those
 * that kill have some more. Answers find room as in a mailbox. */
#define PASSAGE_EXITS (2 * LIMIT_PASSAGE_MESSAGES)
#define PASSAGE_KILLS (3 * LIMIT_PASSAGE_MESSAGES)

struct passage {
    /* Its sender's scheduler's. */
    struct map_node by_pair; /* in its side's passages */
    struct list idle;        /* in its side's idle while nothing is under way */
    struct list waiting;     /* struct waiter: lanes that wait for it */
    rusm_pid from, to;       /* to: serial 0: by name */
    uint32_t node;           /* to.node */
    bool global;             /* by a global name, which that node holds */
    uint32_t count;          /* messages under way */
    uint64_t bytes;
    bool refused; /* its sender is to be told when there is room */
    uint32_t name_len;
    /* The far scheduler's while count > 0. */
    alignas(64) struct waiter waiter; /* for room in the mailbox */
    struct message *head, *tail;      /* those that wait for that, or for another node */
    struct list parked;               /* in its side's parked, or gated */
    struct map_node by_from;          /* in its side's gate, if `mapped` */
    bool mapped;
    struct runtime *far;
    char name[];
};

static void passage_ready(struct waiter *w);

/* ---- the table ---- */

static uint64_t passage_hash(const struct side *side, const struct post *post)
{
    const struct map *m = &side->passages;
    uint64_t from = map_hash_u64(m, post->from.serial ^ (uint64_t)post->from.node << 40);
    uint64_t to = post->to.serial ? map_hash_u64(m, post->to.serial)
                                  : map_hash_bytes(m, post->name, post->name_len);

    return map_hash_u64(m, from ^ to ^ post->node);
}

static bool passage_eq(const struct map_node *node, const void *key)
{
    const struct passage *p = list_entry(node, struct passage, by_pair);
    const struct post *post = key;

    return rusm_pid_eq(p->from, post->from) && p->node == post->node && p->global == post->global &&
           p->to.serial == post->to.serial && p->to.incarnation == post->to.incarnation &&
           (post->to.serial ||
            (p->name_len == post->name_len && memcmp(p->name, post->name, post->name_len) == 0));
}

static unsigned passage_scheduler(const struct runtime *rt, const struct post *post)
{
    return post->node == 0 ? (unsigned)(post->to.serial & rt->mask)
                           : runtime_node_scheduler(rt, post->node);
}

static struct passage *passage_new(struct runtime *rt, const struct post *post, uint64_t hash)
{
    size_t name_len = post->to.serial ? 0 : post->name_len;
    size_t size = (sizeof(struct passage) + name_len + 63) & ~(size_t)63;
    struct passage *p = aligned_alloc(64, size);

    if (!p) {
        return NULL;
    }
    *p = (struct passage){ .from = post->from, .to = post->to, .node = post->node };
    p->global = post->global;
    p->name_len = (uint32_t)name_len;
    if (name_len > 0) {
        memcpy(p->name, post->name, name_len);
    }
    p->far = rt->side->crossing->runtime[passage_scheduler(rt, post)];
    list_init(&p->idle);
    list_init(&p->waiting);
    list_init(&p->parked);
    list_init(&p->waiter.link);
    p->waiter.ready = passage_ready;
    if (map_insert(&rt->side->passages, hash, &p->by_pair) != 0) {
        free(p);
        return NULL;
    }
    return p;
}

static void passage_free(struct side *side, struct passage *p)
{
    map_remove(&side->passages, &p->by_pair);
    list_remove(&p->idle);
    free(p);
}

/* Nothing is under way: kept for the pair's next message, for a while. */
static void passage_rest(struct side *side, struct passage *p)
{
    list_append(&side->idle, &p->idle);
    if (++side->idle_count > LIMIT_PASSAGES_IDLE) {
        side->idle_count--;
        passage_free(side, list_entry(list_first(&side->idle), struct passage, idle));
    }
}

void passage_fini(struct runtime *rt)
{
    struct side *side = rt->side;
    struct list *l;

    while ((l = list_first(&side->idle))) {
        passage_free(side, list_entry(l, struct passage, idle));
    }
    must(side->passages.count == 0 && side->gate.count == 0 && side->dirty == 0);
}

/* ---- the sender's half ---- */

static bool passage_has_room(const struct passage *p, const struct passing *in)
{
    const struct post *post = &in->post;
    /* Another node may send what nobody has asked for. */
    bool asked = !in->waiter && !(post->flags & RUSM_UNORDERED);

    switch (asked ? (int)post->kind : RUSM_SEND) {
    case RUSM_SEND:
    case RUSM_CALL:
    case MESSAGE_LINK:
    case MESSAGE_MONITOR:
        return p->count == 0 ||
               (p->count < LIMIT_PASSAGE_MESSAGES && p->bytes + post->len <= LIMIT_PASSAGE_BYTES);
    case RUSM_REPLY: return p->count < LIMIT_MAILBOX_REPLIES;
    case RUSM_EXIT:
        return p->count < (post->len == 4 && memcmp(post->data, "kill", 4) == 0 ? PASSAGE_KILLS
                                                                                : PASSAGE_EXITS);
    default: return true; /* as many as there are links, monitors and calls */
    }
}

/* The node that it answers, which may have asked far too often; NULL: none of the kind. */
static struct node_name *passage_answered(const struct runtime *rt, const struct post *post)
{
    return post->answer && post->node != 0 ? nodes_at(&rt->nodes, post->node) : NULL;
}

static struct message *passage_message(struct runtime *rt, const struct passing *in)
{
    const struct post *post = &in->post;
    struct message *m = in->block ? message_new_block(rt->pool, in->block, post->len)
                                  : message_new(rt->pool, post->len);

    if (!m) {
        return NULL;
    }
    if (!in->block && post->len > 0) {
        memcpy(m->inside, post->data, post->len);
    }
    m->pub.kind = post->kind;
    m->pub.from = post->from;
    m->pub.ref = post->ref;
    m->flags =
        (uint8_t)((post->flags & RUSM_UNORDERED ? MESSAGE_UNORDERED : 0) |
                  (in->has_receipt ? MESSAGE_RECEIPT : 0) | (in->urgent ? MESSAGE_URGENT : 0) |
                  (passage_answered(rt, post) ? MESSAGE_ANSWER : 0));
    m->receipt = in->receipt;
    if (in->credit) {
        m->credit = in->credit;
        m->credit_bytes = in->credit_bytes;
        credit_hold(in->credit);
    }
    return m;
}

int passage_post(struct runtime *rt, const struct passing *in)
{
    const struct post *post = &in->post;
    struct side *side = rt->side;
    struct node_name *answered = passage_answered(rt, post);
    if (answered && answered->answers >= LIMIT_FAREWELLS) {
        return RUSM_ELIMIT;
    }
    uint64_t hash = passage_hash(side, post);
    struct map_node *found = map_find(&side->passages, hash, passage_eq, post);
    struct passage *p =
        found ? list_entry(found, struct passage, by_pair) : passage_new(rt, post, hash);

    if (!p) {
        return RUSM_ENOMEM;
    }
    if (!passage_has_room(p, in)) {
        if (in->waiter) {
            list_remove(&in->waiter->link);
            list_append(&p->waiting, &in->waiter->link);
        } else {
            p->refused = post->from.node == 0;
        }
        rt->counters.busy_local++;
        return RUSM_BUSY;
    }
    struct message *m = passage_message(rt, in);
    if (list_linked(&p->idle)) {
        list_remove(&p->idle);
        side->idle_count--;
    }
    if (!m) {
        if (p->count == 0) {
            passage_rest(side, p);
        }
        return RUSM_ENOMEM;
    }
    m->passage = p;
    p->count++;
    p->bytes += post->len;
    if (answered) {
        answered->answers++;
    }
    rt->counters.messages_local += post->node == 0 && post->kind <= RUSM_REPLY;
    crossing_out(side, p->far->index, m);
    return 0;
}

bool runtime_pass_waits(const struct runtime *rt, rusm_pid from, rusm_pid to)
{
    struct post post = { .from = from, .node = to.node, .to = to };
    uint64_t hash = passage_hash(rt->side, &post);
    struct map_node *found = map_find(&rt->side->passages, hash, passage_eq, &post);

    return found && !list_empty(&list_entry(found, struct passage, by_pair)->waiting);
}

/* Another node would not take it; what waits for an answer gets one. (That it was not delivered has
 * been counted.) */
static void passage_failed(struct runtime *rt, const struct passage *p, const struct message *m)
{
    struct rusm_process *from = roster_find(&rt->roster, p->from.serial);
    int err = m->pub.error;
    const char *reason = err == RUSM_ENOPROC   ? "noproc"
                         : err == RUSM_ENOCONN ? "noconnection"
                                               : rusm_strerror(err);

    if (!from) {
        return;
    }
    switch ((int)m->pub.kind) {
    case RUSM_CALL: call_refused(from, m->pub.ref, err, reason); break;
    case MESSAGE_MONITOR: monitor_refused(from, m->pub.ref, reason); break;
    case MESSAGE_LINK: link_refused(from, p->to, reason); break;
    default: break;
    }
}

/* There is room: whoever was told RUSM_BUSY may try again. */
static void passage_tell(struct runtime *rt, struct passage *p)
{
    struct list waiting;
    struct list *l;

    if (p->refused) {
        p->refused = false;
        runtime_writable(rt, p->from);
    }
    list_init(&waiting);
    list_move_all(&waiting, &p->waiting);
    while ((l = list_first(&waiting))) {
        struct waiter *w = list_entry(l, struct waiter, link);
        list_remove(l);
        w->ready(w);
    }
}

void passage_home(struct runtime *rt, struct message *m)
{
    struct passage *p = m->passage;

    if (m->pub.error) {
        passage_failed(rt, p, m);
    }
    p->count--;
    p->bytes -= m->pub.len;
    if (m->flags & MESSAGE_ANSWER) {
        nodes_at(&rt->nodes, p->node)->answers--;
    }
    message_free(rt->pool, m);
    if (p->count <= LIMIT_PASSAGE_MESSAGES / 2 &&
        (p->count == 0 || p->bytes <= LIMIT_PASSAGE_BYTES / 2)) {
        passage_tell(rt, p);
    }
    if (p->count == 0) {
        passage_rest(rt->side, p);
    }
}

/* ---- the far half ---- */

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
    bool trapped = kind == RUSM_EXIT && passage_traps(target, m);
    if (trapped && m->flags & MESSAGE_URGENT) {
        message_free(rt->pool, m);
        return 0;
    }
    if ((kind == RUSM_SEND || kind == RUSM_CALL || trapped) &&
        !process_has_room(target, m->pub.len)) {
        if (!(m->flags & MESSAGE_UNORDERED)) {
            process_wait_for(target, &p->waiter, m->pub.len);
            return RUSM_BUSY;
        }
        rt->counters.overflow++;
        passage_receipt(rt, m, RUSM_BUSY);
        message_free(rt->pool, m);
        return 0;
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

static void passage_ready(struct waiter *w)
{
    struct passage *p = list_entry(w, struct passage, waiter);

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
    return list_entry(node, struct passage, by_from)->from.serial == *(const uint64_t *)key;
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
            struct passage *p = list_entry(at, struct passage, parked);
            passage_ungate(side, p);
            list_append(&found, &p->parked);
        }
    } else {
        uint64_t hash = map_hash_u64(&side->gate, from.serial);
        struct map_node *node;
        while ((node = map_find(&side->gate, hash, passage_is_from, &from.serial))) {
            struct passage *p = list_entry(node, struct passage, by_from);
            passage_ungate(side, p);
            list_append(&found, &p->parked);
        }
    }
    while ((l = list_first(&found))) {
        list_remove(l);
        passage_drain(rt, list_entry(l, struct passage, parked));
    }
}

void runtime_ungate(struct runtime *rt)
{
    struct list *l;

    while ((l = list_first(&rt->side->gated))) {
        struct passage *p = list_entry(l, struct passage, parked);
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
        struct passage *p = list_entry(l, struct passage, parked);
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
