/* reach: from where an address can be reached, so that a peer is told only addresses that it can
 * use. Called on any scheduler's thread, under members_lock. */
#ifndef NODE_REACH_H
#define NODE_REACH_H

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct member;
struct rusm_node;

/* Returns whether the peer of the connection is on our host. */
bool reach_is_near(const struct connection *c);
/* Prints the address at which the peer of C, which is on our host if `near`, can dial a connected
 * member. Returns false if there is none. */
bool reach_address(const struct member *m, const struct connection *c, bool near, char *out,
                   size_t cap);
/* Takes the address that the peer of C says it is dialled at. Returns false if it means nothing
 * where we are: then the address that we see counts. */
bool reach_takes(struct connection *c, const char *advertised);
/* Says in the log if other nodes may not be able to dial the node as it listens. */
void reach_check(struct rusm_node *node);

#endif
