/* router: where the runtime meets the lanes. Posts of our processes go out on their peer's lanes;
 * records that came in go into mailboxes, or meet their fate, which is counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/must.h"
#include "node/gate.h"
#include "node/node.h"

/* The router's side of a lane that came in. */
struct route {
    struct waiter waiter; /* first; waits for room in the mailbox */
    struct peer *peer;
    struct lane_in *lane;
    struct rusm_process *process; /* valid while the runtime's epoch is `epoch` */
    uint64_t epoch;               /* UINT64_MAX: not resolved yet */
    uint64_t far;                 /* serial of a sibling's process, if it is one; else 0 */
    struct list asking;           /* in a grants' list, or with its turn in the starved list */
    bool turn;                    /* the mailbox's turn is ours */
    uint64_t granted_to;          /* serial of the mailbox whose turn we have or wait for */
    uint64_t len;                 /* of the record that asks */
};

/* A mailbox with a large record under way: one at a time, in order of asking. */
struct grants {
    struct map_node node;
    uint64_t serial;
    struct list asking;
};

/* As many spare as the peer room keeps lanes. */
#define SPARE_ROUTES 2048

void router_init(struct rusm_node *node, uint64_t seed)
{
    pool_init(&node->routes, sizeof(struct route), SPARE_ROUTES);
    map_init(&node->grants, seed);
}

void router_fini(struct rusm_node *node)
{
    pool_fini(&node->routes);
    map_fini(&node->grants);
}

/* ---- out ---- */

/* A global name: here, or on its holder's node. */
static int post_global(struct rusm_node *node, const struct post *post, struct parcel *parcel,
                       uint32_t *index)
{
    struct registry_holder holder;
    if (globals_whereis(node, post->name, post->name_len, &holder) != 0) {
        node->causes.noproc++;
        return RUSM_ENOPROC;
    }
    if (holder.node == 0)
        return runtime_post_here(node->runtime, post, holder.serial);
    *index = holder.node;
    parcel->to =
        (struct target){ .kind = TARGET_GLOBAL, .name = post->name, .name_len = post->name_len };
    return 1;
}

static int hook_post(void *context, const struct post *post)
{
    struct rusm_node *node = context;
    uint32_t index = post->node;
    struct parcel parcel = { .from = post->from.serial,
                             .kind = (uint8_t)post->kind,
                             .unordered = post->flags & RUSM_UNORDERED,
                             .ref = post->ref,
                             .data = post->data,
                             .len = post->len };
    parcel.has_ref = record_has_ref(parcel.kind);
    if (post->node == RUSM_GLOBAL) {
        int found = post_global(node, post, &parcel, &index);
        if (found <= 0)
            return found;
    } else if (post->to.serial) {
        parcel.to = (struct target){ .kind = TARGET_PID,
                                     .serial = post->to.serial,
                                     .incarnation = post->to.incarnation };
    } else {
        parcel.to =
            (struct target){ .kind = TARGET_NAME, .name = post->name, .name_len = post->name_len };
    }
    struct connection *c = connection_find(node, index);
    if (!c) {
        node->causes.noconnection++;
        return RUSM_ENOCONN;
    }
    if (parcel.to.kind == TARGET_PID) {
        if (parcel.to.incarnation == 0)
            parcel.to.incarnation = c->incarnation;
        if (parcel.to.incarnation != c->incarnation) { /* of an earlier start: never reaches this */
            node->causes.noproc++;
            return RUSM_ENOPROC;
        }
    }
    if (post->kind == RUSM_EXIT && (parcel.ref = exits_ref(c, post)) != 0)
        parcel.has_ref = true;
    int error = peer_send(c->peer, &parcel, node->now_ns);
    if (post->kind == RUSM_EXIT && !error && parcel.has_ref)
        exits_send(c, post, parcel.ref, parcel.to.incarnation);
    if (error == RUSM_ETOOLARGE)
        node->causes.too_large++;
    if (error != RUSM_ECLOSED && error != RUSM_ENOCONN)
        return error;
    node->causes.noconnection++; /* it is about to end */
    return RUSM_ENOCONN;
}

static void hook_give_up(void *context, uint32_t index)
{
    struct connection *c = connection_find(context, index);
    if (c)
        peer_close(c->peer, CLOSE_LIMIT, "signals not taken");
}

/* ---- messages made here ---- */

void router_answer(struct rusm_node *node, uint64_t serial, enum rusm_kind kind, int error,
                   rusm_pid from, uint64_t ref, const char *text)
{
    if (node->runtime)
        runtime_answer(node->runtime, serial, kind, error, from, ref, text);
}

static struct message *make_message(struct rusm_node *node, const void *data, size_t len)
{
    struct message *m = message_new(runtime_pool(node->runtime), len);
    if (m && len)
        memcpy(message_room(m), data, len);
    return m;
}

/* ---- in: targets ---- */

/* By its serial; *far is set if that is a sibling's. */
static struct rusm_process *target_process(struct rusm_node *node, uint64_t serial, uint64_t *far)
{
    if (runtime_whose(node->runtime, serial) != 0)
        *far = serial;
    return *far ? NULL : runtime_find(node->runtime, serial);
}

struct rusm_process *router_target(struct rusm_node *node, const struct target *target,
                                   uint64_t *far)
{
    struct registry_holder holder;
    struct rusm_process *here;
    *far = 0;
    if (!node->runtime)
        return NULL;
    switch (target->kind) {
    case TARGET_PID:
        if (target->incarnation != node->incarnation)
            return NULL;
        return target_process(node, target->serial, far);
    case TARGET_NAME:
        here = runtime_find_name(node->runtime, target->name, target->name_len, far);
        if (here)
            *far = 0;
        return here;
    case TARGET_GLOBAL:
        if (globals_whereis(node, target->name, target->name_len, &holder) != 0 || holder.node != 0)
            return NULL;
        return target_process(node, holder.serial, far);
    }
    return NULL;
}

static struct rusm_process *resolve_route(struct rusm_node *node, struct route *r)
{
    if (!node->runtime)
        return NULL;
    /* Global names change without the runtime's epoch, as do those that siblings give. */
    if (r->epoch != runtime_epoch(node->runtime) || r->lane->to.kind == TARGET_GLOBAL ||
        node->schedulers > 1) {
        r->process = router_target(node, &r->lane->to, &r->far);
        r->epoch = runtime_epoch(node->runtime);
    }
    return r->process;
}

/* ---- grants ---- */

static bool grants_is(const struct map_node *n, const void *key)
{
    return ((const struct grants *)(const void *)n)->serial == *(const uint64_t *)key;
}

static struct grants *grants_find(struct rusm_node *node, uint64_t serial)
{
    return (struct grants *)(void *)map_find(&node->grants, map_hash_u64(&node->grants, serial),
                                             grants_is, &serial);
}

bool router_stuck(struct rusm_node *node, rusm_pid from, uint64_t serial)
{
    const struct rusm_process *process = runtime_find(node->runtime, serial);
    rusm_pid to = { .serial = serial, .incarnation = node->incarnation };
    if (grants_find(node, serial))
        return true;
    return process ? !process_has_room(process, 0)
                   : runtime_whose(node->runtime, serial) != 0 &&
                         runtime_pass_waits(node->runtime, from, to);
}

/* The turn is ours; now the node's budget, first come, first served. 1 or 0: later. */
static int grants_spend(struct rusm_node *node, struct route *r)
{
    r->turn = true;
    if (!list_empty(&node->grants_starved) || node->budget.grants_left < r->len) {
        list_append(&node->grants_starved, &r->asking);
        return 0;
    }
    node->budget.grants_left -= r->len;
    return 1;
}

/* That mailbox's turn goes to the next who asks, if any. */
static void grants_next(struct rusm_node *node, uint64_t serial)
{
    struct grants *g = grants_find(node, serial);
    if (!g)
        return;
    struct list *first = list_first(&g->asking);
    if (!first) {
        map_remove(&node->grants, &g->node);
        free(g);
        return;
    }
    struct route *r = list_entry(first, struct route, asking);
    list_remove(first);
    if (grants_spend(node, r) > 0)
        peer_lane_grant(r->peer, r->lane);
}

/* The turn is over, or its lane will not need one: others go on. */
static void grants_give_up(struct rusm_node *node, struct route *r)
{
    list_remove(&r->asking);
    if (r->turn) {
        r->turn = false;
        grants_next(node, r->granted_to);
    }
    while (!list_empty(&node->grants_starved)) {
        struct list *first = list_first(&node->grants_starved);
        struct route *next = list_entry(first, struct route, asking);
        if (node->budget.grants_left < next->len)
            break;
        list_remove(first);
        node->budget.grants_left -= next->len;
        peer_lane_grant(next->peer, next->lane);
    }
}

/* ---- in: lanes ---- */

static void route_ready(struct waiter *w)
{
    struct route *r = (struct route *)(void *)w;
    peer_lane_resume(r->peer, r->lane);
}

void router_lane_opened(void *context, struct peer *p, struct lane_in *lane)
{
    struct rusm_node *node = context;
    struct route *r = pool_take(&node->routes);
    lane->user = r;
    if (!r)
        return; /* its records find no route: discarded as no memory */
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
    struct rusm_node *node = context;
    struct route *r = lane->user;
    (void)p;
    if (!r)
        return;
    list_remove(&r->waiter.link);
    lane->user = NULL;
    grants_give_up(node, r);
    pool_give(&node->routes, r);
}

void router_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause)
{
    struct rusm_node *node = context;
    struct connection *c = connection_of(p);
    if (cause == RUSM_ETOOLARGE)
        node->causes.too_large++;
    else if (cause == RUSM_BUSY)
        node->causes.overflow++;
    else
        node->causes.noconnection++;
    log_debug(&node->log, "lane %llu from %s was broken off: %s", (unsigned long long)lane->ordinal,
              c->address, rusm_strerror(cause));
}

/* ---- in: records ---- */

static void receipt(struct peer *p, const struct record *record, int error)
{
    if (record->has_receipt)
        peer_send_receipt(p, record->receipt, (uint64_t)-error);
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

/* Links and monitors: they take no room. p NULL: nobody is there. */
static enum delivery deliver_signal(struct rusm_node *node, struct peer *p, struct lane_in *lane,
                                    struct rusm_process *process, const struct record *record)
{
    rusm_pid to = { .serial = lane->to.kind == TARGET_PID ? lane->to.serial : 0,
                    .incarnation = node->incarnation };
    int error = node->runtime
                    ? runtime_signal(node->runtime, process, to, (enum rusm_kind)record->kind,
                                     sender(p, lane), record->ref)
                    : RUSM_ENOPROC;
    receipt(p, record, error);
    return DELIVERY_DISCARDED;
}

/* Nobody is there. Who asks for a link, a monitor or a reply is answered; messages are
 * counted. */
static enum delivery nobody(struct rusm_node *node, struct peer *p, struct lane_in *lane,
                            const struct record *record)
{
    if (!is_message(record))
        return deliver_signal(node, p, lane, NULL, record);
    if (record->kind == RECORD_SEND || record->kind == RECORD_CALL)
        node->causes.noproc++;
    if (record->kind == RECORD_CALL) /* it is a monitor too */
        return deliver_signal(node, p, lane, NULL, record);
    if (record->kind == RECORD_EXIT && record->has_ref)
        exits_record(connection_of(p), record->ref);
    receipt(p, record, RUSM_ENOPROC);
    return DELIVERY_DISCARDED;
}

/* DOWNs and LINK_EXITs find room always: as many as there are monitors and links. */
static bool has_room(const struct rusm_node *node, const struct rusm_process *process,
                     const struct record *record, const uint8_t *payload)
{
    struct process_info info;
    if (record->kind == RECORD_SEND || record->kind == RECORD_CALL ||
        (record->kind == RECORD_EXIT &&
         process_traps(process, (const char *)payload, (size_t)record->payload_len)))
        return process_has_room(process, (size_t)record->payload_len);
    if (record->kind != RECORD_REPLY)
        return true;
    process_info(process, &info, node->now_ns);
    return info.mailbox < LIMIT_MAILBOX_REPLIES;
}

/* To a process of a sibling's: its passage is one more stretch of the lane, with a window of its own;
 * the lane's credit comes back when the process takes the message. */
static enum delivery deliver_far(struct rusm_node *node, struct route *r,
                                 const struct record *record, const uint8_t *payload, void *block,
                                 uint32_t wire_bytes)
{
    struct lane_in *lane = r->lane;
    bool message = is_message(record);
    struct passing in = {
        .post = { .from = sender(r->peer, lane),
                  .to = { .serial = r->far, .incarnation = node->incarnation },
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
    int error = runtime_pass(node->runtime, &in);
    if (error == RUSM_BUSY && !lane->unordered) {
        exits_stuck(connection_of(r->peer), lane->from, r->far);
        return DELIVERY_HOLD;
    }
    if (record->kind == RECORD_EXIT && record->has_ref)
        exits_record(connection_of(r->peer), record->ref);
    if (!error)
        return message ? DELIVERY_TAKEN : DELIVERY_DISCARDED;
    node->causes.overflow += message;
    receipt(r->peer, record, error);
    return DELIVERY_DISCARDED;
}

static void hook_receipt(void *context, rusm_pid from, uint64_t id, int error)
{
    if (from.node == 0) {
        gate_receipt(context, id, error);
        return;
    }
    struct connection *c = connection_find(context, from.node);
    if (c && c->incarnation == from.incarnation)
        peer_send_receipt(c->peer, id, (uint64_t)-error);
}

enum delivery router_deliver(void *context, struct peer *p, struct lane_in *lane,
                             const struct record *record, const uint8_t *payload, void *block,
                             uint32_t wire_bytes)
{
    struct rusm_node *node = context;
    struct route *r = lane->user;
    struct rusm_process *process = r ? resolve_route(node, r) : NULL;
    if (!process && r && r->far && node->runtime)
        return deliver_far(node, r, record, payload, block, wire_bytes);
    if (!process)
        return nobody(node, p, lane, record);
    if (!is_message(record))
        return deliver_signal(node, p, lane, process, record);
    if (!has_room(node, process, record, payload)) {
        if (!lane->unordered) {
            process_wait_for(process, &r->waiter, (size_t)record->payload_len);
            exits_stuck(connection_of(p), lane->from, process_serial(process));
            return DELIVERY_HOLD;
        }
        node->causes.overflow++;
        receipt(p, record, RUSM_BUSY);
        return DELIVERY_DISCARDED;
    }
    struct message *m =
        block ? message_new_block(runtime_pool(node->runtime), block, (size_t)record->payload_len)
              : make_message(node, payload, (size_t)record->payload_len);
    if (!m) {
        node->causes.overflow++;
        receipt(p, record, RUSM_ENOMEM);
        return DELIVERY_DISCARDED;
    }
    m->pub.kind = (enum rusm_kind)record->kind;
    m->pub.from = sender(p, lane);
    m->pub.ref = record->ref;
    m->credit = peer_lane_credit(lane);
    m->credit_bytes = wire_bytes;
    credit_hold(m->credit);
    if (record->kind == RECORD_EXIT && record->has_ref)
        exits_record(connection_of(p), record->ref);
    process_deliver(process, m);
    receipt(p, record, 0);
    return DELIVERY_TAKEN;
}

int router_grant(void *context, struct peer *p, struct lane_in *lane, const struct record *record)
{
    struct rusm_node *node = context;
    struct route *r = lane->user;
    struct rusm_process *process = r ? resolve_route(node, r) : NULL;
    if (!process && !(r && r->far && node->runtime)) {
        nobody(node, p, lane, record);
        return RUSM_ENOPROC;
    }
    uint64_t serial = process ? process_serial(process) : r->far;
    struct grants *g = grants_find(node, serial);
    r->granted_to = serial;
    r->len = lane->wire;
    if (g) {
        list_append(&g->asking, &r->asking);
        exits_stuck(connection_of(p), lane->from, serial);
        return 0;
    }
    g = calloc(1, sizeof *g);
    if (g) {
        g->serial = serial;
        list_init(&g->asking);
        if (map_insert(&node->grants, map_hash_u64(&node->grants, serial), &g->node) != 0) {
            free(g);
            g = NULL;
        }
    }
    if (!g) {
        node->causes.overflow++;
        receipt(p, record, RUSM_ENOMEM);
        return RUSM_ENOMEM;
    }
    return grants_spend(node, r);
}

void router_grant_done(void *context, struct peer *p, struct lane_in *lane, uint64_t len)
{
    struct rusm_node *node = context;
    (void)p;
    node->budget.grants_left += len;
    if (lane->user)
        grants_give_up(node, lane->user);
}

/* ---- told by the peer room ---- */

void router_writable(void *context, struct peer *p, uint64_t from)
{
    struct rusm_node *node = context;
    (void)p;
    if (!node->runtime)
        return;
    runtime_writable(node->runtime, (rusm_pid){ .serial = from, .incarnation = node->incarnation });
}

void router_refused(void *context, struct peer *p, uint64_t from, uint64_t records, int cause)
{
    struct rusm_node *node = context;
    const struct connection *c = connection_of(p);
    if (node->runtime && records > 0 && c->member) {
        runtime_gap(node->runtime, from, records);
        runtime_gaps_tell(node->runtime, c->index, c->incarnation, cause);
    }
    switch (cause) {
    case RUSM_ENOPROC: node->causes.noproc += records; break;
    case RUSM_BUSY: node->causes.overflow += records; break;
    case RUSM_ETOOLARGE: node->causes.too_large += records; break;
    default: node->causes.malformed += records;
    }
}

/* ---- the runtime's other hooks ---- */

static void hook_exited(void *context, rusm_pid pid, const char *reason, bool global)
{
    struct rusm_node *node = context;
    if (global)
        globals_withdraw_all(node, pid.serial);
    log_debug(&node->log, "process %llu ended: %s", (unsigned long long)pid.serial, reason);
}

static int hook_register_global(void *context, rusm_pid pid, const char *name)
{
    struct rusm_node *node = context;
    int error = globals_claim(node, name, strlen(name), pid.serial);
    if (!error)
        events_global(node, pid.serial, name, strlen(name), true);
    return error;
}

static int hook_whereis_global(void *context, const char *name, size_t len, rusm_pid *pid)
{
    struct rusm_node *node = context;
    struct registry_holder holder;
    if (globals_whereis(node, name, len, &holder) != 0)
        return RUSM_ENOPROC;
    *pid = (rusm_pid){ .serial = holder.serial,
                       .node = holder.node,
                       .incarnation = holder.node ? holder.incarnation : node->incarnation };
    return 0;
}

static int hook_unregister_global(void *context, rusm_pid pid, const char *name)
{
    struct rusm_node *node = context;
    int error = globals_withdraw(node, name, strlen(name), pid.serial);
    if (!error)
        events_global(node, pid.serial, name, strlen(name), false);
    return error;
}

static int hook_spawn_at(void *context, rusm_pid self, uint32_t index, const char *spawnable,
                         const struct rusm_args *args, uint64_t ref)
{
    struct rusm_node *node = context;
    struct connection *c = connection_find(node, index);
    if (!c)
        return RUSM_ENOCONN;
    return rpc_spawn(c, self.serial, spawnable, args, ref);
}

/* Coarse: a third of what the exact one costs, and 4 ms are nothing beside LIMIT_HANDLER_NS. */
static uint64_t hook_clock(void *context)
{
    struct timespec t;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void hook_print(void *context, rusm_pid self, const char *line)
{
    (void)self;
    output_line(context, line);
}

static void hook_wake(void *context)
{
    loop_wake(&((struct rusm_node *)context)->loop);
}

const struct runtime_hooks node_runtime_hooks = {
    .post = hook_post,
    .give_up = hook_give_up,
    .exited = hook_exited,
    .happened = events_happened,
    .register_global = hook_register_global,
    .unregister_global = hook_unregister_global,
    .whereis_global = hook_whereis_global,
    .spawn_at = hook_spawn_at,
    .clock_ns = hook_clock,
    .print = hook_print,
    .wake = hook_wake,
    .receipt = hook_receipt,
};

/* ---- those of the other schedulers ---- */

static void other_exited(void *context, rusm_pid pid, const char *reason, bool global)
{
    hook_exited(((struct scheduler *)context)->node, pid, reason, global);
}

static int other_register_global(void *context, rusm_pid pid, const char *name)
{
    return hook_register_global(((struct scheduler *)context)->node, pid, name);
}

static int other_unregister_global(void *context, rusm_pid pid, const char *name)
{
    return hook_unregister_global(((struct scheduler *)context)->node, pid, name);
}

static int other_whereis_global(void *context, const char *name, size_t len, rusm_pid *pid)
{
    return hook_whereis_global(((struct scheduler *)context)->node, name, len, pid);
}

static int other_spawn_at(void *context, rusm_pid self, uint32_t index, const char *spawnable,
                          const struct rusm_args *args, uint64_t ref)
{
    return serve_spawn_at(context, self, index, spawnable, args, ref);
}

static void other_print(void *context, rusm_pid self, const char *line)
{
    hook_print(((struct scheduler *)context)->node, self, line);
}

static void other_happened(void *context, const struct happening *h)
{
    events_happened(((struct scheduler *)context)->node, h);
}

static void other_wake(void *context)
{
    loop_wake(&((struct scheduler *)context)->loop);
}

/* Its posts go to scheduler 0 without a hook. */
const struct runtime_hooks scheduler_runtime_hooks = {
    .exited = other_exited,
    .register_global = other_register_global,
    .unregister_global = other_unregister_global,
    .whereis_global = other_whereis_global,
    .spawn_at = other_spawn_at,
    .clock_ns = hook_clock,
    .print = other_print,
    .happened = other_happened,
    .wake = other_wake,
};
