/* route: the table of routes. A row says which method and path a request has, who may ask, and
 * which function answers. To add a route, add a row to route.c and name it in rusm-http(7). */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "gateway/exchange.h"
#include "gateway/page.h"

enum route_access {
    ROUTE_TOKEN, /* clients with the token or the cluster's certificate */
    ROUTE_OPEN,  /* everyone: what it shows says nothing of the node */
};

struct http_route {
    const char *method;
    const char *path; /* a "*" at its end stands for one more segment, which is x->parameter */
    enum route_access access;
    void (*handle)(struct exchange *x);
    const char *help;      /* what it does, after method and path: "sends ..." */
    const char *query;     /* the keys that it knows, with spaces between; NULL: none */
    size_t body;           /* the longest body that it takes */
    enum rusm_table table; /* of table_json_get */
    enum page_file file;   /* of page_get */
};

/* Returns the route of a request. Returns NULL if there is none or this client may not use it: the
 * request is answered then. */
const struct http_route *route_find(struct exchange *x);

#endif
