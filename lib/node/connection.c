/* connection: the life of one QUIC connection of the node: its handshake, its frames and its end.
 * The endpoint's upcalls arrive here. frames.c says what the node does with each frame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/must.h"
#include "local/resolve.h"
#include "node/connection.h"
#include "node/events.h"
#include "node/globals.h"
#include "node/member.h"
#include "node/member_lock.h"
#include "node/node.h"
#include "node/forward.h"
#include "node/trouble.h"

struct connection *connection_of(const struct peer *p)
{
    return peer_user(p);
}

struct connection *connection_find(const struct scheduler *s, uint32_t index)
{
    return index < s->by_index_cap ? s->by_index[index] : NULL;
}

static struct connection *connection_new(struct scheduler *s, struct conn *conn)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (!c) {
        return NULL;
    }
    c->scheduler = s;
    c->conn = conn;
    c->since_ns = s->now_ns;
    list_init(&c->spawns);
    list_init(&c->listings);
    list_init(&c->asked);
    list_init(&c->exits);
    list_init(&c->doubted);
    list_init(&c->feed);
    list_append(&s->connections, &c->link);
    list_append(&s->unready, &c->unready);
    return c;
}

void connection_free(struct connection *c)
{
    if (c->ready_ns) {
        c->scheduler->by_index[c->index] = NULL;
    }
    c->scheduler->connections_use->ends(c);
    peer_free(c->peer);
    c->scheduler->connections_use->ended(c);
    list_remove(&c->link);
    list_remove(&c->unready);
    list_remove(&c->doubted);
    list_remove(&c->feed);
    free(c);
}

static struct connection *of_conn(struct scheduler *s, const struct conn *conn)
{
    if (conn_app(conn)) {
        return connection_of(conn_app(conn));
    }
    list_each(link, &s->unready) {
        struct connection *c = container_of(link, struct connection, unready);
        if (c->conn == conn) {
            return c;
        }
    }
    return NULL;
}

/* What was dialled, or not, becomes a connection. */
static int dialled(struct scheduler *s, int error, struct conn *conn, struct connection **out)
{
    struct connection *c = error ? NULL : connection_new(s, conn);
    if (error) {
        return error;
    }
    if (!c) {
        conn_close(conn, CLOSE_INTERNAL, "out of memory");
        return RUSM_ENOMEM;
    }
    conn_peer_text(conn, c->address, sizeof(c->address)); /* not 0.0.0.0, which is dialled here */
    *out = c;
    return 0;
}

int connection_dial(struct scheduler *s, const struct resolved *to, const char *meant,
                    struct connection **out)
{
    const struct sockaddr *at = (const struct sockaddr *)&to->address;
    struct conn *conn = NULL;
    int error = endpoint_dial(s->endpoint, at, to->len, NULL, &conn);
    error = dialled(s, error, conn, out);
    if (!error) {
        memcpy((*out)->meant, meant, strlen(meant) + 1);
    }
    return error;
}

int connection_ask(struct scheduler *s, const struct resolved *to, struct connection **out)
{
    const struct sockaddr *at = (const struct sockaddr *)&to->address;
    struct conn *conn = NULL;
    int error = endpoint_dial_client(s->endpoint, at, to->len, &conn);
    return dialled(s, error, conn, out);
}

/* ---- the endpoint's upcalls ---- */

static uint64_t hello_flags(struct connection *c)
{
    struct rusm_node *node = c->scheduler->node;
    member_lock(node);
    struct member *m = c->meant[0] ? member_find(node, c->meant, strlen(c->meant)) : NULL;
    uint64_t flags = m && !m->current ? HELLO_HOLDS_NONE : 0;
    member_unlock(node);
    return flags;
}

static int on_ready(void *context, struct conn *conn)
{
    struct scheduler *s = context;
    struct rusm_node *node = s->node;
    if (conn_is_http(conn)) {
        if (s->index == 0) {
            return s->connections_use->http(node, conn);
        }
        /* The peer used a connection id that only nodes use, so it came to this scheduler. */
        conn_close(conn, CLOSE_WRONG_SHARE, close_code_text(CLOSE_WRONG_SHARE));
        return RUSM_EINVAL;
    }
    struct connection *c = of_conn(s, conn);
    bool inbound = !c;
    if (inbound) {
        c = connection_new(s, conn);
    }
    if (!c) {
        conn_close(conn, CLOSE_INTERNAL, "out of memory");
        return RUSM_ENOMEM;
    }
    if (inbound) {
        conn_peer_text(conn, c->address, sizeof(c->address));
    }
    struct peer_options options = {
        .conn = conn,
        .events = s->connections_use->peer,
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
                   .advertise = node->advertise_or_all,
                   .advertise_len = strlen(node->advertise_or_all) },
    };
    if (c->seed) { /* it only asks */
        options.hello.role = HELLO_CLIENT;
        options.hello.name_len = options.hello.advertise_len = 0;
    }
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

/* Ends the use of a connection that carries nothing any more. Tells monitors, the registry of names
 * and waiting senders. Does nothing the second time. */
static void connection_down(struct connection *c)
{
    struct scheduler *s = c->scheduler;
    struct runtime *rt = s->runtime;
    struct peer_counters counters;
    if (!c->ready_ns) {
        return;
    }
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
    /* Tells the waiting senders to try again: each gets RUSM_ENOCONN then. Most connections never
     * made a sender wait. For these, visiting all processes at the end of each client would cost
     * too much. */
    if (counters.busy > 0) {
        s->connections_use->peer->writable(s, c->peer, 0);
    }
    if (c->client) {
        runtime_client_down(rt, c->index);
    }
}

static void on_closed(void *context, struct conn *conn, const struct conn_end *end)
{
    struct scheduler *s = context;
    struct rusm_node *node = s->node;
    struct connection *c = of_conn(s, conn);
    if (!c) {
        return;
    }
    struct member *m = c->member;
    if (c->seed) {
        member_lock(node);
        s->connections_use->asked(c, end);
        member_unlock(node);
        connection_free(c);
        return;
    }
    bool say = !c->client && !atomic_load(&node->leaving); /* a leaving node says so once */
    member_lock(node);
    if (say && c->ready_ns && !c->left) {
        trouble_lost(m, c, end);
    } else if (say && c->ready_ns) {
        log_info(&node->log, "%s disconnected: it left", m->name);
        trouble_left(m);
    } else if (say && end->kind != CONN_END_LOCAL) {
        log_info(&node->log, "connection with %s (%s) ended: %s", c->meant[0] ? c->meant : "a peer",
                 c->address, end->text);
    }
    connection_down(c);
    if (m && m->current == c) {
        events_node_down(node, m, c->left ? "it left" : end->text);
    }
    if (say && m && m->dialling == c && !m->current) {
        trouble_dialled(m, c, end, dial_has_more(m));
    }
    if (m) {
        member_lost(m, c);
    }
    member_unlock(node);
    connection_free(c);
}

static void on_refused(void *context, const struct sockaddr *from, socklen_t len, const char *text)
{
    struct scheduler *s = context;
    char address[80], key[128];
    resolve_format(from, len, address, sizeof(address));
    const char *port = strrchr(address, ':'); /* another one each time */
    snprintf(key, sizeof(key), "refused %.*s %.40s", port ? (int)(port - address) : 0, address,
             text);
    repeat_warn(&s->repeat, s->now_ns, key,
                "refused a connection from %s: %s; a node or client of this cluster needs its "
                "identity file",
                address, text);
}

static void on_doubted(void *context, struct conn *conn)
{
    struct connection *c = of_conn(context, conn);
    if (c && c->ready_ns) {
        c->scheduler->connections_use->doubted(c);
    }
}

void connection_events(struct endpoint_events *events)
{
    peer_fill_events(events);
    events->ready = on_ready;
    events->closed = on_closed;
    events->refused = on_refused;
    events->doubted = on_doubted;
    events->forward = forward_pass;
}

void connection_replace(struct connection *old)
{
    struct member *m = old->member;
    const char *text = close_code_text(CLOSE_REPLACED);
    trouble_replaced(m, old, text); /* what it carried is lost, as with any other that ends */
    connection_down(old);
    events_node_down(m->scheduler->node, m, text);
    m->current = NULL;
    peer_close(old->peer, CLOSE_REPLACED, text);
}

/* ---- frames ---- */

int connection_frame(void *context, struct peer *p, const struct frame *frame)
{
    struct scheduler *s = context;
    struct connection *c = connection_of(p);
    const struct connection_frame_kind *kind = &s->connections_use->frames[frame->type];

    /* A client may only ask: frames between nodes are not for it to send. Before the connection is
     * ready, the peer is not adopted and may be an impostor. The node serves nothing to it, and
     * takes only the early frames. */
    if (!kind->take || (c->client && !kind->from_clients) || (!c->ready_ns && !kind->early)) {
        return RUSM_EMALFORMED;
    }
    if (c->member && c->ready_ns && !kind->early && !c->confirmed) {
        c->confirmed = true;
        member_lock(s->node);
        member_confirmed(c->member, c);
        member_unlock(s->node);
    }
    return kind->take(c, frame);
}
