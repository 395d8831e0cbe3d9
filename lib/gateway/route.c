/* route: see the header. exchange calls it by a function pointer, on the gateway's thread. */
#include "gateway/route.h"

#include <stdio.h>
#include <string.h>
#include "gateway/events.h"
#include "gateway/limits.h"
#include "gateway/metrics.h"
#include "gateway/table_json.h"
#include "gateway/work.h"

static const struct http_route routes[] = {
    { "GET", "/v1/node", ROUTE_TOKEN, table_json_get, "shows the node itself",
      .table = RUSM_TABLE_NODE },
    { "GET", "/v1/processes", ROUTE_TOKEN, table_json_get, "shows the processes",
      .table = RUSM_TABLE_PROCESSES },
    { "GET", "/v1/processes/*", ROUTE_TOKEN, work_inspect, "shows one process", .query = NULL },
    { "GET", "/v1/peers", ROUTE_TOKEN, table_json_get, "shows the nodes that this one knows",
      .table = RUSM_TABLE_PEERS },
    { "GET", "/v1/names", ROUTE_TOKEN, table_json_get, "shows the registered names",
      .table = RUSM_TABLE_NAMES },
    { "GET", "/v1/spawnables", ROUTE_TOKEN, table_json_get, "shows what can be spawned",
      .table = RUSM_TABLE_SPAWNABLES },
    { "GET", "/v1/counters", ROUTE_TOKEN, table_json_get, "shows the counters",
      .table = RUSM_TABLE_COUNTERS },
    { "GET", "/v1/events", ROUTE_TOKEN, events_watch, "shows what happens on the node",
      .query = "type" },
    { "GET", "/metrics", ROUTE_TOKEN, metrics_get, "shows the metrics for Prometheus",
      .query = NULL },
    { "GET", "/", ROUTE_OPEN, page_get, "is the page for a browser", .file = PAGE_HTML },
    { "GET", "/page.css", ROUTE_OPEN, page_get, "is a file of the page", .file = PAGE_CSS },
    { "GET", "/page.js", ROUTE_OPEN, page_get, "is a file of the page", .file = PAGE_JS },
    { "POST", "/v1/send/*", ROUTE_TOKEN, work_send, "sends the body as one message",
      .query = "global timeout", .body = RUSM_MESSAGE_MAX },
    { "POST", "/v1/call/*", ROUTE_TOKEN, work_call, "sends the body as a call",
      .query = "global timeout", .body = RUSM_MESSAGE_MAX },
    { "POST", "/v1/spawn/*", ROUTE_TOKEN, work_spawn, "starts a process",
      .query = "arg name global", .body = LIMIT_HTTP_JSON },
    { "DELETE", "/v1/processes/*", ROUTE_TOKEN, work_kill, "sends an exit signal",
      .query = "reason" },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* Sets x->allow to the methods of the path. Returns the route if the method is one of them. */
static const struct http_route *lookup(struct exchange *x)
{
    const char *method = x->head_only ? "GET" : x->method;
    const struct http_route *found = NULL;
    size_t len = 0;

    for (size_t i = 0; i < ROUTES; i++) {
        char *rest;
        if (!url_match(&x->url, routes[i].path, &rest)) {
            continue;
        }
        int n = snprintf(x->allow + len, sizeof(x->allow) - len, "%s%s%s", len ? ", " : "",
                         routes[i].method, strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
        len += (size_t)n;
        if (strcmp(routes[i].method, method) == 0) {
            found = &routes[i];
            x->parameter = rest;
        }
    }
    return found;
}

/* Returns whether the route knows that key of a query. */
static bool knows(const struct http_route *r, const char *key)
{
    const size_t len = strlen(key);

    for (const char *at = r->query ? r->query : ""; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == len && memcmp(at, key, len) == 0) {
            return true;
        }
        at += word;
    }
    return false;
}

/* Returns whether the route knows all keys of the query. Answers if it does not. */
static bool query_ok(struct exchange *x, const struct http_route *r)
{
    for (size_t i = 0; i < x->url.count; i++) {
        const char *key = x->url.parameter[i].key;
        if (!knows(r, key)) {
            answer_fail(x, 400, "%s %s %s and has no parameter '%.100s'. Its parameters: %s",
                        r->method, r->path, r->help, key, r->query ? r->query : "none");
            return false;
        }
    }
    return true;
}

/* Answers a client that may not ask. */
static void refuse(struct exchange *x)
{
    if (x->throttled) {
        answer_fail(x, 429, "too many wrong tokens from your address: send the right one");
        return;
    }
    answer_field(x, "www-authenticate", "Bearer");
    answer_fail(x, 401,
                x->tried ? "this is not the node's token: send the one of its --http-token file"
                         : "send the node's token (Authorization: Bearer TOKEN) or present the "
                           "cluster's certificate");
}

const struct http_route *route_find(struct exchange *x)
{
    const struct http_route *r = NULL;

    x->allow[0] = '\0';
    if (!x->bad && !x->overflow && x->url.path) {
        r = lookup(x);
    }
    if (!exchange_allowed(x) && !(r && r->access == ROUTE_OPEN)) {
        refuse(x); /* comes first: the other answers would tell what is here */
    } else if (x->overflow) {
        answer_fail(x, 431, "the path may have at most %d bytes, and all header fields together %d",
                    LIMIT_HTTP_TARGET, LIMIT_HTTP_FIELDS);
    } else if (x->no_memory) {
        answer_error(x, RUSM_ENOMEM, NULL);
    } else if (x->bad || !x->url.path) {
        answer_fail(x, 400,
                    "not a request that this node understands: check the path's escapes "
                    "and the content-length");
    } else if (x->gateway->leaving) {
        answer_fail(x, 503, "%s is stopping", x->gateway->name);
    } else if (!x->allow[0]) {
        answer_fail(x, 404, "nothing is at %.200s: see rusm-http(7)", x->url.path);
    } else if (!r) {
        answer_field(x, "allow", x->allow);
        answer_fail(x, 405, "%s is not for %.200s: use %s", x->method, x->url.path, x->allow);
    } else if (x->parameter && !url_decode(x->parameter)) {
        answer_fail(x, 400, "a bad escape in the path: write %%XX");
    } else if (query_ok(x, r)) {
        return r;
    }
    return NULL;
}
