/* http3: a small HTTP/3 client for tests, on lib/quic and nghttp3, with real handshakes and real
 * certificates. A connection takes any number of requests at once. Fields make a client slow or let
 * it break the rules. The caller's thread drives it. */
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
#define HTTP3_WINDOW ((uint64_t)1 << 20) /* credit of a response, bytes */

struct http3 {
    struct endpoint *endpoint;
    struct conn *conn; /* NULL: the connection has ended */
    nghttp3_conn *http;
    struct conn_end end;
    bool ready, refused;
    unsigned going;  /* GOAWAY frames received */
    uint64_t window; /* credit of a response in bytes, set before http3_open; 0: HTTP3_WINDOW */
    struct {         /* streams that break the rules: raw bytes, unknown to nghttp3 */
        int64_t id;
        const void *data;
        size_t len, sent;
        bool fin, over;
    } raw[HTTP3_RAW];
    size_t raw_count;
};

/* A request and its response. The caller sets only what it needs and leaves the rest zero. The
 * struct must not move until http3_forget. */
struct http3_request {
    struct http3 *client;
    int64_t id;
    const char *method, *path, *token, *accept; /* NULL: the request has no such field */
    const char *const *fields;                  /* more fields: name, value, …, NULL */
    const void *body;
    size_t len, sent;
    size_t hold; /* slow: sends at most this many bytes of the body; SIZE_MAX: all */
    bool unread; /* slow: gives the response's body no credit beyond the first */
    int status;  /* 0: no response yet */
    char head[2048];
    size_t head_len;
    struct buf answer;
    bool submitted, done; /* done: the stream is closed, nothing refers to this any more */
    uint64_t code;        /* of a reset; 0: no reset */
};

/* ---- nghttp3 ---- */

/* ---- QUIC ---- */

/* ---- for tests ---- */

/* Dials the address with the identity's certificate, or with none if `anonymous`. In both cases the
 * server must present the identity's certificate. Returns 0 or an error of endpoint_new. */
int http3_open(struct http3 *h, const struct sockaddr *to, socklen_t len,
               const struct identity *identity, bool anonymous);

void http3_close(struct http3 *h);

/* Submits a request. Returns 0, or RUSM_BUSY if the server allows no more streams now. */
int http3_submit(struct http3 *h, struct http3_request *r);

/* Sends raw bytes on a new stream, to break the rules. Returns 0, or RUSM_BUSY as above. */
int http3_raw(struct http3 *h, bool uni, const void *data, size_t len, bool fin);

/* Resets the request's stream in both directions. */
void http3_break(struct http3_request *r);

void http3_forget(struct http3_request *r);

/* Runs one tick. Waits up to ms milliseconds if there was nothing to do. */
void http3_tick(struct http3 *h, int ms);

/* Ticks until the request is done. Returns false if the connection ends or the seconds pass
 * first. */
bool http3_wait(struct http3 *h, const struct http3_request *r, unsigned seconds);

#endif
