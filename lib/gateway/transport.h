/* transport: what carries HTTP (h3_request.c, tcp_request.c) makes an exchange for each request,
 * hands it to the gateway, and takes the response from it. On the gateway's thread. */
#ifndef GATEWAY_TRANSPORT_H
#define GATEWAY_TRANSPORT_H

#include <sys/socket.h>
#include "gateway/gateway.h"

struct gateway_transport {
    /* Tells that there is something to read: the response's head, or more of its body. The gateway
     * may call it from within exchange_head_end, exchange_body and exchange_end. It must not free
     * the exchange. */
    void (*ready)(void *context, struct exchange *x);
    /* Breaks the request off, as the client is too slow or the rest of the response can't be made.
     * It frees the exchange, or calls exchange_cancel and frees it later. The gateway never calls
     * it from within the functions below. */
    void (*give_up)(void *context, struct exchange *x);
};

struct exchange_options {
    const struct gateway_transport *transport; /* kept */
    void *context;
    const struct sockaddr *from; /* borrowed */
    bool trusted;                /* the client has the cluster's certificate */
};

/* Makes an exchange. Returns NULL if there are LIMIT_HTTP_REQUESTS or there is no memory. Then the
 * transport answers 503 with Retry-After. */
struct exchange *exchange_new(struct gateway *g, const struct exchange_options *options);
/* Takes a field of the request. ":method" and ":path" (with the query) must come before the others.
 * Borrows name and value. Fields that do not matter only count for LIMIT_HTTP_FIELDS. */
void exchange_field(struct exchange *x, const char *name, size_t name_len, const char *value,
                    size_t value_len);
/* Tells that all fields have come. Returns false if the response is there and no body is wanted.
 * Then the transport may throw away what comes, and need not call exchange_end. */
bool exchange_head_end(struct exchange *x);
/* Takes more of the request's body. Borrows data. Returns what exchange_head_end does. */
bool exchange_body(struct exchange *x, const void *data, size_t len);
/* Tells that the request is complete. */
void exchange_end(struct exchange *x);
/* Tells that the client wants no response. Cancels what it asked for, unless that has happened
 * already. Pulled data stays valid. The gateway calls `ready` and `give_up` no more. */
void exchange_cancel(struct exchange *x); /* NULL is fine */
/* Cancels the exchange, as exchange_cancel does, and frees it. */
void exchange_free(struct exchange *x); /* NULL is fine */

/* Counts a connection that was closed because its client has too many. */
void gateway_crowded(struct gateway *g);

#define EXCHANGE_FIELDS 8
#define EXCHANGE_STREAMED UINT64_MAX
struct exchange_head {
    int status; /* such as 200 */
    struct {
        const char *name, *value; /* the name in lower case; no content-length */
    } field[EXCHANGE_FIELDS];
    size_t count;
    uint64_t length; /* of the body; EXCHANGE_STREAMED: not known yet */
};
/* Returns the response's head, or NULL if there is no response yet. The head does not change any
 * more. For HEAD it has the length, but there is nothing to pull. */
const struct exchange_head *exchange_head(const struct exchange *x);
/* Gives the next bytes of the body, at most cap, in *data, which is valid until exchange_acked.
 * Returns how many they are, or 0 if there are none now. Sets *end if that was all. */
size_t exchange_pull(struct exchange *x, const uint8_t **data, size_t cap, bool *end);
/* Tells that the first `len` bytes that were pulled and not yet acked have reached the client. */
void exchange_acked(struct exchange *x, size_t len);
/* Returns whether the request had the right token, or its client the certificate. */
bool exchange_allowed(const struct exchange *x);

#endif
