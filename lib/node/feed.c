/* feed: what a control stream gets as it drains, so that what waits behind it (receipts, replies, a
 * PONG) never waits long, and what a peer has not read is bounded: changes of our names, and tables.
 * Called by the node's turns. */
#include "base/limits.h"
#include "node/node.h"

void feed_add(struct connection *c)
{
    if (!list_linked(&c->feed))
        list_append(&c->node->feeds, &c->feed);
}

void feed_room(void *context, struct peer *p)
{
    (void)context;
    feed_add(connection_of(p));
}

static size_t feed_next(struct connection *c, uint8_t *body, size_t cap)
{
    globals_lock(c->node);
    size_t len = registry_next(c->node->registry, c->index, body, cap);
    globals_unlock(c->node);
    return len;
}

static uint32_t feed_due(struct rusm_node *node)
{
    globals_lock(node);
    uint32_t index = registry_due(node->registry);
    globals_unlock(node);
    return index;
}

/* What changed among our names since it was last told. */
static void feed_names(struct connection *c)
{
    uint8_t body[LIMIT_FRAME];
    size_t len;
    while (peer_has_room(c->peer) && (len = feed_next(c, body, sizeof body)) > 0)
        if (peer_send_frame(c->peer, FRAME_NAMES, false, body, len) != 0)
            return;
}

void feed_turn(struct rusm_node *node)
{
    struct list *first;
    uint32_t index;
    while ((index = feed_due(node)) != 0) {
        struct connection *c = connection_find(node, index);
        if (c)
            feed_add(c);
    }
    while ((first = list_first(&node->feeds))) {
        struct connection *c = list_entry(first, struct connection, feed);
        list_remove(first);
        if (c->ready_ns)
            feed_names(c);
        while (peer_has_room(c->peer) && tables_feed(c)) {}
    }
}
