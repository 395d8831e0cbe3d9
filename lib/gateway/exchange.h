/* exchange: one request and its response, as the handlers of routes see it. A handler is called
 * when the request is complete. It answers then, or later, when the outcome of its job comes. */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "base/buf.h"
#include "gateway/accept.h"
#include "gateway/answer.h"
#include "gateway/gateway_state.h"
#include "gateway/proxy.h"
#include "gateway/transport.h"
#include "gateway/url.h"

enum exchange_state {
    EXCHANGE_FIELDS_COME,
    EXCHANGE_BODY_COMES,
    EXCHANGE_WORKING,  /* the request is complete, and the node or the handler is at work */
    EXCHANGE_ANSWERED, /* the response has a head */
};

/* A part of the response's body. */
struct piece {
    struct list link;
    const uint8_t *data;
    void *owned; /* freed with the piece, and charged for; NULL: data is constant */
    size_t len;
};

struct exchange {
    struct list link; /* in gateway.clients or others */
    struct gateway *gateway;
    const struct gateway_transport *transport;
    void *context;
    struct proxy_client client; /* wrong tokens are counted for each */
    unsigned wrong;             /* tokens */
    enum exchange_state state;
    bool trusted, bearer; /* the client has the certificate; it sent the right token */
    bool tried;           /* a token came, right or wrong */
    bool throttled;       /* its token is wrong, as too many of that origin were */
    bool head_only;       /* the method is HEAD */
    bool json;            /* the request's content-type is JSON, or it has none */
    bool overflow;        /* the request's fields have too many bytes */
    bool no_memory;
    bool bad;     /* the request's fields break HTTP's rules */
    bool broken;  /* the rest of the response can't be made */
    bool gave_up; /* the response goes no further: the client or the gateway gave up */
    struct accept accept;
    uint64_t content_length; /* UINT64_MAX: the request does not say */
    size_t field_bytes;
    char method[16];
    struct url url;
    const struct http_route *route;
    char *parameter; /* decoded, NUL-terminated */
    char allow[64];  /* the methods that its path has */

    struct buf body;  /* of the request */
    uint64_t charged; /* bytes of the gateway's budget that its bodies take */

    struct gateway_job job;
    bool working; /* the job has begun and has not ended */
    void *state_of_handler;
    void (*part)(struct exchange *x, const uint8_t *body, size_t len); /* takes a part of a TABLE */
    void (*drained)(struct exchange *x); /* called when a stream's bytes are all acked; or NULL */
    void (*gone)(struct exchange *x);    /* called once, when x is cancelled or freed; or NULL */

    struct exchange_head head;
    char retry_after[12], type[64], location[RUSM_PID_TEXT_MAX * 3 + 32];
    struct list pieces;   /* the pieces that are not acked yet */
    struct list *pulling; /* the piece with the next bytes; &pieces: the one after `behind` */
    struct list *behind;  /* the last piece that was pulled whole; NULL: not in the list any more */
    size_t pulled, acked; /* bytes of the piece `pulling`; bytes of the first piece */
    uint64_t waiting;     /* bytes in pieces */
    bool streaming;       /* answer_write may add more */
    uint64_t progress_ns; /* when the client last did its part */
    uint64_t progress_bytes; /* bytes since then, too few to count as progress */
};

/* Takes bytes of the gateway's budget for bodies, until the exchange is freed or gives them back.
 * Returns false if the budget has not so much left. */
bool exchange_charge(struct exchange *x, uint64_t bytes);
/* Starts the client's time again: the client did its part, or has nothing to do now. */
void exchange_progress(struct exchange *x);
/* Frees the request's body and gives its budget back. */
void exchange_body_free(struct exchange *x);
/* Gives up the exchanges whose clients are too slow. Returns when to be called again. */
uint64_t exchange_tick(struct gateway *g);

#endif
