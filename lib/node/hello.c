/* hello: finds out who is at the other end of a connection. If two connections lead to the same
 * node, it decides which of them stays (adopt). The functions are upcalls of the peer room. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/feed.h"
#include "node/globals.h"
#include "node/hello.h"
#include "node/liveness.h"
#include "node/member_lock.h"
#include "node/node.h"
#include "node/reach.h"
#include "node/seeds.h"
#include "node/trouble.h"

/* If the current connection became ready less than this ago and a second one of the same
 * incarnation comes, the two nodes dialled each other at the same time. The peer has not lost the
 * first one. */
#define CROSSED_NS ((uint64_t)2 * 1000000000)

/* Makes room for the index in s->by_index, so that setting it later cannot fail. Returns 0 or
 * RUSM_ENOMEM. */
static int reserve_index(struct scheduler *s, uint32_t index)
{
    if (index < s->by_index_cap) {
        return 0;
    }
    uint32_t cap = s->by_index_cap ? s->by_index_cap : 16;
    while (cap <= index) {
        cap *= 2;
    }
    struct connection **at = realloc(s->by_index, cap * sizeof(*at));
    if (!at) {
        return RUSM_ENOMEM;
    }
    memset(at + s->by_index_cap, 0, (cap - s->by_index_cap) * sizeof(*at));
    s->by_index = at;
    s->by_index_cap = cap;
    return 0;
}

/* Decides whether a second connection of the same two nodes may stay. Returns CLOSE_NONE if it
 * may. */
static enum close_code judge_second(struct connection *c, struct member *m,
                                    const struct hello *hello)
{
    struct connection *old = m->current;
    if (hello->incarnation == old->incarnation) {
        bool crossed = c->scheduler->now_ns - old->ready_ns < CROSSED_NS;
        if (!(hello->flags & HELLO_HOLDS_NONE) || crossed) {
            return CLOSE_DUPLICATE;
        }
        connection_replace(old);
        return CLOSE_NONE;
    }
    /* The peer has another incarnation. If the old connection is silent, the peer has restarted.
     * Otherwise it is an impostor. */
    return liveness_contend(c, m) ? CLOSE_NONE : CLOSE_NAME_TAKEN;
}

/* Sets where to dial a member. Called when the connection is adopted and not before, as an impostor
 * must not be dialled. */
static void set_address(const struct connection *c, struct member *m)
{
    if (c->advertised[0]) {
        memcpy(m->address, c->advertised, sizeof(m->address));
    }
    /* Otherwise takes the address that we see. But what the user wrote stays: a host name may
     * resolve to another address next time. */
    else if (!m->address[0] || !m->joined) {
        memcpy(m->address, c->address, sizeof(c->address));
    }
}

/* Another node answers at the address that we dialled. */
static void say_stranger(struct connection *c, const struct hello *hello)
{
    char text[256];
    snprintf(text, sizeof(text), "%.*s answers there, not %s; correct the name or the address",
             (int)hello->name_len, hello->name, c->meant);
    if (c->member) {
        trouble_say(c->member, TROUBLE_STRANGER, text);
    }
}

static enum close_code hello_of_node(struct connection *c, const struct hello *hello)
{
    struct scheduler *s = c->scheduler;
    struct rusm_node *node = s->node;
    size_t own_len = strlen(node->name);
    if (hello->name_len == own_len && memcmp(hello->name, node->name, own_len) == 0) {
        return hello->incarnation == node->incarnation ? CLOSE_SELF : CLOSE_NAME_TAKEN;
    }
    if (c->meant[0] && (strlen(c->meant) != hello->name_len ||
                        memcmp(c->meant, hello->name, hello->name_len) != 0)) {
        say_stranger(c, hello);
        return CLOSE_WRONG_NODE;
    }
    struct member *m = member_get(s, hello->name, hello->name_len, true);
    if (!m || reserve_index(s, m->index) != 0) {
        return CLOSE_LIMIT;
    }
    if (m->scheduler != s) {
        return CLOSE_WRONG_SHARE; /* it dialled with the share of another name, or with none */
    }
    c->member = m;
    c->index = m->index;
    c->incarnation = hello->incarnation;
    if (hello->advertise_len > 0 && hello->advertise_len < sizeof(c->advertised)) {
        memcpy(c->advertised, hello->advertise, hello->advertise_len);
        c->advertised[hello->advertise_len] = 0;
        if (!reach_takes(c, c->advertised)) {
            c->advertised[0] = 0;
        }
    }
    if (m->current) {
        enum close_code code = judge_second(c, m, hello);
        if (code != CLOSE_NONE) {
            return code;
        }
    }
    /* The node with the lower name decides which connection stays. It adopts the first one that it
     * hears of. */
    if (!m->current && m->contender != c && strcmp(node->name, m->name) < 0) {
        peer_adopt(c->peer);
    }
    return CLOSE_NONE;
}

static enum close_code hello_of_client(struct connection *c, const struct hello *hello)
{
    struct scheduler *s = c->scheduler;
    if (conn_dialled(c->conn)) {
        return CLOSE_WRONG_NODE;
    }
    if (s->index != 0) {
        return CLOSE_WRONG_SHARE;
    }
    c->client = true;
    c->incarnation = hello->incarnation;
    if (runtime_client_up(s->runtime, &c->index) != 0) {
        return CLOSE_LIMIT;
    }
    if (reserve_index(s, c->index) == 0) {
        return CLOSE_NONE;
    }
    runtime_client_down(s->runtime, c->index);
    return CLOSE_LIMIT;
}

enum close_code hello_heard(void *context, struct peer *p, const struct hello *hello)
{
    struct scheduler *s = context;
    struct connection *c = connection_of(p);
    if (atomic_load(&s->node->leaving)) {
        peer_close(p, CLOSE_NONE, "the node leaves");
        return CLOSE_NONE;
    }
    if (hello->role == HELLO_CLIENT) {
        return hello_of_client(c, hello);
    }
    member_lock(s->node);
    enum close_code code = c->seed ? seeds_heard(c, hello) : hello_of_node(c, hello);
    member_unlock(s->node);
    return code;
}

/* Takes the peer's ADOPT, which only the node with the lower name may send. Returns 0,
 * RUSM_EMALFORMED if our name is the lower one, or RUSM_BUSY to put it off until we know that the
 * peer is no impostor. */
int hello_adopted(void *context, struct peer *p)
{
    struct rusm_node *node = ((struct scheduler *)context)->node;
    struct connection *c = connection_of(p);
    struct member *m = c->member;
    if (strcmp(node->name, m->name) < 0) {
        return RUSM_EMALFORMED;
    }
    member_lock(node);
    bool contends = m->contender == c;
    if (!contends && m->current && m->current->incarnation != c->incarnation) {
        peer_close(p, CLOSE_NAME_TAKEN, close_code_text(CLOSE_NAME_TAKEN));
    }
    member_unlock(node);
    return contends ? RUSM_BUSY : 0;
}

/* A node is connected by this connection now. Tells the runtime, the member and the registry. */
static void ready_node(struct connection *c)
{
    struct scheduler *s = c->scheduler;
    struct rusm_node *node = s->node;
    struct member *m = c->member;
    if (runtime_node_up(s->runtime, c->index, c->incarnation) != 0) {
        peer_close(c->peer, CLOSE_INTERNAL, "out of memory");
        return;
    }
    if (m->contender == c) {
        member_settled(m);
    }
    log_info(&node->log, "%s connected (%s, %s)", m->name, c->address,
             conn_dialled(c->conn) ? "dialled" : "accepted");
    set_address(c, m);
    member_connected(m, c);
    liveness_pong(c); /* refuses a contender that waits for the old connection: this one lives */
    globals_lock(s);
    int error = registry_peer_up(node->registry, m->name, m->index, c->incarnation);
    globals_unlock(s);
    if (error) {
        peer_close(c->peer, CLOSE_INTERNAL, "out of memory");
        return;
    }
    feed_add(c); /* for all names that we own */
    members_tell(c);
}

/* The connection is ready: messages may flow. */
void hello_ready(void *context, struct peer *p)
{
    struct scheduler *s = context;
    struct connection *c = connection_of(p);
    struct member *m = c->member;
    member_lock(s->node);
    if (m && m->current && m->current != c) {
        connection_replace(m->current);
    }
    c->ready_ns = s->now_ns;
    s->by_index[c->index] = c;
    if (!c->client) {
        ready_node(c);
    }
    member_unlock(s->node);
}
