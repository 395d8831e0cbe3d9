/* client_events: what a client does with what its peer sends: hello, receipts, replies, records.
 * Called within the endpoint's callbacks: it takes note, and the function that steps the link
 * does the rest. */
#ifndef CLIENT_CLIENT_EVENTS_H
#define CLIENT_CLIENT_EVENTS_H

#include "peer/peer.h"

/* For a client_link, with the struct rusm_client as context. */
extern const struct peer_events client_events_peer;

#endif
