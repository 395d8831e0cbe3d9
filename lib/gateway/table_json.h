/* table_json: sends a node's tables as JSON: {"processes": [{...}, ...]}. A row is an object with
 * the keys that `rusm attach --json` has. Sends a part of the table when the client has the part
 * before, so that a long table costs little memory. On the gateway's thread. */
#ifndef GATEWAY_TABLE_JSON_H
#define GATEWAY_TABLE_JSON_H

struct exchange;

/* Handles the routes of tables. */
void table_json_get(struct exchange *x);

#endif
