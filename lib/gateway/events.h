/* events: GET /v1/events, a stream of server-sent events (WHATWG HTML, 9.2) of what happens on the
 * node. Each stream has its own queue. It counts the events that find no room there, and tells the
 * client how many as soon as there is room. On the gateway's thread. */
#ifndef GATEWAY_EVENTS_H
#define GATEWAY_EVENTS_H

#include "gateway/gateway.h"

/* Handles the route. */
void events_watch(struct exchange *x);
/* Returns whether any stream is open. */
bool events_has_watchers(const struct gateway *g);
/* Sends an event to all streams that want its type. */
void events_send(struct gateway *g, const struct gateway_event *event);
/* Counts events as missed on all streams. */
void events_add_missed(struct gateway *g, uint64_t count);
/* Sends a sign of life on each stream when it is due. Returns when to be called again. */
uint64_t events_tick(struct gateway *g);
/* Ends all streams, as the node leaves. */
void events_leave(struct gateway *g);

#endif
