/* limits: the maxima of a node, each with its reason and what happens when it is met. `make
 * limits` lists those of all rooms. */
#ifndef NODE_LIMITS_H
#define NODE_LIMITS_H

#include "gateway/limits.h"
#include "rusm.h"

/* Tables that one connection may be listed at once. An honest asker has one; above, it is
 * closed. */
#define LIMIT_LISTINGS 64

/* Requests of ours without an answer, a connection. Above: RUSM_ELIMIT. */
#define LIMIT_REQUESTS 4096

/* Datagrams that one scheduler has under way to others: there are next to none but where the system
 * can't deal them out, and there a burst of one connection. Above: dropped, as datagrams may be. */
#define LIMIT_FORWARDS 256

/* Messages and bytes that a program's own threads have posted to one process, and bytes to all,
 * for which there was no room yet: as much as a mailbox holds, and one of the longest messages.
 * Above: RUSM_BUSY. One message is always taken. */
#define LIMIT_POST_MESSAGES 1024
#define LIMIT_POST_BYTES ((size_t)4 * 1024 * 1024)
#define LIMIT_POSTS_BYTES RUSM_MESSAGE_MAX

/* Messages all processes handle before the loop looks at its sockets again. */
#define LIMIT_TICK_BUDGET 4096

/* Exit signals of a connection whose second copy is under way. Above, the oldest is forgotten: it
 * has its effect in its lane's order only. */
#define LIMIT_EXITS 1024

/* How long an exit signal waits for its place in its lane's order, which the process may hold
 * up. */
#define LIMIT_EXIT_WAIT_NS ((uint64_t)1000000000)

/* Connections in their handshake at once; above, a Retry is asked of newcomers. */
#define LIMIT_HALF_OPEN 256

/* Dials of a scheduler under way at once to nodes known by hearsay or by their own call: they may
 * be made up, and must not take the connections of those that are real. The others wait for their
 * tick. */
#define LIMIT_DIALS 64

/* Dials begun within so long before another may begin, so that a hundred nodes that start together
 * do not all wait for each other's handshakes until these are given up. One that takes longer, as
 * its address does not answer, holds up no other. */
#define LIMIT_DIALS_FRESH 16
#define LIMIT_DIALS_FRESH_NS ((uint64_t)2 * 1000000000)

/* Nodes that others told us of and that we have never been connected to: each is dialled for ever.
 * Above: what we are told is ignored. */
#define LIMIT_TOLD 1024

/* How long a node looks at its socket before it sleeps (--spin). Two cores that sleep cost a round
 * trip 80 us, spinning 9; peers that answer at once do so within 20. */
#define LIMIT_SPIN_NS ((uint64_t)50 * 1000)

/* A node of our run folder that started after us dials us, and is not dialled for this long (to
 * twice as long) after we hear of it: of a hundred that start together each pair would do so
 * twice. */
#define LIMIT_NEAR_NS ((uint64_t)10 * 1000000000)

/* Redialling a lost peer: from, up to; doubled each time, with jitter of a half. */
#define LIMIT_BACKOFF_MIN_NS ((uint64_t)100 * 1000000)
#define LIMIT_BACKOFF_MAX_NS ((uint64_t)15 * 1000000000)

/* How long a send or call waits while the receiver's mailbox is full, so that a burst is not
 * refused. Longer: 503. */
#define LIMIT_HTTP_BUSY_NS ((uint64_t)1000000000)

/* Bytes of events that come up in one tick for those who look on over HTTP: more than wait for one
 * of them. What comes above is left out, and they are told so. */
#define LIMIT_EVENTS_BYTES LIMIT_HTTP_STREAM

/* A graceful leave waits this long for queued messages to be acknowledged. */
#define LIMIT_LEAVE_NS ((uint64_t)2 * 1000000000)

#endif
