/* channel_far: the far half of a channel. It puts messages into mailboxes or posts them to other
 * nodes. See channel.h. The bridge calls it for what arrives, and the runtime when there is
 * room. */
#include "sched/channel_state.h"
#include "actor/process.h"
#include "actor/process_table.h"

static void channel_receipt(struct runtime *rt, const struct message *m, int err)
{
    if (m->flags & MESSAGE_RECEIPT) {
        /* Without memory for the note, whoever asked waits in vain, as for a receipt that is
         * lost. */
        (void)bridge_note(rt, m->home, NOTE_RECEIPT, m->pub.from, m->receipt, err, NULL);
    }
}

/* Handles a message to a process that does not exist: counts it if it is a message, and answers
 * whoever asked for something. Returns 0. */
static int channel_nobody(struct runtime *rt, struct channel *p, struct message *m)
{
    enum rusm_kind kind = m->pub.kind;

    if (kind == RUSM_SEND || kind == RUSM_CALL) {
        rt->counters.noproc_local++;
    }
    if (kind != RUSM_SEND) {
        (void)runtime_signal(rt, NULL, p->to, kind, m->pub.from, m->pub.ref);
    }
    channel_receipt(rt, m, RUSM_ENOPROC);
    message_free(rt->pool, m);
    return 0;
}

static bool channel_is_signal(enum rusm_kind kind)
{
    return (kind >= MESSAGE_LINK && kind <= MESSAGE_DEMONITOR) || kind == MESSAGE_UNLINKED;
}

static bool channel_traps(const struct rusm_process *target, const struct message *m)
{
    return process_traps(target, (const char *)m->pub.data, m->pub.len);
}

/* Puts a message into a mailbox, or lets a signal act. Returns RUSM_BUSY if there is no room, else
 * 0. Takes M unless it returns RUSM_BUSY. */
static int channel_deliver(struct runtime *rt, struct channel *p, struct message *m)
{
    struct rusm_process *target = process_table_find(&rt->processes_by_serial, p->to.serial);
    enum rusm_kind kind = m->pub.kind;

    if (!target) {
        return channel_nobody(rt, p, m);
    }
    if (channel_is_signal(kind)) {
        int err = runtime_signal(rt, target, p->to, kind, m->pub.from, m->pub.ref);
        channel_receipt(rt, m, err);
        message_free(rt->pool, m);
        return 0;
    }
    struct arrival arrival = { .kind = kind,
                               .data = m->pub.data,
                               .len = m->pub.len,
                               .from = m->pub.from,
                               .unordered = m->flags & MESSAGE_UNORDERED,
                               .urgent = m->flags & MESSAGE_URGENT };
    switch (process_admit(target, &arrival, &p->waiter)) {
    case ADMIT_TAKE: break;
    case ADMIT_HOLD: return RUSM_BUSY;
    case ADMIT_REFUSE:
        rt->counters.overflow++;
        channel_receipt(rt, m, RUSM_BUSY);
        message_free(rt->pool, m);
        return 0;
    case ADMIT_DROP: message_free(rt->pool, m); return 0;
    }
    channel_receipt(rt, m, 0);
    process_deliver(target, m);
    return 0;
}

/* Posts a message of another scheduler's process to another node, as if the process were one of
 * this scheduler. Returns RUSM_BUSY if the node takes no more now, else 0. Takes M unless it
 * returns RUSM_BUSY. */
static int channel_post_on(struct runtime *rt, struct channel *p, struct message *m)
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
            channel_receipt(rt, m, err); /* else that node gives the receipt */
        }
        m->pub.error = err;
        message_free(rt->pool, m);
    }
    return err == RUSM_BUSY ? err : 0;
}

static int channel_try(struct runtime *rt, struct channel *p, struct message *m)
{
    return p->node == 0 ? channel_deliver(rt, p, m) : channel_post_on(rt, p, m);
}

/* Notes that the messages of P wait, so that they are tried again when there is room. */
static void channel_park(struct runtime *rt, struct channel *p)
{
    struct side *side = rt->side;

    if (p->node == 0) {
        list_append(&side->parked, &p->parked); /* its waiter waits at the mailbox */
        return;
    }
    list_append(&side->blocked, &p->parked);
    /* Without memory for the entry, P is found when all senders are told. */
    p->mapped =
        map_insert(&side->http, map_hash_u64(&side->http, p->from.serial), &p->by_from) == 0;
}

/* Tries the messages that wait, in order, until one has to wait on. */
static void channel_drain(struct runtime *rt, struct channel *p)
{
    struct message *m;

    while ((m = p->head)) {
        struct message *next = m->next;
        if (channel_try(rt, p, m) == RUSM_BUSY) {
            m->next = next;
            channel_park(rt, p);
            return;
        }
        p->head = next;
    }
}

void channel_ready(struct waiter *w)
{
    struct channel *p = container_of(w, struct channel, waiter);

    list_remove(&p->parked);
    channel_drain(p->far, p);
}

/* Does M go ahead of the messages that wait? An exit signal that is not trapped does. It ends the
 * process that the others wait for. Urgent and unordered messages do not wait either. */
static bool channel_cuts(const struct runtime *rt, const struct channel *p, const struct message *m)
{
    const struct rusm_process *target =
        m->pub.kind == RUSM_EXIT && p->node == 0
            ? process_table_find(&rt->processes_by_serial, p->to.serial)
            : NULL;

    return (target && (m->flags & MESSAGE_URGENT || !channel_traps(target, m))) ||
           (m->flags & MESSAGE_UNORDERED && p->node == 0);
}

void channel_arrive(struct runtime *rt, struct message *m)
{
    struct channel *p = m->channel;

    if (p->head && !channel_cuts(rt, p, m)) {
        p->tail->next = m;
        p->tail = m;
        m->next = NULL;
        return;
    }
    if (channel_try(rt, p, m) == RUSM_BUSY) {
        p->head = p->tail = m;
        m->next = NULL;
        channel_park(rt, p);
    }
}

/* ---- other nodes ---- */

static bool channel_is_from(const struct map_node *node, const void *key)
{
    return container_of(node, struct channel, by_from)->from.serial == *(const uint64_t *)key;
}

static void channel_give_up(struct side *side, struct channel *p)
{
    list_remove(&p->parked);
    if (p->mapped) {
        map_remove(&side->http, &p->by_from);
        p->mapped = false;
    }
}

void channel_writable(struct runtime *rt, rusm_pid from)
{
    struct side *side = rt->side;
    struct list found;
    struct list *l;

    list_init(&found);
    if (from.serial == 0) {
        list_each_safe(at, &side->blocked) {
            struct channel *p = container_of(at, struct channel, parked);
            channel_give_up(side, p);
            list_append(&found, &p->parked);
        }
    } else {
        uint64_t hash = map_hash_u64(&side->http, from.serial);
        struct map_node *node;
        while ((node = map_find(&side->http, hash, channel_is_from, &from.serial))) {
            struct channel *p = container_of(node, struct channel, by_from);
            channel_give_up(side, p);
            list_append(&found, &p->parked);
        }
    }
    while ((l = list_first(&found))) {
        list_remove(l);
        channel_drain(rt, container_of(l, struct channel, parked));
    }
}

void runtime_give_up_channels(struct runtime *rt)
{
    struct list *l;

    while ((l = list_first(&rt->side->blocked))) {
        struct channel *p = container_of(l, struct channel, parked);
        channel_give_up(rt->side, p);
        while (p->head) {
            struct message *m = p->head;
            p->head = m->next;
            rt->counters.noconnection++;
            m->pub.error = RUSM_ENOCONN;
            message_free(rt->pool, m);
        }
    }
}

void channel_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation)
{
    list_each_safe(l, &rt->side->parked) {
        struct channel *p = container_of(l, struct channel, parked);
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
