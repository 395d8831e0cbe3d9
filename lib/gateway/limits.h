/* limits: the maxima of HTTP, each with its reason and what happens when it is met. `make limits`
 * lists those of all rooms. */
#ifndef GATEWAY_LIMITS_H
#define GATEWAY_LIMITS_H

#include "wire/limits.h"
#include "rusm.h"

/* Requests that a node works at or whose answers are on their way, all clients together: a few KiB
 * each. Above: 503. */
#define LIMIT_HTTP_REQUESTS 4096

/* HTTP/3 connections; they are some of LIMIT_CONNECTIONS. Above: closed. */
#define LIMIT_HTTP_CONNECTIONS 1024

/* Of these, clients without certificate whose first token has not come, and how long it may take:
 * they are strangers still. Above: the oldest is closed. */
#define LIMIT_HTTP_STRANGERS 64
#define LIMIT_HTTP_STRANGER_NS ((uint64_t)10 * 1000000000)

/* Streams of requests at once, a connection. QUIC holds the client to it. */
#define LIMIT_HTTP_STREAMS 1024

/* Bytes of a request's path and query: a name and 64 short arguments; all of its header fields.
 * Longer: 431. */
#define LIMIT_HTTP_TARGET 4096
#define LIMIT_HTTP_FIELDS 16384

/* All bodies of requests and responses that a node holds for HTTP clients: two of the longest
 * messages. Above: 503. */
#define LIMIT_HTTP_BODIES (2 * (uint64_t)RUSM_MESSAGE_MAX)

/* How long a call waits for its reply unless the request says so; and at most: one that waits for
 * ever is one of LIMIT_HTTP_REQUESTS for ever. */
#define LIMIT_HTTP_TIMEOUT_MS 5000
#define LIMIT_HTTP_TIMEOUT_MAX_S 3600

/* One part of a table as JSON: a frame's rows, each of whose bytes may become an escape of six,
 * with a name a value. */
#define LIMIT_HTTP_PART (16 * LIMIT_FRAME)

/* Bytes of a stream (events) that wait for a slow client. What comes above is left out, and the
 * client told so. */
#define LIMIT_HTTP_STREAM ((size_t)256 * 1024)

/* A client has to send or take so much in so long, or all that there is: else 408, or its request
 * is broken off, as it holds memory. */
#define LIMIT_HTTP_PROGRESS 16384
#define LIMIT_HTTP_STALL_NS ((uint64_t)30 * 1000000000)

/* How often a stream of events says that it lives, so that a client that is gone is noticed. */
#define LIMIT_EVENTS_BEAT_NS ((uint64_t)15 * 1000000000)

/* HTTP/1.1 connections over TCP: a descriptor each, and memory for a request's head while it has
 * one; at most half of the descriptors that the node may have. Above: they wait to be accepted. */
#define LIMIT_HTTP_DOORS 1024

/* One in so many of these is left to others than the client (an IPv4 address, an IPv6 /64) that
 * has most; not more, as all who come by a proxy are one client. Above: closed. */
#define LIMIT_HTTP_DOORS_LEFT 4

/* Memory for a request's head and for what is under way of its response, a connection:
 * LIMIT_HTTP_TARGET and LIMIT_HTTP_FIELDS, their places in a list, and a block. */
#define LIMIT_HTTP_DOOR_BYTES ((size_t)40 * 1024)

/* A response's body is copied to libmicrohttpd in blocks of this size. */
#define LIMIT_HTTP_BLOCK ((size_t)16 * 1024)

/* Bytes of a body that nobody wants, after which its connection is closed: until then it is read,
 * so that the client sees the answer and the connection can go on. */
#define LIMIT_HTTP_DISCARD ((uint64_t)256 * 1024)

/* Wrong tokens from one address within so long; more are not looked at: 429. */
#define LIMIT_HTTP_WRONG 10
#define LIMIT_HTTP_WRONG_NS ((uint64_t)10 * 1000000000)

/* Bytes of a spawn's JSON: LIMIT_ARGS_BYTES, each as an escape of six. Longer: 413. */
#define LIMIT_HTTP_JSON ((size_t)256 * 1024)

#endif
