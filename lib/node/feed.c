/* feed: changes of our names, and tables. They go on a peer's control stream only as it drains. So
 * the receipts, replies and PONGs behind them never wait long, and what a peer has not read is
 * bounded. Called by the node's ticks. */
#include "wire/limits.h"
#include "node/feed.h"
#include "node/globals.h"
#include "node/node.h"
#include "node/tables.h"

void feed_add(struct connection *c)
{
    if (!list_linked(&c->feed)) {
        list_append(&c->scheduler->feeds, &c->feed);
    }
}

void feed_room(void *context, struct peer *p)
{
    (void)context;
    feed_add(connection_of(p));
}

static size_t feed_next(struct connection *c, uint8_t *body, size_t cap)
{
    globals_lock(c->scheduler);
    size_t len = registry_next(c->scheduler->node->registry, c->index, body, cap);
    globals_unlock(c->scheduler);
    return len;
}

/* Sends the peer what changed among our names since the last time. */
static void feed_names(struct connection *c)
{
    uint8_t body[LIMIT_FRAME];
    size_t len;
    while (peer_has_room(c->peer) && (len = feed_next(c, body, sizeof(body))) > 0) {
        if (peer_send_frame(c->peer, FRAME_NAMES, false, body, len) != 0) {
            return;
        }
    }
}

bool feed_due(const struct scheduler *s)
{
    return atomic_load(&s->node->names_changed) != s->names_told;
}

/* Has all peers fed if our names have changed. */
static void feed_changes(struct scheduler *s)
{
    if (!feed_due(s)) {
        return;
    }
    s->names_told = atomic_load(&s->node->names_changed);
    list_each(link, &s->connections) {
        struct connection *c = container_of(link, struct connection, link);
        if (c->ready_ns && c->member) {
            feed_add(c);
        }
    }
}

void feed_tick(struct scheduler *s)
{
    struct list *first;
    feed_changes(s);
    while ((first = list_first(&s->feeds))) {
        struct connection *c = container_of(first, struct connection, feed);
        list_remove(first);
        if (c->ready_ns && c->member) {
            feed_names(c);
        }
        while (peer_has_room(c->peer) && tables_feed(c)) {}
    }
}
