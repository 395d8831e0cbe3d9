/* client_events: handles what the node sends to a client: hello, receipts, replies, records. Called
 * within the endpoint's callbacks, so it only takes note. The function that steps the link does the
 * rest. */
#ifndef CLIENT_CLIENT_EVENTS_H
#define CLIENT_CLIENT_EVENTS_H

#include "peer/peer.h"

/* Give it to client_link_init, with the struct rusm_client as context. */
extern const struct peer_events client_events_peer;

#endif
