/* h3: HTTP/3 connections (RFC 9114). Only these files use nghttp3. There is no dynamic QPACK table:
 * the bytes it saves are not worth the memory that a client could make us keep.
 *
 *   h3.c          connections: who may have one, QUIC's callbacks, leaving
 *   h3_request.c  their streams: nghttp3's callbacks, and the gateway's transport
 */
#ifndef GATEWAY_H3_H
#define GATEWAY_H3_H

#include <nghttp3/nghttp3.h>
#include "gateway/exchange.h"
#include "quic/endpoint.h"

struct h3 {
    struct list link;     /* in gateway.connections */
    struct list stranger; /* in gateway.strangers until its client has shown certificate or token */
    struct gateway *gateway;
    struct conn *conn;
    nghttp3_conn *http;
    struct list streams; /* the streams of requests */
    uint64_t since_ns;
    uint64_t allowed;          /* streams that the client may open in all, so far */
    unsigned unis;             /* unidirectional streams that the client opened */
    struct h3_stream *reading; /* the stream whose bytes nghttp3 reads now, or NULL */
};

/* A request's stream. */
struct h3_stream {
    struct list link;
    struct h3 *h3;
    int64_t id;
    struct exchange *exchange; /* NULL: none yet, or the node has too many */
    bool ended;                /* the request is complete */
    bool stopped;              /* we told the client to send no more of the request */
    bool answering;            /* the response has begun */
    bool ranked;               /* the client gave a priority (RFC 9218) */
};

/* ---- h3.c, for the gateway ---- */
int h3_accept(struct gateway *g, struct conn *c); /* see gateway_accept */
/* Closes connections whose clients have shown no token in time. Returns when to be called again. */
uint64_t h3_tick(struct gateway *g);
/* Tells all clients that the node takes no further requests. */
void h3_leave(struct gateway *g);
void h3_close(struct gateway *g); /* closes all connections */
/* Frees the connections that are left. Call it after their endpoint is freed. */
void h3_end(struct gateway *g);

/* ---- between the two files ---- */
extern const nghttp3_callbacks h3_callbacks;

/* Frees a stream that has ended or won't go on. Cancels what its request asked for. */
void h3_stream_free(struct h3_stream *s);
struct h3_stream *h3_stream_new(struct h3 *h, int64_t id); /* NULL: no memory */
/* Tells the client to stop sending if the response has begun. Call it after reading what came. */
void h3_stream_look(struct h3_stream *s);
/* Notes that the client has shown certificate or token. */
void h3_proven(struct h3 *h);
void h3_fail(struct h3 *h, int error); /* closes the connection with an nghttp3 error */

#endif
