/* gateway_state: what the files of the gateway share. On the gateway's thread. */
#ifndef GATEWAY_GATEWAY_STATE_H
#define GATEWAY_GATEWAY_STATE_H

#include "base/list.h"
#include "gateway/gateway.h"
#include "gateway/token.h"

struct http_route;

struct gateway {
    const char *name;
    const struct log *log;
    const struct gateway_node *node;
    void *context;
    /* Returns the route of a request. Returns NULL if there is none or this client may not use it:
     * the request is answered then. */
    const struct http_route *(*find_route)(struct exchange *x);
    struct token token;
    struct list
        clients;        /* exchanges that wait for their client, the one that waits longest first */
    struct list others; /* the other exchanges */
    size_t count;       /* of both */
    uint64_t budget;    /* what is left of LIMIT_HTTP_BODIES */
    struct list watchers;               /* the streams of events.c */
    uint64_t beat_ns;                   /* when they get a sign of life */
    struct list connections, strangers; /* struct h3 */
    size_t connection_count, stranger_count;
    struct gateway_counters counters;
    uint64_t now_ns;
    bool leaving;
};

#endif
