/* tables: what a node shows of itself: counters and tables. Called on scheduler 0's thread, or on
 * that of the connection which asked. */
#ifndef NODE_TABLES_H
#define NODE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/events.h"

struct connection;
struct listing;
struct rusm_node;

/* Fills in all counters as they are now. Returns how many there are. */
size_t tables_counters(struct rusm_node *node, struct counter counters[COUNTERS_MAX]);
/* Begins a listing, which tables_feed sends. */
void tables_serve(struct connection *c, uint64_t id, uint64_t table);
/* Sends the next part of what was asked for. Returns false if nothing was asked for or sending
 * failed. */
bool tables_feed(struct connection *c);
void tables_cancel(struct connection *c, uint64_t id);
void tables_free(struct connection *c);
/* Begins a listing for a caller on this node, which tables_close frees. Returns NULL with *error
 * RUSM_EINVAL (no such table) or RUSM_ENOMEM. */
struct listing *tables_open(uint64_t table, int *error);
/* Gives the columns or the next rows to `part`, as in wire/table.h. Returns false if there are no
 * more. Call it only while there is a runtime. */
typedef void table_part_fn(void *context, const uint8_t *body, size_t len);
bool tables_next(struct rusm_node *node, struct listing *l, table_part_fn *part, void *context);
void tables_close(struct listing *l); /* NULL is fine */

#endif
