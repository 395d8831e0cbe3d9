/* gateway_state: what the files of the gateway share. On the gateway's thread. */
#ifndef GATEWAY_GATEWAY_STATE_H
#define GATEWAY_GATEWAY_STATE_H

#include "base/list.h"
#include "gateway/gateway.h"
#include "gateway/proxy.h"
#include "gateway/token.h"

struct http_route;

struct gateway {
    const char *name;
    const struct log *log;
    const struct gateway_node *node;
    void *context;
    /* Returns the route of a request. If there is none, or this client may not use it, answers the
     * request and returns NULL. */
    const struct http_route *(*find_route)(struct exchange *x);
    struct token token;
    struct proxies proxies;
    struct repeat *repeat;
    struct list clients;  /* exchanges that wait for their client, the longest wait first */
    struct list others;   /* the other exchanges */
    size_t count;         /* of exchanges in both lists */
    uint64_t budget;      /* bytes left of LIMIT_HTTP_BODIES */
    struct list watchers; /* the streams of events.c */
    uint64_t beat_ns;     /* when the streams get their next sign of life */
    struct list connections, strangers; /* struct h3: all; the strangers among them */
    size_t connection_count, stranger_count;
    struct gateway_counters counters;
    uint64_t now_ns;
    bool leaving;
};

#endif
