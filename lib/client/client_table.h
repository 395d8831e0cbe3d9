/* client_table: a node's tables, row by row, as the node sends them. On the caller's thread. */
#ifndef CLIENT_CLIENT_TABLE_H
#define CLIENT_CLIENT_TABLE_H

#include "client/client.h"

/* Reads a table. `row` is called for each row; a result other than 0 ends the request and is
 * returned. */
int client_table_read(struct rusm_client *c, enum rusm_table table, rusm_row_fn *row, void *context,
                      uint64_t deadline_ns, struct rusm_why *why);

#endif
