/* listing: a table on its way to whoever asked for it, in as many replies as it needs. A listing is
 * a cursor that moves on as the control stream drains (feed.c). So a long table costs little memory
 * and holds up nothing else, and each row is true when it is sent. listing.c and tables.c share
 * this header, and tables.h has the rest. On scheduler 0's thread. */
#ifndef NODE_LISTING_H
#define NODE_LISTING_H

#include "wire/limits.h"
#include "node/node.h"
#include "node/tables.h"
#include "service/tables.h"

/* A listing, and where it is in its table. */
struct listing {
    struct list link; /* in connection.listings */
    uint64_t id;
    enum rusm_table table;
    bool begun;              /* the columns were sent */
    unsigned scheduler;      /* the scheduler whose processes or names come next */
    uint64_t at;             /* last serial of a process or number of a member; spawnables shown */
    struct name_cursor name; /* in the local names */
    struct map_scan global;
};

/* The next reply of a listing. */
struct table {
    struct connection *to; /* NULL: goes to `part`, without a reply's head */
    table_part_fn *part;
    void *context;
    struct rusm_node *node;
    struct listing *listing;
    unsigned sent; /* replies sent */
    int error;     /* RUSM_E* of sending: the connection is about to end */
    struct writer w;
    size_t head; /* bytes before the rows */
    uint8_t body[LIMIT_FRAME];
};

/* Puts rows until a reply was sent. Returns false if there are no more rows. Each table has one
 * such function. */
typedef bool table_rows_fn(struct table *t, struct listing *l);
extern table_rows_fn *const table_rows[TABLES];

/* ---- for the row functions ---- */
/* Ends a row. Returns true if a reply was sent with it. */
bool table_end_row(struct table *t);

#endif
