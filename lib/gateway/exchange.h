/* exchange: one request and its response, as the handlers of routes see it. A handler is called
 * once the request is complete, and answers then, or later, when the outcome of its job comes. */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "base/buf.h"
#include "gateway/answer.h"
#include "gateway/gateway_state.h"
#include "gateway/transport.h"
#include "gateway/url.h"

enum exchange_state {
    EXCHANGE_FIELDS_COME,
    EXCHANGE_BODY_COMES,
    EXCHANGE_WORKING,  /* the request is complete, the node or a stream's handler is at work */
    EXCHANGE_ANSWERED, /* it has a head */
};

/* Some bytes of the response's body. */
struct piece {
    struct list link;
    const uint8_t *data;
    void *owned; /* to be freed with it, and charged for; NULL: constant */
    size_t len;
};

struct exchange {
    struct list link; /* in gateway.clients or others */
    struct gateway *gateway;
    const struct gateway_transport *transport;
    void *context;
    uint32_t origin; /* whose wrong tokens are counted together */
    enum exchange_state state;
    bool trusted, bearer; /* certificate; the right token */
    bool tried;           /* some token came */
    bool throttled;       /* not looked at: too many wrong ones of that origin */
    bool head_only;       /* HEAD */
    bool json;            /* the request's content-type is JSON's, or there is none */
    bool overflow;        /* the request's fields have too many bytes */
    bool no_memory;
    bool bad;    /* ... break HTTP's rules */
    bool broken; /* the rest of the response can't be made */
    bool gave_up;
    uint64_t content_length; /* UINT64_MAX: not said */
    size_t field_bytes;
    char method[16];
    struct url url;
    const struct http_route *route;
    char *parameter; /* decoded, NUL-terminated */
    char allow[64];  /* the methods of its path */

    struct buf body;  /* the request's */
    uint64_t charged; /* what its bodies take of the gateway's budget */

    struct gateway_job job;
    bool working; /* job has been begun and is not over */
    void *state_of_handler;
    void (*part)(struct exchange *x, const uint8_t *body, size_t len); /* of a TABLE */
    void (*drained)(struct exchange *x); /* a stream's: all was acked; NULL: nobody cares */
    void (*gone)(struct exchange *x);    /* it is being freed; NULL: nothing to do */

    struct exchange_head head;
    char retry_after[12], type[64], location[RUSM_PID_TEXT_MAX * 3 + 32];
    struct list pieces;      /* not acked yet */
    struct list *pulling;    /* where the next bytes are; &pieces: behind `behind` */
    struct list *behind;     /* the last one that was pulled whole, if it is there still */
    size_t pulled, acked;    /* of the pieces `pulling` and first */
    uint64_t waiting;        /* bytes in pieces */
    bool streaming;          /* more may be written */
    uint64_t progress_ns;    /* when the client last did its part */
    uint64_t progress_bytes; /* since then, not enough to count */
};

/* Takes so much of the gateway's budget for bodies, until the exchange is freed or gives it back.
 * False: it has not so much left. */
bool exchange_charge(struct exchange *x, uint64_t bytes);
/* The client did its part, or it is not its turn: the time it has starts again. */
void exchange_progress(struct exchange *x);
void exchange_body_free(struct exchange *x);
/* Gives up on those whose clients are too slow. Returns when to be called again. */
uint64_t exchange_tick(struct gateway *g);

#endif
