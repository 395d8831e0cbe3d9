/* transport: what carries HTTP (h3_request.c, tcp.c) hands requests to the gateway as exchanges,
 * one a request, and takes their responses from them. On the gateway's thread. */
#ifndef GATEWAY_TRANSPORT_H
#define GATEWAY_TRANSPORT_H

#include <sys/socket.h>
#include "gateway/gateway.h"

struct gateway_transport {
    /* There is something to read: the response's head, or more of its body. May be called from
     * within exchange_head_end, exchange_body and exchange_end. Not to free the exchange in. */
    void (*ready)(void *context, struct exchange *x);
    /* The client is too slow, or the rest of the response can't be made: break it off, and free the
     * exchange, at once or (exchange_cancel now) later. Not called from within the functions
     * below. */
    void (*give_up)(void *context, struct exchange *x);
};

struct exchange_options {
    const struct gateway_transport *transport; /* kept */
    void *context;
    const struct sockaddr *from; /* borrowed */
    bool trusted;                /* the client has the cluster's certificate */
};

/* NULL: LIMIT_HTTP_REQUESTS or no memory; say 503 and Retry-After. */
struct exchange *exchange_new(struct gateway *g, const struct exchange_options *options);
/* A field of the request, and before them ":method" and ":path" (with the query). Borrowed. What
 * does not matter is only counted. */
void exchange_field(struct exchange *x, const char *name, size_t name_len, const char *value,
                    size_t value_len);
/* All of them came. False: the response is there, and no body is wanted: what comes may be thrown
 * away, and exchange_end need not be called. */
bool exchange_head_end(struct exchange *x);
/* More of the request's body; borrowed. False as above. */
bool exchange_body(struct exchange *x, const void *data, size_t len);
/* The request is complete. */
void exchange_end(struct exchange *x);
/* The client wants no response: what it asked for is cancelled, unless it has event. What was
 * pulled stays. `ready` and `give_up` are not called any more. */
void exchange_cancel(struct exchange *x); /* NULL is fine */
/* Ends it, the same way. */
void exchange_free(struct exchange *x); /* NULL is fine */

/* A connection was refused: its client has so many already. */
void gateway_crowded(struct gateway *g);

#define EXCHANGE_FIELDS 8
#define EXCHANGE_STREAMED UINT64_MAX
struct exchange_head {
    int status; /* 200 */
    struct {
        const char *name, *value; /* the name in lower case; no content-length */
    } field[EXCHANGE_FIELDS];
    size_t count;
    uint64_t length; /* of the body; EXCHANGE_STREAMED: not known, it comes as it happens */
};
/* NULL: no response yet. Stays as it is. (A HEAD request's has the length, and nothing to pull.) */
const struct exchange_head *exchange_head(const struct exchange *x);
/* The next bytes of the body, at most cap: sets *data, which stays until exchange_acked. Returns
 * how many; 0: none now, or *end: that was all. */
size_t exchange_pull(struct exchange *x, const uint8_t **data, size_t cap, bool *end);
/* The first `len` bytes that were pulled and not yet acked have reached the client. */
void exchange_acked(struct exchange *x, size_t len);
/* The request had the right token, or its client the certificate. */
bool exchange_allowed(const struct exchange *x);

#endif
