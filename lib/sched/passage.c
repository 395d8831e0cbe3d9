/* passage: see the header. The table, and the sender's half; the far half is in passage_far.c. Called by
 * sends and signals, and by the crossing for what comes home. */
#include "sched/passage_state.h"

#include <stdlib.h>
#include <string.h>
#include "actor/call.h"
#include "sched/crossing.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "actor/limits.h"
#include "sched/limits.h"
#include "base/must.h"

/* Exit signals have places of their own, as they may be what ends a process that is stuck; those
 * that kill have some more. Answers find room as in a mailbox. */
#define PASSAGE_EXITS (2 * LIMIT_PASSAGE_MESSAGES)
#define PASSAGE_KILLS (3 * LIMIT_PASSAGE_MESSAGES)

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
    const struct passage *p = container_of(node, struct passage, by_pair);
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
        passage_free(side, container_of(list_first(&side->idle), struct passage, idle));
    }
}

void passage_fini(struct runtime *rt)
{
    struct side *side = rt->side;
    struct list *l;

    while ((l = list_first(&side->idle))) {
        passage_free(side, container_of(l, struct passage, idle));
    }
    must(side->passages.count == 0 && side->gate.count == 0 && rt->gathered == 0);
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
        found ? container_of(found, struct passage, by_pair) : passage_new(rt, post, hash);

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

    return found && !list_empty(&container_of(found, struct passage, by_pair)->waiting);
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
        struct waiter *w = container_of(l, struct waiter, link);
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
