/* listing: a table on its way to who asked for it, in as many replies as it needs: a cursor that
 * moves on as the asker's control stream drains (feed.c). A long one costs little memory and holds
 * nothing else up, and each of its rows is true when it is sent. What listing.c and tables.c share;
 * node.h has the rest. On scheduler 0's thread. */
#ifndef NODE_LISTING_H
#define NODE_LISTING_H

#include "wire/limits.h"
#include "node/node.h"
#include "node/tables.h"
#include "service/tables.h"

/* One that was asked for; where it is. */
struct listing {
    struct list link; /* in connection.listings */
    uint64_t id;
    enum rusm_table table;
    bool begun;              /* the columns were sent */
    unsigned scheduler;      /* whose processes or names are next */
    uint64_t at;             /* the last process's serial or member's number; spawnables shown */
    struct name_cursor name; /* of local names */
    struct map_scan global;
};

/* Its next reply. */
struct table {
    struct connection *to; /* NULL: to `part`, without a reply's head */
    table_part_fn *part;
    void *context;
    struct rusm_node *node;
    struct listing *listing;
    unsigned sent; /* replies */
    int error;     /* of sending: the connection is about to end */
    struct writer w;
    size_t head; /* bytes before the rows */
    uint8_t body[LIMIT_FRAME];
};

/* Puts rows until a reply was sent. False: there are no more. One function a table. */
typedef bool table_rows_fn(struct table *t, struct listing *l);
extern table_rows_fn *const table_rows[TABLES];

/* ---- for rows ---- */
/* True: a reply went out with it. */
bool table_end_row(struct table *t);

#endif
