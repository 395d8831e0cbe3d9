/* channel: see the header. This file has the table and the sender's half. channel_far.c has the far
 * half. Sends and signals call this file. The bridge calls it for messages that come home. */
#include "sched/channel_state.h"

#include <stdlib.h>
#include <string.h>
#include "actor/call.h"
#include "sched/bridge.h"
#include "actor/link.h"
#include "actor/monitor.h"
#include "actor/process.h"
#include "actor/limits.h"
#include "sched/limits.h"
#include "base/must.h"

/* Counts below which a channel takes exit signals. They are higher than for messages, because an
 * exit signal may be what ends a process that is stuck. Signals that kill have more places still.
 * Replies find room as in a mailbox. */
#define CHANNEL_EXITS (2 * LIMIT_CHANNEL_MESSAGES)
#define CHANNEL_KILLS (3 * LIMIT_CHANNEL_MESSAGES)

/* ---- the table ---- */

static uint64_t channel_hash(const struct side *side, const struct post *post)
{
    const struct map *m = &side->channels;
    uint64_t from = map_hash_u64(m, post->from.serial ^ (uint64_t)post->from.node << 40);
    uint64_t to = post->to.serial ? map_hash_u64(m, post->to.serial)
                                  : map_hash_bytes(m, post->name, post->name_len);

    return map_hash_u64(m, from ^ to ^ post->node);
}

static bool channel_eq(const struct map_node *node, const void *key)
{
    const struct channel *p = container_of(node, struct channel, by_pair);
    const struct post *post = key;

    return rusm_pid_eq(p->from, post->from) && p->node == post->node && p->global == post->global &&
           p->to.serial == post->to.serial && p->to.incarnation == post->to.incarnation &&
           (post->to.serial ||
            (p->name_len == post->name_len && memcmp(p->name, post->name, post->name_len) == 0));
}

static unsigned channel_scheduler(const struct runtime *rt, const struct post *post)
{
    return post->node == 0 ? (unsigned)(post->to.serial & rt->mask)
                           : runtime_node_scheduler(rt, post->node);
}

static struct channel *channel_new(struct runtime *rt, const struct post *post, uint64_t hash)
{
    size_t name_len = post->to.serial ? 0 : post->name_len;
    size_t size = (sizeof(struct channel) + name_len + 63) & ~(size_t)63;
    struct channel *p = aligned_alloc(64, size);

    if (!p) {
        return NULL;
    }
    *p = (struct channel){ .from = post->from, .to = post->to, .node = post->node };
    p->global = post->global;
    p->name_len = (uint32_t)name_len;
    if (name_len > 0) {
        memcpy(p->name, post->name, name_len);
    }
    p->far = rt->side->bridge->runtime[channel_scheduler(rt, post)];
    list_init(&p->idle);
    list_init(&p->waiting);
    list_init(&p->parked);
    list_init(&p->waiter.link);
    p->waiter.ready = channel_ready;
    if (map_insert(&rt->side->channels, hash, &p->by_pair) != 0) {
        free(p);
        return NULL;
    }
    return p;
}

static void channel_free(struct side *side, struct channel *p)
{
    map_remove(&side->channels, &p->by_pair);
    list_remove(&p->idle);
    free(p);
}

/* Keeps a channel with nothing under way for the pair's next message. Frees the oldest such channel
 * if there are too many. */
static void channel_rest(struct side *side, struct channel *p)
{
    list_append(&side->idle, &p->idle);
    if (++side->idle_count > LIMIT_CHANNELS_IDLE) {
        side->idle_count--;
        channel_free(side, container_of(list_first(&side->idle), struct channel, idle));
    }
}

void channel_fini(struct runtime *rt)
{
    struct side *side = rt->side;
    struct list *l;

    while ((l = list_first(&side->idle))) {
        channel_free(side, container_of(l, struct channel, idle));
    }
    must(side->channels.count == 0 && side->http.count == 0 && rt->gathered == 0);
}

/* ---- the sender's half ---- */

static bool channel_has_room(const struct channel *p, const struct passing *in)
{
    const struct post *post = &in->post;
    /* A post with a waiter comes from another node, which may send what nobody has asked for. */
    bool asked = !in->waiter && !(post->flags & RUSM_UNORDERED);

    switch (asked ? (int)post->kind : RUSM_SEND) {
    case RUSM_SEND:
    case RUSM_CALL:
    case MESSAGE_LINK:
    case MESSAGE_MONITOR:
        return p->count == 0 ||
               (p->count < LIMIT_CHANNEL_MESSAGES && p->bytes + post->len <= LIMIT_CHANNEL_BYTES);
    case RUSM_REPLY: return p->count < LIMIT_MAILBOX_REPLIES;
    case RUSM_EXIT:
        return p->count < (post->len == 4 && memcmp(post->data, "kill", 4) == 0 ? CHANNEL_KILLS
                                                                                : CHANNEL_EXITS);
    default: return true; /* never more than there are links, monitors and calls */
    }
}

/* Returns the node whose request the post answers, or NULL if the post is no such answer. That node
 * may have asked far too often, so its answers are counted. */
static struct node_name *channel_answered(const struct runtime *rt, const struct post *post)
{
    return post->answer && post->node != 0 ? nodes_at(&rt->nodes, post->node) : NULL;
}

static struct message *channel_message(struct runtime *rt, const struct passing *in)
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
                  (channel_answered(rt, post) ? MESSAGE_ANSWER : 0));
    m->receipt = in->receipt;
    if (in->credit) {
        m->credit = in->credit;
        m->credit_bytes = in->credit_bytes;
        credit_hold(in->credit);
    }
    return m;
}

int channel_post(struct runtime *rt, const struct passing *in)
{
    const struct post *post = &in->post;
    struct side *side = rt->side;
    struct node_name *answered = channel_answered(rt, post);
    if (answered && answered->answers >= LIMIT_EXIT_NOTICES) {
        return RUSM_ELIMIT;
    }
    uint64_t hash = channel_hash(side, post);
    struct map_node *found = map_find(&side->channels, hash, channel_eq, post);
    struct channel *p =
        found ? container_of(found, struct channel, by_pair) : channel_new(rt, post, hash);

    if (!p) {
        return RUSM_ENOMEM;
    }
    if (!channel_has_room(p, in)) {
        if (in->waiter) {
            list_remove(&in->waiter->link);
            list_append(&p->waiting, &in->waiter->link);
        } else {
            p->refused = post->from.node == 0;
        }
        rt->counters.busy_local++;
        return RUSM_BUSY;
    }
    struct message *m = channel_message(rt, in);
    if (list_linked(&p->idle)) {
        list_remove(&p->idle);
        side->idle_count--;
    }
    if (!m) {
        if (p->count == 0) {
            channel_rest(side, p);
        }
        return RUSM_ENOMEM;
    }
    m->channel = p;
    p->count++;
    p->bytes += post->len;
    if (answered) {
        answered->answers++;
    }
    rt->counters.messages_local += post->node == 0 && post->kind <= RUSM_REPLY;
    bridge_out(side, p->far->index, m);
    return 0;
}

bool runtime_pass_waits(const struct runtime *rt, rusm_pid from, rusm_pid to)
{
    struct post post = { .from = from, .node = to.node, .to = to };
    uint64_t hash = channel_hash(rt->side, &post);
    struct map_node *found = map_find(&rt->side->channels, hash, channel_eq, &post);

    return found && !list_empty(&container_of(found, struct channel, by_pair)->waiting);
}

/* Answers whoever waits for an answer to a message that another node did not take. The message has
 * been counted as undelivered already. */
static void channel_failed(struct runtime *rt, const struct channel *p, const struct message *m)
{
    struct rusm_process *from = process_table_find(&rt->processes_by_serial, p->from.serial);
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

/* Tells everybody who got RUSM_BUSY that there is room to try again. */
static void channel_tell(struct runtime *rt, struct channel *p)
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

void channel_home(struct runtime *rt, struct message *m)
{
    struct channel *p = m->channel;

    if (m->pub.error) {
        channel_failed(rt, p, m);
    }
    p->count--;
    p->bytes -= m->pub.len;
    if (m->flags & MESSAGE_ANSWER) {
        nodes_at(&rt->nodes, p->node)->answers--;
    }
    message_free(rt->pool, m);
    if (p->count <= LIMIT_CHANNEL_MESSAGES / 2 &&
        (p->count == 0 || p->bytes <= LIMIT_CHANNEL_BYTES / 2)) {
        channel_tell(rt, p);
    }
    if (p->count == 0) {
        channel_rest(rt->side, p);
    }
}
