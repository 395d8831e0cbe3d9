/* client_follow: the events of a node that a client follows: one long request, whose replies are
 * kept until the program asks for the next event. On the caller's thread. */
#ifndef CLIENT_CLIENT_FOLLOW_H
#define CLIENT_CLIENT_FOLLOW_H

#include "client/client_link.h"

struct client_follow;
struct rusm_client;

/* Makes room for events that c will follow, in place of those before. Returns 0 or RUSM_ENOMEM. */
int client_follow_prepare(struct rusm_client *c);
/* Sends a request whose replies are events, and waits for the first reply. Returns 0, or RUSM_EIO
 * if the node does not know the request, or what the node or the connection says. */
int client_follow_begin(struct rusm_client *c, const struct writer *w, uint64_t deadline_ns,
                        struct rusm_why *why);
/* Handles a reply frame if it belongs to the events that the client follows. Returns whether it
 * does. */
bool client_follow_reply(struct rusm_client *c, const struct frame *frame, uint64_t id);
/* The connection is another one now, on which nothing is followed yet. */
void client_follow_lost(struct client_follow *f); /* NULL is fine */
void client_follow_free(struct client_follow *f); /* NULL is fine */

#endif
