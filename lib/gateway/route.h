/* route: the table of routes. A row says which method and path a request has, who may ask, and
 * which function answers. To add a route, add a row to route.c and name it in rusm-http(7). */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "gateway/exchange.h"
#include "gateway/page.h"

enum route_access {
    ROUTE_TOKEN, /* clients with the token or the cluster's certificate */
    ROUTE_OPEN,  /* everyone: it shows nothing of the node */
};

struct http_route {
    const char *method;
    const char *path; /* a "*" at its end stands for one more segment, which is x->parameter */
    enum route_access access;
    void (*handle)(struct exchange *x);
    const char *help;      /* goes after method and path: "sends ..." */
    const char *query;     /* the keys of the query, with spaces between; NULL: none */
    size_t body;           /* bytes of the longest body that it takes */
    enum rusm_table table; /* of table_json_get */
    enum page_file file;   /* of page_get */
};

/* Returns the route of a request. If there is none, or this client may not use it, answers the
 * request and returns NULL. */
const struct http_route *route_find(struct exchange *x);

#endif
