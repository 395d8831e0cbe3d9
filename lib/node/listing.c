/* listing: see the header. Called by rpc.c, feed.c and http.c. */
#include "node/listing.h"
#include "node/limits.h"
#include "wire/limits.h"

#include <stdlib.h>

#include "node/feed.h"
#include "node/reply.h"
#include "node/tables.h"

/* A frame is sent when it holds this many bytes. A row has at most a few hundred bytes. */
#define FULL (LIMIT_FRAME - 4096)

static void begin(struct table *t, uint64_t flags)
{
    t->w = writer_on(t->body, sizeof(t->body));
    if (t->to) {
        reply_write(&t->w, &(struct reply){ .id = t->listing->id, .flags = flags });
    }
    t->head = writer_len(&t->w);
}

static void send_part(struct table *t)
{
    if (!t->to) {
        t->part(t->context, t->body, writer_len(&t->w));
    } else if (!t->error) {
        t->error = peer_send_frame(t->to->peer, FRAME_REPLY, false, t->body, writer_len(&t->w));
    }
    t->sent++;
    begin(t, REPLY_MORE);
}

bool table_end_row(struct table *t)
{
    unsigned before = t->sent;
    if (writer_len(&t->w) > FULL) {
        send_part(t);
    }
    return t->sent > before;
}

/* ---- listings ---- */

struct listing *tables_open(uint64_t table, int *error)
{
    struct listing *l = NULL;
    *error = RUSM_EINVAL;
    if (table < TABLES) {
        *error = RUSM_ENOMEM;
        l = calloc(1, sizeof(*l));
    }
    if (l) {
        *error = 0;
        l->table = (enum rusm_table)table;
    }
    return l;
}

void tables_serve(struct connection *c, uint64_t id, uint64_t table)
{
    int error;
    if (c->listing_count >= LIMIT_LISTINGS) {
        peer_close(c->peer, CLOSE_LIMIT, "too many listings");
        return;
    }
    struct listing *l = tables_open(table, &error);
    if (!l) {
        reply_fail(c, id, error, error == RUSM_EINVAL ? "%s has no such table" : "%s has no memory",
                   c->scheduler->node->name);
        return;
    }
    l->id = id;
    list_append(&c->listings, &l->link);
    c->listing_count++;
    feed_add(c);
}

static void listing_free(struct connection *c, struct listing *l)
{
    list_remove(&l->link);
    c->listing_count--;
    free(l);
}

/* Sends at least one reply. Returns false if that was the last one. */
static bool listing_go_on(struct table *t, struct listing *l)
{
    begin(t, REPLY_MORE);
    if (!l->begun) {
        tables_put_columns(&t->w, l->table);
        send_part(t);
        l->begun = true;
        return true;
    }
    bool more = table_rows[l->table](t, l);
    if (writer_len(&t->w) > t->head) {
        send_part(t);
    }
    if (!more && t->to) {
        begin(t, 0);
        send_part(t);
    }
    return more;
}

bool tables_next(struct rusm_node *node, struct listing *l, table_part_fn *part, void *context)
{
    struct table t; /* large, so it is not cleared each time */
    t.to = NULL;
    t.part = part;
    t.context = context;
    t.node = node;
    t.listing = l;
    t.sent = 0;
    t.error = 0;
    return listing_go_on(&t, l);
}

void tables_close(struct listing *l)
{
    free(l);
}

bool tables_feed(struct connection *c)
{
    struct list *first = list_first(&c->listings);
    struct table t; /* large, so it is not cleared each time */
    if (!first) {
        return false;
    }
    struct listing *l = container_of(first, struct listing, link);
    if (c->scheduler->closed) {
        reply_fail(c, l->id, RUSM_ECLOSED, "%s is stopping", c->scheduler->node->name);
        listing_free(c, l);
        return true;
    }
    t.to = c;
    t.node = c->scheduler->node;
    t.listing = l;
    t.sent = 0;
    t.error = 0;
    bool more = listing_go_on(&t, l);
    if (t.error) {
        tables_free(c);
        return false;
    }
    if (!more) {
        listing_free(c, l);
        return true;
    }
    list_remove(first); /* the other listings come first now */
    list_append(&c->listings, first);
    return true;
}

void tables_cancel(struct connection *c, uint64_t id)
{
    list_each_safe(link, &c->listings) {
        struct listing *l = container_of(link, struct listing, link);
        if (l->id == id) {
            listing_free(c, l);
        }
    }
}

void tables_free(struct connection *c)
{
    list_each_safe(link, &c->listings) {
        listing_free(c, container_of(link, struct listing, link));
    }
}
