/* router: where the lanes meet the runtime. Records that come in go into mailboxes, or meet their
 * fate, which is counted. hooks.c does what goes out. Called by the peer room. */
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "node/exits.h"
#include "node/node.h"
#include "node/router.h"

/* The router's side of a lane that came in. */
struct route {
    struct waiter waiter; /* waits for room in the mailbox */
    struct peer *peer;
    struct lane_in *lane;
    struct rusm_process *process; /* valid while the runtime's epoch is `epoch` */
    uint64_t epoch;               /* UINT64_MAX: not resolved yet */
    uint64_t far;                 /* serial of a process of another scheduler; 0: it is not one */
    struct list asking;           /* in a grant queue while it asks for its turn */
    bool granted;                 /* this lane has its turn */
    uint64_t granted_to;          /* serial of the mailbox whose turn it has or waits for */
};

/* The large records of one peer for one mailbox. One at a time is under way, in order of asking.
 * Each peer has a queue of its own there, so what comes slowly of one peer holds up no other. */
struct grant_queue {
    struct map_node node; /* in the scheduler's map */
    const struct peer *peer;
    uint64_t serial;
    struct list asking;
};

/* As many spare routes as the peer room keeps spare lanes. */
#define SPARE_ROUTES 2048

void router_init(struct scheduler *s, uint64_t seed)
{
    pool_init(&s->routes, sizeof(struct route), SPARE_ROUTES);
    map_init(&s->grant_queues, seed);
}

void router_fini(struct scheduler *s)
{
    pool_fini(&s->routes);
    map_fini(&s->grant_queues);
}

static struct message *make_message(struct scheduler *s, const void *data, size_t len)
{
    struct message *m = message_new(runtime_pool(s->runtime), len);
    if (m && len) {
        memcpy(message_room(m), data, len);
    }
    return m;
}

/* ---- the targets of lanes ---- */

static struct rusm_process *resolve_route(struct scheduler *s, struct route *r)
{
    if (s->closed) {
        return NULL;
    }
    /* Changes of global names do not raise the runtime's epoch, nor do names that other schedulers
     * give. */
    if (r->epoch != runtime_epoch(s->runtime) || r->lane->to.kind == TARGET_GLOBAL ||
        s->node->scheduler_count > 1) {
        r->process = service_find(&s->service, &r->lane->to, &r->far);
        r->epoch = runtime_epoch(s->runtime);
    }
    return r->process;
}

/* ---- the turns of large records ---- */

static bool grant_queue_is(const struct map_node *n, const void *key)
{
    const struct grant_queue *queue = container_of(n, struct grant_queue, node), *k = key;
    return queue->serial == k->serial && queue->peer == k->peer;
}

static uint64_t grant_queue_hash(const struct scheduler *s, const struct grant_queue *queue)
{
    return map_hash_u64(&s->grant_queues, queue->serial ^ (uint64_t)(uintptr_t)queue->peer);
}

static struct grant_queue *grant_queue_find(const struct scheduler *s, const struct peer *peer,
                                            uint64_t serial)
{
    const struct grant_queue key = { .peer = peer, .serial = serial };
    struct map_node *n =
        map_find(&s->grant_queues, grant_queue_hash(s, &key), grant_queue_is, &key);
    return n ? container_of(n, struct grant_queue, node) : NULL;
}

/* Returns the new queue, or NULL without memory. */
static struct grant_queue *grant_queue_new(struct scheduler *s, const struct peer *peer,
                                           uint64_t serial)
{
    struct grant_queue *queue = calloc(1, sizeof(*queue));
    if (!queue) {
        return NULL;
    }
    queue->peer = peer;
    queue->serial = serial;
    list_init(&queue->asking);
    if (map_insert(&s->grant_queues, grant_queue_hash(s, queue), &queue->node) == 0) {
        return queue;
    }
    free(queue);
    return NULL;
}

bool router_stuck(struct connection *c, rusm_pid from, uint64_t serial)
{
    struct scheduler *s = c->scheduler;
    const struct rusm_process *process = runtime_find(s->runtime, serial);
    rusm_pid to = { .serial = serial, .incarnation = s->node->incarnation };
    if (grant_queue_find(s, c->peer, serial)) {
        return true;
    }
    return process ? !process_has_room(process, 0)
                   : runtime_whose(s->runtime, serial) != s->index &&
                         runtime_pass_waits(s->runtime, from, to);
}

/* Gives the turn to the next lane that asks, if any. */
static void grant_queue_next(struct scheduler *s, const struct peer *peer, uint64_t serial)
{
    struct grant_queue *queue = grant_queue_find(s, peer, serial);
    if (!queue) {
        return;
    }
    struct list *first = list_first(&queue->asking);
    if (!first) {
        map_remove(&s->grant_queues, &queue->node);
        free(queue);
        return;
    }
    struct route *r = container_of(first, struct route, asking);
    list_remove(first);
    r->granted = true;
    peer_lane_grant(r->peer, r->lane);
}

/* The lane's turn is over, or the lane needs none any more. Others go on. */
static void grant_over(struct scheduler *s, struct route *r)
{
    list_remove(&r->asking);
    if (r->granted) {
        r->granted = false;
        grant_queue_next(s, r->peer, r->granted_to);
    }
}

/* ---- lanes that come in ---- */

static void route_ready(struct waiter *w)
{
    struct route *r = container_of(w, struct route, waiter);
    peer_lane_resume(r->peer, r->lane);
}

void router_lane_opened(void *context, struct peer *p, struct lane_in *lane)
{
    struct scheduler *s = context;
    struct route *r = pool_take(&s->routes);
    lane->user = r;
    if (!r) {
        return; /* its records find no route: they are discarded as without a receiver */
    }
    *r = (struct route){ 0 };
    list_init(&r->waiter.link);
    list_init(&r->asking);
    r->waiter.ready = route_ready;
    r->epoch = UINT64_MAX;
    r->peer = p;
    r->lane = lane;
}

void router_lane_closed(void *context, struct peer *p, struct lane_in *lane)
{
    struct scheduler *s = context;
    struct route *r = lane->user;
    (void)p;
    if (!r) {
        return;
    }
    list_remove(&r->waiter.link);
    lane->user = NULL;
    grant_over(s, r);
    pool_give(&s->routes, r);
}

void router_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause)
{
    struct scheduler *s = context;
    struct connection *c = connection_of(p);
    if (cause == RUSM_ETOOLARGE) {
        s->causes.too_large++;
    } else if (cause == RUSM_BUSY) {
        s->causes.overflow++;
    } else {
        s->causes.noconnection++;
    }
    log_debug(&s->node->log, "lane %llu from %s ended before its last message: %s",
              (unsigned long long)lane->ordinal, c->address, rusm_strerror(cause));
}

/* ---- records that come in ---- */

static void receipt(struct peer *p, const struct record *record, int error)
{
    if (record->has_receipt) {
        peer_send_receipt(p, record->receipt, (uint64_t)-error);
    }
}

static rusm_pid sender(const struct peer *p, const struct lane_in *lane)
{
    const struct connection *c = connection_of(p);
    return (rusm_pid){ .serial = lane->from, .node = c->index, .incarnation = c->incarnation };
}

static bool is_message(const struct record *record)
{
    return record->kind <= RECORD_EXIT || record->kind == RECORD_DOWN ||
           record->kind == RECORD_LINK_EXIT;
}

/* Handles a record of a link or monitor, which takes no room. process NULL: nobody is there. */
static enum delivery deliver_signal(struct scheduler *s, struct peer *p, struct lane_in *lane,
                                    struct rusm_process *process, const struct record *record)
{
    rusm_pid to = { .serial = lane->to.kind == TARGET_PID ? lane->to.serial : 0,
                    .incarnation = s->node->incarnation };
    int error = runtime_signal(s->runtime, process, to, (enum rusm_kind)record->kind,
                               sender(p, lane), record->ref);
    receipt(p, record, error);
    return DELIVERY_DISCARDED;
}

/* Handles a record whose target does not exist. Answers a link, a monitor or a call, and counts
 * messages. */
static enum delivery nobody(struct scheduler *s, struct peer *p, struct lane_in *lane,
                            const struct record *record)
{
    if (!is_message(record)) {
        return deliver_signal(s, p, lane, NULL, record);
    }
    if (record->kind == RECORD_SEND || record->kind == RECORD_CALL) {
        s->causes.noproc++;
    }
    if (record->kind == RECORD_CALL) { /* a call is a monitor too */
        return deliver_signal(s, p, lane, NULL, record);
    }
    if (record->kind == RECORD_EXIT && record->has_ref) {
        exits_record(connection_of(p), record->ref);
    }
    receipt(p, record, RUSM_ENOPROC);
    return DELIVERY_DISCARDED;
}

/* Passes a record on to a process of another scheduler. The channel to that scheduler is one more
 * stretch of the lane, with a window of its own. The lane's credit comes back when the process
 * takes the message. */
static enum delivery deliver_far(struct scheduler *s, struct route *r, const struct record *record,
                                 const uint8_t *payload, void *block, uint32_t wire_bytes)
{
    struct lane_in *lane = r->lane;
    bool message = is_message(record);
    struct passing in = {
        .post = { .from = sender(r->peer, lane),
                  .to = { .serial = r->far, .incarnation = s->node->incarnation },
                  .kind = (enum rusm_kind)record->kind,
                  .ref = record->ref,
                  .data = payload,
                  .len = (size_t)record->payload_len,
                  .flags = lane->unordered ? RUSM_UNORDERED : 0 },
        .block = block,
        .credit = message ? peer_lane_credit(lane) : NULL,
        .credit_bytes = wire_bytes,
        .has_receipt = record->has_receipt,
        .receipt = record->receipt,
        .waiter = lane->unordered ? NULL : &r->waiter,
    };
    int error = runtime_pass(s->runtime, &in);
    if (error == RUSM_BUSY && !lane->unordered) {
        exits_stuck(connection_of(r->peer), lane->from, r->far);
        return DELIVERY_HOLD;
    }
    if (record->kind == RECORD_EXIT && record->has_ref) {
        exits_record(connection_of(r->peer), record->ref);
    }
    if (!error) {
        return message ? DELIVERY_TAKEN : DELIVERY_DISCARDED;
    }
    s->causes.overflow += message;
    receipt(r->peer, record, error);
    return DELIVERY_DISCARDED;
}

enum delivery router_deliver(void *context, struct peer *p, struct lane_in *lane,
                             const struct record *record, const uint8_t *payload, void *block,
                             uint32_t wire_bytes)
{
    struct scheduler *s = context;
    struct route *r = lane->user;
    struct rusm_process *process = r ? resolve_route(s, r) : NULL;
    if (!process && r && r->far) {
        return deliver_far(s, r, record, payload, block, wire_bytes);
    }
    if (!process) {
        return nobody(s, p, lane, record);
    }
    if (!is_message(record)) {
        return deliver_signal(s, p, lane, process, record);
    }
    struct arrival arrival = { .kind = (enum rusm_kind)record->kind,
                               .data = payload,
                               .len = (size_t)record->payload_len,
                               .from = sender(p, lane),
                               .unordered = lane->unordered };
    switch (process_admit(process, &arrival, &r->waiter)) {
    case ADMIT_HOLD:
        exits_stuck(connection_of(p), lane->from, process_serial(process));
        return DELIVERY_HOLD;
    case ADMIT_REFUSE:
        s->causes.overflow++;
        receipt(p, record, RUSM_BUSY);
        return DELIVERY_DISCARDED;
    default: break; /* nothing in a lane is urgent: there is no ADMIT_DROP */
    }
    struct message *m =
        block ? message_new_block(runtime_pool(s->runtime), block, (size_t)record->payload_len)
              : make_message(s, payload, (size_t)record->payload_len);
    if (!m) {
        s->causes.overflow++;
        receipt(p, record, RUSM_ENOMEM);
        return DELIVERY_DISCARDED;
    }
    m->pub.kind = (enum rusm_kind)record->kind;
    m->pub.from = arrival.from;
    m->pub.ref = record->ref;
    m->credit = peer_lane_credit(lane);
    m->credit_bytes = wire_bytes;
    credit_hold(m->credit);
    if (record->kind == RECORD_EXIT && record->has_ref) {
        exits_record(connection_of(p), record->ref);
    }
    process_deliver(process, m);
    receipt(p, record, 0);
    return DELIVERY_TAKEN;
}

int router_grant(void *context, struct peer *p, struct lane_in *lane, const struct record *record)
{
    struct scheduler *s = context;
    struct route *r = lane->user;
    struct rusm_process *process = r ? resolve_route(s, r) : NULL;
    if (!process && !(r && r->far)) {
        nobody(s, p, lane, record);
        return RUSM_ENOPROC;
    }
    uint64_t serial = process ? process_serial(process) : r->far;
    struct grant_queue *queue = grant_queue_find(s, p, serial);
    r->granted_to = serial;
    if (queue) {
        list_append(&queue->asking, &r->asking);
        exits_stuck(connection_of(p), lane->from, serial);
        return 0;
    }
    if (!grant_queue_new(s, p, serial)) {
        s->causes.overflow++;
        receipt(p, record, RUSM_ENOMEM);
        return RUSM_ENOMEM;
    }
    r->granted = true;
    return 1;
}

void router_grant_done(void *context, struct peer *p, struct lane_in *lane)
{
    (void)p;
    if (lane->user) {
        grant_over(context, lane->user);
    }
}

/* ---- upcalls of the peer room ---- */

void router_writable(void *context, struct peer *p, uint64_t from)
{
    struct scheduler *s = context;
    (void)p;
    runtime_writable(s->runtime, (rusm_pid){ .serial = from, .incarnation = s->node->incarnation });
}

void router_refused(void *context, struct peer *p, uint64_t from, uint64_t records, int cause)
{
    struct scheduler *s = context;
    const struct connection *c = connection_of(p);
    if (records > 0 && c->member) {
        runtime_gap(s->runtime, from, records);
        runtime_gaps_tell(s->runtime, c->index, c->incarnation, cause);
    }
    switch (cause) {
    case RUSM_ENOPROC: s->causes.noproc += records; break;
    case RUSM_BUSY: s->causes.overflow += records; break;
    case RUSM_ETOOLARGE: s->causes.too_large += records; break;
    default: s->causes.malformed += records;
    }
}
