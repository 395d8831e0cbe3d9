/* connection: the life of one QUIC connection of the node: handshake, hello, which of two becomes
 * the one (adopt), its end. The endpoint's and the peer room's upcalls arrive here. */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/limits.h"
#include "base/must.h"
#include "node/gate.h"
#include "node/node.h"
#include "node/resolve.h"

/* A connection that became ready less than this ago and one more of the same incarnation are two
 * dials that crossed, not a peer that lost the first. */
#define CROSSED_NS ((uint64_t)2 * 1000000000)

struct connection *connection_of(const struct peer *p)
{
    return peer_user(p);
}

struct connection *connection_find(const struct scheduler *s, uint32_t index)
{
    return index < s->by_index_cap ? s->by_index[index] : NULL;
}

/* Makes room for the index, so that setting it later can't fail. */
static int reserve_index(struct scheduler *s, uint32_t index)
{
    if (index < s->by_index_cap)
        return 0;
    uint32_t cap = s->by_index_cap ? s->by_index_cap : 16;
    while (cap <= index)
        cap *= 2;
    struct connection **at = realloc(s->by_index, cap * sizeof *at);
    if (!at)
        return RUSM_ENOMEM;
    memset(at + s->by_index_cap, 0, (cap - s->by_index_cap) * sizeof *at);
    s->by_index = at;
    s->by_index_cap = cap;
    return 0;
}

static struct connection *connection_new(struct scheduler *s, struct conn *conn)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->scheduler = s;
    c->conn = conn;
    c->since_ns = s->now_ns;
    list_init(&c->requests);
    list_init(&c->listings);
    list_init(&c->served);
    list_init(&c->exits);
    list_init(&c->doubted);
    list_init(&c->feed);
    list_append(&s->connections, &c->link);
    list_append(&s->unready, &c->unready);
    return c;
}

void connection_free(struct connection *c)
{
    rpc_fail_all(c);
    tables_free(c);
    served_forget_all(c);
    peer_free(c->peer);
    exits_free(c);
    list_remove(&c->link);
    list_remove(&c->unready);
    list_remove(&c->doubted);
    list_remove(&c->feed);
    free(c);
}

static struct connection *of_conn(struct scheduler *s, const struct conn *conn)
{
    if (conn_app(conn))
        return connection_of(conn_app(conn));
    list_each(link, &s->unready) {
        struct connection *c = list_entry(link, struct connection, unready);
        if (c->conn == conn)
            return c;
    }
    return NULL;
}

int connection_dial(struct scheduler *s, const struct resolved *to, const char *meant,
                    struct connection **out)
{
    struct conn *conn;
    int error =
        endpoint_dial(s->endpoint, (const struct sockaddr *)&to->address, to->len, NULL, &conn);
    if (error)
        return error;
    struct connection *c = connection_new(s, conn);
    if (!c) {
        conn_close(conn, CLOSE_INTERNAL, "out of memory");
        return RUSM_ENOMEM;
    }
    resolve_format((const struct sockaddr *)&to->address, to->len, c->address, sizeof c->address);
    memcpy(c->meant, meant, strlen(meant) + 1);
    *out = c;
    return 0;
}

/* ---- the endpoint's upcalls ---- */

static uint64_t hello_flags(struct connection *c)
{
    struct rusm_node *node = c->scheduler->node;
    members_lock(node);
    struct member *m = c->meant[0] ? member_find(node, c->meant, strlen(c->meant)) : NULL;
    uint64_t flags = m && !m->current ? HELLO_HOLDS_NONE : 0;
    members_unlock(node);
    return flags;
}

static int on_ready(void *context, struct conn *conn)
{
    struct scheduler *s = context;
    struct rusm_node *node = s->node;
    if (conn_is_http(conn)) {
        if (s->index == 0)
            return gate_accept(node, conn);
        /* With a connection id that only nodes use. */
        conn_close(conn, CLOSE_WRONG_SHARE, close_code_text(CLOSE_WRONG_SHARE));
        return RUSM_EINVAL;
    }
    struct connection *c = of_conn(s, conn);
    bool inbound = !c;
    if (inbound)
        c = connection_new(s, conn);
    if (!c) {
        conn_close(conn, CLOSE_INTERNAL, "out of memory");
        return RUSM_ENOMEM;
    }
    if (inbound)
        conn_peer_text(conn, c->address, sizeof c->address);
    struct peer_options options = {
        .conn = conn,
        .events = &node_peer_events,
        .context = s,
        .budget = &s->budget,
        .peers = &s->peers,
        .pools = &s->pools,
        .seed = rng_u64(&s->rng),
        .now_ns = s->now_ns,
        .hello = { .version = CONTROL_VERSION,
                   .role = HELLO_NODE,
                   .flags = hello_flags(c),
                   .incarnation = node->incarnation,
                   .max_message = RUSM_MESSAGE_MAX,
                   .name = node->name,
                   .name_len = strlen(node->name),
                   .advertise = node->advertise,
                   .advertise_len = strlen(node->advertise) },
    };
    int error = peer_new(&c->peer, &options);
    if (error) {
        conn_close(conn, CLOSE_INTERNAL, rusm_strerror(error));
        return error;
    }
    peer_set_user(c->peer, c);
    list_remove(&c->unready);
    return 0;
}

static void pending_add(void *context, uint64_t from, uint64_t records)
{
    runtime_gap(context, from, records);
}

/* It no longer carries anything: monitors, names and waiting senders learn of it. Once. */
static void connection_down(struct connection *c)
{
    struct scheduler *s = c->scheduler;
    struct runtime *rt = s->runtime;
    struct peer_counters counters;
    if (!c->ready_ns)
        return;
    c->ready_ns = 0;
    peer_counters(c->peer, &counters);
    s->causes.noconnection += counters.unconfirmed;
    s->by_index[c->index] = NULL;
    if (c->member) {
        c->member->lost += counters.unconfirmed;
        globals_lock(s);
        registry_peer_down(s->node->registry, c->index);
        globals_unlock(s);
    }
    if (c->member && runtime_gaps_wanted(rt)) {
        peer_pending(c->peer, pending_add, rt);
        runtime_gaps_tell(rt, c->index, c->incarnation, RUSM_ENOCONN);
    }
    runtime_node_lost(rt, c->index, c->incarnation);
    /* They will be told RUSM_ENOCONN when they try. (Most never waited: asking all processes at
     * the end of each client would be dear.) */
    if (counters.busy > 0)
        router_writable(s, c->peer, 0);
    if (c->client)
        runtime_client_down(rt, c->index);
}

static void on_closed(void *context, struct conn *conn, const struct conn_end *end)
{
    struct scheduler *s = context;
    struct rusm_node *node = s->node;
    struct connection *c = of_conn(s, conn);
    if (!c)
        return;
    struct member *m = c->member;
    bool say = !c->client && !atomic_load(&node->leaving); /* who leaves says so once */
    members_lock(node);
    if (say && c->ready_ns)
        log_info(&node->log, "%s disconnected: %s", m->name, c->left ? "it left" : end->text);
    else if (say && end->kind != CONN_END_LOCAL)
        log_info(&node->log, "connection with %s (%s) ended: %s", c->meant[0] ? c->meant : "a peer",
                 c->address, end->text);
    connection_down(c);
    if (m && m->current == c)
        events_node_down(node, m, c->left ? "it left" : end->text);
    if (m)
        member_lost(m, c);
    members_unlock(node);
    connection_free(c);
}

static void on_refused(void *context, const struct sockaddr *from, socklen_t len, const char *text)
{
    const struct scheduler *s = context;
    char address[80];
    resolve_format(from, len, address, sizeof address);
    log_warn(&s->node->log, "refused a connection from %s: %s", address, text);
}

static void on_doubted(void *context, struct conn *conn)
{
    struct connection *c = of_conn(context, conn);
    if (c && c->ready_ns)
        liveness_doubt(c);
}

void connection_events(struct endpoint_events *events)
{
    peer_fill_events(events);
    events->ready = on_ready;
    events->closed = on_closed;
    events->refused = on_refused;
    events->doubted = on_doubted;
    events->stray = stray_pass;
}

/* ---- hello ---- */

void connection_replace(struct connection *old)
{
    struct member *m = old->member;
    connection_down(old);
    m->current = NULL;
    peer_close(old->peer, CLOSE_REPLACED, close_code_text(CLOSE_REPLACED));
}

/* One of two connections of the same two nodes: may the new one stay? */
static enum close_code judge_second(struct connection *c, struct member *m,
                                    const struct hello *hello)
{
    struct connection *old = m->current;
    if (hello->incarnation == old->incarnation) {
        bool crossed = c->scheduler->now_ns - old->ready_ns < CROSSED_NS;
        if (!(hello->flags & HELLO_HOLDS_NONE) || crossed)
            return CLOSE_DUPLICATE;
        connection_replace(old);
        return CLOSE_NONE;
    }
    /* Another incarnation: it is a restarted node if the old one is silent, else an impostor. */
    return liveness_contend(c, m) ? CLOSE_NONE : CLOSE_NAME_TAKEN;
}

/* Not before the connection is the one: an impostor is not to be dialled. */
static void set_address(const struct connection *c, struct member *m)
{
    if (c->advertised[0])
        memcpy(m->address, c->advertised, sizeof m->address);
    /* What we see, unless we have what the user wrote: a name may lead elsewhere next time. */
    else if (!m->address[0] || !m->joined)
        memcpy(m->address, c->address, sizeof c->address);
}

static enum close_code hello_of_node(struct connection *c, const struct hello *hello)
{
    struct scheduler *s = c->scheduler;
    struct rusm_node *node = s->node;
    size_t own_len = strlen(node->name);
    if (hello->name_len == own_len && memcmp(hello->name, node->name, own_len) == 0)
        return hello->incarnation == node->incarnation ? CLOSE_SELF : CLOSE_NAME_TAKEN;
    if (c->meant[0] && (strlen(c->meant) != hello->name_len ||
                        memcmp(c->meant, hello->name, hello->name_len) != 0)) {
        log_warn(&node->log, "at %s answers %.*s, not %s", c->address, (int)hello->name_len,
                 hello->name, c->meant);
        return CLOSE_WRONG_NODE;
    }
    struct member *m = member_get(s, hello->name, hello->name_len, true);
    if (!m || reserve_index(s, m->index) != 0)
        return CLOSE_LIMIT;
    if (m->scheduler != s)
        return CLOSE_WRONG_SHARE; /* it dialled as another's share, or as none */
    c->member = m;
    c->index = m->index;
    c->incarnation = hello->incarnation;
    if (hello->advertise_len > 0 && hello->advertise_len < sizeof c->advertised) {
        memcpy(c->advertised, hello->advertise, hello->advertise_len);
        c->advertised[hello->advertise_len] = 0;
    }
    if (m->current) {
        enum close_code code = judge_second(c, m, hello);
        if (code != CLOSE_NONE)
            return code;
    }
    /* The node with the lower name decides which connection is the one: the first it hears of. */
    if (!m->current && m->contender != c && strcmp(node->name, m->name) < 0)
        peer_adopt(c->peer);
    return CLOSE_NONE;
}

static enum close_code hello_of_client(struct connection *c, const struct hello *hello)
{
    struct scheduler *s = c->scheduler;
    if (conn_dialled(c->conn))
        return CLOSE_WRONG_NODE;
    if (s->index != 0)
        return CLOSE_WRONG_SHARE;
    c->client = true;
    c->incarnation = hello->incarnation;
    if (runtime_client_up(s->runtime, &c->index) != 0)
        return CLOSE_LIMIT;
    if (reserve_index(s, c->index) == 0)
        return CLOSE_NONE;
    runtime_client_down(s->runtime, c->index);
    return CLOSE_LIMIT;
}

static enum close_code on_hello(void *context, struct peer *p, const struct hello *hello)
{
    struct scheduler *s = context;
    struct connection *c = connection_of(p);
    if (atomic_load(&s->node->leaving)) {
        peer_close(p, CLOSE_NONE, "the node leaves");
        return CLOSE_NONE;
    }
    if (hello->role == HELLO_CLIENT)
        return hello_of_client(c, hello);
    members_lock(s->node);
    enum close_code code = hello_of_node(c, hello);
    members_unlock(s->node);
    return code;
}

/* The node with the lower name says which connection is the one; but not before it is known that it
 * is no impostor. */
static int on_adopt(void *context, struct peer *p)
{
    struct rusm_node *node = ((struct scheduler *)context)->node;
    struct connection *c = connection_of(p);
    struct member *m = c->member;
    if (strcmp(node->name, m->name) < 0)
        return RUSM_EMALFORMED;
    members_lock(node);
    bool contends = m->contender == c;
    if (!contends && m->current && m->current->incarnation != c->incarnation)
        peer_close(p, CLOSE_NAME_TAKEN, close_code_text(CLOSE_NAME_TAKEN));
    members_unlock(node);
    return contends ? RUSM_BUSY : 0;
}

/* With a member: it is connected by this one. */
static void ready_node(struct connection *c)
{
    struct scheduler *s = c->scheduler;
    struct rusm_node *node = s->node;
    struct member *m = c->member;
    if (runtime_node_up(s->runtime, c->index, c->incarnation) != 0) {
        peer_close(c->peer, CLOSE_INTERNAL, "out of memory");
        return;
    }
    if (m->contender == c)
        liveness_settled(m);
    log_info(&node->log, "%s connected (%s, %s)", m->name, c->address,
             conn_dialled(c->conn) ? "dialled" : "accepted");
    set_address(c, m);
    member_connected(m, c);
    liveness_pong(c); /* another that waits for the one before: this one lives */
    globals_lock(s);
    int error = registry_peer_up(node->registry, m->name, m->index, c->incarnation);
    globals_unlock(s);
    if (error) {
        peer_close(c->peer, CLOSE_INTERNAL, "out of memory");
        return;
    }
    feed_add(c); /* all that we own */
    members_tell(c);
}

/* Messages may flow. */
static void on_peer_ready(void *context, struct peer *p)
{
    struct scheduler *s = context;
    struct connection *c = connection_of(p);
    struct member *m = c->member;
    members_lock(s->node);
    if (m && m->current && m->current != c)
        connection_replace(m->current);
    c->ready_ns = s->now_ns;
    s->by_index[c->index] = c;
    if (!c->client)
        ready_node(c);
    members_unlock(s->node);
}

/* ---- frames ---- */

static int on_names(struct connection *c, const struct frame *frame)
{
    struct scheduler *s = c->scheduler;
    globals_lock(s);
    int error = registry_recv(s->node->registry, c->index, frame->body, frame->len, node_wall_ms());
    globals_unlock(s);
    return error;
}

static int on_nodes(struct connection *c, const struct frame *frame)
{
    members_lock(c->scheduler->node);
    int error = members_told(c->scheduler, frame);
    members_unlock(c->scheduler->node);
    return error;
}

static int on_pong(struct connection *c)
{
    members_lock(c->scheduler->node);
    liveness_pong(c);
    members_unlock(c->scheduler->node);
    return 0;
}

static int on_frame(void *context, struct peer *p, const struct frame *frame)
{
    struct connection *c = connection_of(p);
    (void)context;
    /* A client asks; what nodes tell each other is not its to say. */
    if (c->client && frame->type != FRAME_REQUEST && frame->type != FRAME_CANCEL)
        return RUSM_EMALFORMED;
    /* Nor is anything served to a node that is not adopted: it may be an impostor. */
    if (frame->type != FRAME_PONG && !c->ready_ns)
        return RUSM_EMALFORMED;
    switch ((enum frame_type)frame->type) {
    case FRAME_REQUEST: return rpc_request(c, frame);
    case FRAME_REPLY: return rpc_reply(c, frame);
    case FRAME_LEAVE: c->left = true; return 0;
    case FRAME_NODES: return on_nodes(c, frame);
    case FRAME_NAMES: return on_names(c, frame);
    case FRAME_PONG: return on_pong(c);
    case FRAME_EXIT: return exits_frame(c, frame);
    default: return rpc_cancel(c, frame);
    }
}

/* Receipts are asked by clients only. */
static void on_receipt(void *context, struct peer *p, const struct receipt *receipt)
{
    (void)context, (void)p, (void)receipt;
}

const struct peer_events node_peer_events = {
    .hello = on_hello,
    .adopt = on_adopt,
    .ready = on_peer_ready,
    .frame = on_frame,
    .receipt = on_receipt,
    .lane_opened = router_lane_opened,
    .deliver = router_deliver,
    .grant = router_grant,
    .grant_done = router_grant_done,
    .lane_closed = router_lane_closed,
    .lane_lost = router_lane_lost,
    .writable = router_writable,
    .refused = router_refused,
    .room = feed_room,
};
