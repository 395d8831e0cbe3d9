/* http3: a small HTTP/3 client for tests, on lib/quic and nghttp3: real handshakes, real
 * certificates. Any number of requests at once on a connection; what a test needs to be slow or
 * rude with is a field. Pumped by the caller's thread. */
#ifndef DOUBLES_HTTP3_H
#define DOUBLES_HTTP3_H

#include <netinet/in.h>
#include <nghttp3/nghttp3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/must.h"
#include "quic/endpoint.h"

#define HTTP3_RAW 128
#define HTTP3_WINDOW ((uint64_t)1 << 20) /* credit of a response */

struct http3 {
    struct endpoint *endpoint;
    struct conn *conn; /* NULL: it has ended */
    nghttp3_conn *http;
    struct conn_end end;
    bool ready, refused;
    unsigned going;  /* GOAWAYs */
    uint64_t window; /* credit of a response; set before http3_open; 0: HTTP3_WINDOW */
    struct {         /* rude: bytes on a stream that nghttp3 knows nothing of */
        int64_t id;
        const void *data;
        size_t len, sent;
        bool fin, over;
    } raw[HTTP3_RAW];
    size_t raw_count;
};

/* A request and its response. Zero but for what is asked; stays where it is until http3_forget. */
struct http3_request {
    struct http3 *client;
    int64_t id;
    const char *method, *path, *token; /* NULL: no such field */
    const char *const *fields;         /* others: name, value, …, NULL */
    const void *body;
    size_t len, sent;
    size_t hold; /* slow: sends no more than so many bytes of the body; SIZE_MAX: all */
    bool unread; /* slow: takes nothing of the response's body beyond its first credit */
    int status;  /* 0: none yet */
    char head[2048];
    size_t head_len;
    struct buf answer;
    bool submitted, done; /* done: the stream is closed, nothing refers to this any more */
    uint64_t code;        /* of a reset; 0: none */
};

/* ---- nghttp3 ---- */

/* ---- QUIC ---- */

/* ---- for tests ---- */

/* Dials HOST:PORT's address with the identity's certificate, or (anonymous) without; either way the
 * server must have it. 0 or an error of endpoint_new. */
int http3_open(struct http3 *h, const struct sockaddr *to, socklen_t len,
               const struct identity *identity, bool anonymous);

void http3_close(struct http3 *h);

/* 0, or RUSM_BUSY: the server allows no more streams now. */
int http3_submit(struct http3 *h, struct http3_request *r);

/* Bytes on a stream of their own, for those who break the rules. 0, or RUSM_BUSY as above. */
int http3_raw(struct http3 *h, bool uni, const void *data, size_t len, bool fin);

/* Breaks it off, both ways. */
void http3_break(struct http3_request *r);

void http3_forget(struct http3_request *r);

/* One tick; waits up to ms if there was nothing to do. */
void http3_tick(struct http3 *h, int ms);

/* Ticks until the request is done, the connection has ended, or seconds have passed: false. */
bool http3_wait(struct http3 *h, const struct http3_request *r, unsigned seconds);

#endif
