/* follower: see the header. */
#include "node/follower.h"

#include <stdlib.h>

#include "node/clock.h"
#include "node/connection.h"
#include "node/node.h"
#include "node/reply.h"
#include "peer/peer.h"
#include "wire/follow.h"
#include "wire/rpc.h"

/* A reply is sent when it has this many bytes. The events behind it may be long. */
#define FOLLOWER_FULL ((size_t)16 * 1024)

struct follower {
    struct list link; /* in events.followers */
    struct connection *c;
    uint64_t id; /* of the request */
    uint64_t at; /* id of the last event that was sent, or passed over */
    bool begun;  /* the first reply was sent */
    bool strays; /* it goes on after an event that is not of this node's history */
    bool counters;
    struct follow want;
};

int follower_serve(struct connection *c, uint64_t id, struct reader *fields)
{
    struct rusm_node *node = c->scheduler->node;
    struct events *e = &node->events;
    struct follow want;
    if (follow_read(fields, &want) != 0) {
        return RUSM_EMALFORMED;
    }
    if (!c->client) {
        reply_fail(c, id, RUSM_EINVAL, "%s shows its events to clients", node->name);
        return 0;
    }
    if (c->follower) {
        reply_fail(c, id, RUSM_ELIMIT, "this connection follows %s already", node->name);
        return 0;
    }
    struct follower *f = calloc(1, sizeof(*f));
    if (!f) {
        reply_fail(c, id, RUSM_ENOMEM, "%s", rusm_strerror(RUSM_ENOMEM));
        return 0;
    }
    f->c = c;
    f->id = id;
    f->want = want;
    f->counters = follow_wants(&want, "counters");
    f->strays = want.incarnation != 0 &&
                (want.incarnation != node->incarnation || want.since > e->history.last);
    f->at = f->strays ? 0 : want.since;
    list_append(&e->followers, &f->link);
    e->counters_wanted += f->counters;
    c->follower = f;
    return 0;
}

void follower_free(struct connection *c)
{
    struct follower *f = c->follower;
    if (f) {
        c->scheduler->node->events.counters_wanted -= f->counters;
        list_remove(&f->link);
        c->follower = NULL;
        free(f);
    }
}

void follower_cancel(struct connection *c, uint64_t id)
{
    if (c->follower && c->follower->id == id) {
        follower_free(c);
    }
}

static void follower_missed(struct follower *f, struct writer *w, uint64_t count, uint64_t before)
{
    f->at = before - 1;
    f->strays = false;
    follow_event_write(w, f->at, clock_wall_ms(), "missed", 1);
    follow_number_write(w, "events", count);
}

/* Writes the next events, and how many are missing between them. */
static void follower_events(struct follower *f, struct writer *w, const struct history *h)
{
    const struct history_event *e = history_after(h, f->at);
    uint64_t before = e ? e->id : h->last + 1;
    if (f->strays || before > f->at + 1) {
        follower_missed(f, w, f->strays ? 0 : history_missing(h, f->at, before), before);
    }
    for (; e && e->id == f->at + 1 && writer_len(w) < FOLLOWER_FULL; e = history_next(h, e)) {
        f->at = e->id;
        if (follow_wants(&f->want, e->type)) {
            writer_bytes(w, e->body, e->len);
        }
    }
}

/* Sends one reply, or passes over events that are not wanted. Returns false if there are no more
 * events. */
static bool follower_send(struct follower *f, const struct history *h)
{
    uint8_t body[2 * FOLLOWER_FULL];
    struct writer w = writer_on(body, sizeof(body));
    if (f->begun && !f->strays && f->at == h->last) {
        return false;
    }
    reply_write(&w, &(struct reply){ .id = f->id, .flags = REPLY_MORE });
    size_t head = writer_len(&w);
    if (f->begun) {
        follower_events(f, &w, h);
    } else {
        f->begun = true;
        f->at = f->want.incarnation != 0 ? f->at : h->last;
        writer_varint(&w, f->at);
    }
    must(!w.bad);
    return writer_len(&w) == head ||
           peer_send_frame(f->c->peer, FRAME_REPLY, false, body, writer_len(&w)) == 0;
}

void follower_tick(struct rusm_node *node)
{
    list_each(link, &node->events.followers) {
        struct follower *f = container_of(link, struct follower, link);
        while (peer_has_room(f->c->peer) && follower_send(f, &node->events.history)) {}
    }
}
