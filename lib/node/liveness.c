/* liveness: asks a peer with a PING whether it lives, when another incarnation wants its place or
 * the network says that nobody is there. Silence alone is left to QUIC (idle timeout). */
#include <stdio.h>
#include <string.h>

#include "node/liveness.h"
#include "node/member_lock.h"
#include "node/node.h"

/* How long the old connection has to answer when another incarnation wants its place. */
#define CONTENDER_NS ((uint64_t)1000000000)

/* How long a peer has to send anything after an ICMP report. */
#define DOUBT_NS ((uint64_t)500000000)

static bool ping(struct connection *c)
{
    uint8_t bytes[8] = { 0 };
    return peer_send_frame(c->peer, FRAME_PING, false, bytes, sizeof(bytes)) == 0;
}

bool liveness_contend(struct connection *c, struct member *m)
{
    struct scheduler *s = c->scheduler;
    if (m->contender || !ping(m->current)) {
        return false;
    }
    m->contender = c;
    list_append(&s->contended, &m->contended);
    m->contender_until_ns = s->now_ns + CONTENDER_NS;
    log_info(&s->node->log, "another %s from %s: asking the one at %s whether it lives", m->name,
             c->address, m->current->address);
    return true;
}

/* The old connection did not answer, or is gone. Gives its place to the contender. */
static void contender_wins(struct member *m)
{
    struct connection *c = m->contender;
    member_settled(m);
    if (m->current) {
        connection_replace(m->current);
    }
    if (strcmp(m->scheduler->node->name, m->name) < 0) {
        peer_adopt(c->peer);
    } else {
        peer_adopted(c->peer);
    }
}

void liveness_pong(struct connection *c)
{
    struct member *m = c->member;
    if (!m || !m->contender || m->current != c) {
        return;
    }
    struct scheduler *s = c->scheduler;
    char key[96];
    snprintf(key, sizeof(key), "second %s", m->name);
    repeat_warn(&s->repeat, s->now_ns, key,
                "refused a second %s from %s: the one at %s lives; give one of them another --name",
                m->name, m->contender->address, c->address);
    peer_close(m->contender->peer, CLOSE_NAME_TAKEN, close_code_text(CLOSE_NAME_TAKEN));
    member_settled(m);
}

void liveness_doubt(struct connection *c)
{
    if (list_linked(&c->doubted) || !ping(c)) {
        return;
    }
    list_append(&c->scheduler->doubted, &c->doubted);
    c->doubted_ns = c->scheduler->now_ns;
    c->doubt_until_ns = c->scheduler->now_ns + DOUBT_NS;
}

static uint64_t doubts_tick(struct scheduler *s)
{
    uint64_t next = UINT64_MAX;
    list_each_safe(link, &s->doubted) {
        struct connection *c = container_of(link, struct connection, doubted);
        if (!c->ready_ns || conn_last_heard_ns(c->conn) > c->doubted_ns) {
            list_remove(link); /* the peer lives, or the connection is over */
        } else if (s->now_ns >= c->doubt_until_ns) {
            list_remove(link);
            peer_close(c->peer, CLOSE_TIMEOUT, "nobody is at its address");
        } else if (c->doubt_until_ns < next) {
            next = c->doubt_until_ns;
        }
    }
    return next;
}

uint64_t liveness_tick(struct scheduler *s)
{
    uint64_t next = doubts_tick(s);
    if (list_empty(&s->contended)) {
        return next;
    }
    member_lock(s->node);
    list_each_safe(link, &s->contended) {
        struct member *m = container_of(link, struct member, contended);
        if (!m->current || s->now_ns >= m->contender_until_ns) {
            contender_wins(m);
        } else if (m->contender_until_ns < next) {
            next = m->contender_until_ns;
        }
    }
    member_unlock(s->node);
    return next;
}
