/* tables: what is shown of the node: counters and tables. Called on scheduler 0's thread, or on
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

/* All counters now; how many. */
size_t tables_counters(struct rusm_node *node, struct counter counters[COUNTERS_MAX]);
/* Begins a listing; tables_feed sends it. */
void tables_serve(struct connection *c, uint64_t id, uint64_t table);
/* Sends the next of what was asked for. False: nothing was. */
bool tables_feed(struct connection *c);
void tables_cancel(struct connection *c, uint64_t id);
void tables_free(struct connection *c);
/* A listing for whoever is here. NULL: *error is RUSM_EINVAL (no such table) or RUSM_ENOMEM. */
struct listing *tables_open(uint64_t table, int *error);
/* Gives the columns or the next rows to `part`, as in wire/table.h. False: there are no more. While
 * there is a runtime. */
typedef void table_part_fn(void *context, const uint8_t *body, size_t len);
bool tables_next(struct rusm_node *node, struct listing *l, table_part_fn *part, void *context);
void tables_close(struct listing *l); /* NULL is fine */

#endif
