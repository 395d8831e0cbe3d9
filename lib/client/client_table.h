/* client_table: reads a node's tables, row by row, as the node sends them. On the caller's
 * thread. */
#ifndef CLIENT_CLIENT_TABLE_H
#define CLIENT_CLIENT_TABLE_H

#include "client/client.h"

/* Reads a table and calls `row` for each row. If `row` returns other than 0, this ends the request
 * and returns the same. */
int client_table_read(struct rusm_client *c, enum rusm_table table, rusm_row_fn *row, void *context,
                      uint64_t deadline_ns, struct rusm_why *why);

#endif
