/* limits: the maxima of HTTP, each with its reason and what happens when it is met. `make limits`
 * lists the limits of all rooms. */
#ifndef GATEWAY_LIMITS_H
#define GATEWAY_LIMITS_H

#include "wire/limits.h"
#include "rusm.h"

/* Requests of all clients that a node works at or whose answers are under way. Each takes a few
 * KiB. Above: 503. */
#define LIMIT_HTTP_REQUESTS 4096

/* HTTP/3 connections. They count in LIMIT_CONNECTIONS too. Above: a new one is closed. */
#define LIMIT_HTTP_CONNECTIONS 1024

/* Strangers: HTTP/3 connections of clients that have shown no certificate and no token yet, and how
 * long they may take to show one. Above: the oldest is closed. */
#define LIMIT_HTTP_STRANGERS 64
#define LIMIT_HTTP_STRANGER_NS ((uint64_t)10 * 1000000000)

/* Streams of requests at once on a connection. QUIC does not let the client open more. */
#define LIMIT_HTTP_STREAMS 1024

/* Bytes of a request's path and query (a name and 64 short arguments), and bytes of all its header
 * fields. Longer: 431. */
#define LIMIT_HTTP_TARGET 4096
#define LIMIT_HTTP_FIELDS 16384

/* Bytes of all bodies of requests and responses that a node holds for HTTP clients: two of the
 * longest messages. Above: 503. */
#define LIMIT_HTTP_BODIES (2 * (uint64_t)RUSM_MESSAGE_MAX)

/* How long a call waits for its reply: the default and the longest. A call that waited for ever
 * would take one of LIMIT_HTTP_REQUESTS for ever. A longer timeout: 400. */
#define LIMIT_HTTP_TIMEOUT_MS 5000
#define LIMIT_HTTP_TIMEOUT_MAX_S 3600

/* Bytes of one part of a table as JSON: the rows of a frame. Each of their bytes may become an
 * escape of six bytes, and each value has a name. */
#define LIMIT_HTTP_PART (16 * LIMIT_FRAME)

/* Bytes of a stream of events that wait for a slow client. Events above it are left out, and the
 * client is told how many. */
#define LIMIT_HTTP_STREAM ((size_t)256 * 1024)

/* Bytes that a client must send or take in this time, or all if there are fewer. A slow request
 * holds memory. If the client is slower, it gets 408, or its request is broken off. */
#define LIMIT_HTTP_PROGRESS 16384
#define LIMIT_HTTP_STALL_NS ((uint64_t)30 * 1000000000)

/* How often a stream of events gets a sign of life, so that the node notices a client that is
 * gone. */
#define LIMIT_EVENTS_BEAT_NS ((uint64_t)15 * 1000000000)

/* HTTP/1.1 connections over TCP, but at most half of the descriptors that the node may have. Each
 * has a descriptor, and memory for the head of a request. Above: they wait to be accepted. */
#define LIMIT_HTTP_TCP_CONNECTIONS 1024

/* One client (an IPv4 address, an IPv6 /64) may have all of these connections except one in this
 * many. A client may have so many because all users of one proxy count as one client. Above: its
 * oldest one that has not shown the token is closed, or if all have, the new one. */
#define LIMIT_HTTP_TCP_OTHERS 4

/* Bytes of memory of a connection over TCP, for the head of a request and a part of its response:
 * LIMIT_HTTP_TARGET and LIMIT_HTTP_FIELDS, their places in a list, and a LIMIT_HTTP_BLOCK. */
#define LIMIT_HTTP_TCP_BYTES ((size_t)40 * 1024)

/* Bytes of a response's body that libmicrohttpd takes at a time. It copies a longer body in several
 * blocks. */
#define LIMIT_HTTP_BLOCK ((size_t)16 * 1024)

/* Bytes of an unwanted body that are read and thrown away, so that the client sees the answer and
 * the connection can go on. Above: the connection is closed. */
#define LIMIT_HTTP_DISCARD ((uint64_t)256 * 1024)

/* Wrong tokens from one origin in this time, so that one who guesses is told to stop, and is seen.
 * What keeps a token from being guessed is its length. Above: 429 for wrong tokens. The right one
 * is taken always: others at its address must not lock its owner out. */
#define LIMIT_HTTP_WRONG 10
#define LIMIT_HTTP_WRONG_NS ((uint64_t)10 * 1000000000)

/* Addresses and networks of proxies that are believed who the client is. Each is compared with each
 * address of a request's X-Forwarded-For. Above: the node does not start. */
#define LIMIT_HTTP_PROXIES 64

/* How often the token's file is looked at, if requests come with a token. Each look costs a system
 * call. */
#define LIMIT_HTTP_TOKEN_NS ((uint64_t)1000000000)

/* Bytes of a spawn's JSON: LIMIT_ARGS_BYTES, each as an escape of six bytes. Longer: 413. */
#define LIMIT_HTTP_JSON ((size_t)256 * 1024)

#endif
