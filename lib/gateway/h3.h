/* h3: HTTP/3 connections (RFC 9114), the only files that know nghttp3. No dynamic QPACK table: what
 * a client could make us keep is not worth the bytes it saves.
 *
 *   h3.c          connections: who may have one, what QUIC tells, leaving
 *   h3_request.c  their streams: nghttp3's callbacks, and the gateway's transport
 */
#ifndef GATEWAY_H3_H
#define GATEWAY_H3_H

#include <nghttp3/nghttp3.h>
#include "gateway/exchange.h"
#include "quic/endpoint.h"

struct h3 {
    struct list link;     /* in gateway.connections */
    struct list stranger; /* in gateway.strangers until it has shown certificate or token */
    struct gateway *gateway;
    struct conn *conn;
    nghttp3_conn *http;
    struct list streams; /* of requests */
    uint64_t since_ns;
    uint64_t allowed;          /* streams that it may have opened so far */
    unsigned unis;             /* unidirectional ones that it opened */
    struct h3_stream *reading; /* whose bytes nghttp3 reads now; NULL: none's */
};

/* A request's stream. */
struct h3_stream {
    struct list link;
    struct h3 *h3;
    int64_t id;
    struct exchange *exchange; /* NULL: none yet, or the node has too many */
    bool ended;                /* the request is complete */
    bool stopped;              /* the client was told that we want no more of it */
    bool answering;            /* the response was begun */
    bool ranked;               /* the client said what matters more (RFC 9218) */
};

/* ---- h3.c, for the gateway ---- */
int h3_accept(struct gateway *g, struct conn *c); /* as gateway_accept */
/* Closes connections that have shown no token in time. Returns when to be called again. */
uint64_t h3_tick(struct gateway *g);
/* Tells all clients that the node takes no further requests. */
void h3_leave(struct gateway *g);
void h3_close(struct gateway *g); /* all connections */
/* Frees the connections that are left, once their endpoint is freed. */
void h3_end(struct gateway *g);

/* ---- between the two files ---- */
extern const nghttp3_callbacks h3_callbacks;

/* The stream is over, or won't go on: what was asked is cancelled. */
void h3_stream_free(struct h3_stream *s);
struct h3_stream *h3_stream_new(struct h3 *h, int64_t id); /* NULL: no memory */
/* After what came was read: no more of it is wanted if the response is there already. */
void h3_stream_look(struct h3_stream *s);
/* The client has shown that it may. */
void h3_proven(struct h3 *h);
void h3_fail(struct h3 *h, int error); /* nghttp3's */

#endif
