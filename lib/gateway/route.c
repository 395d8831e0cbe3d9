/* route: which path means what, and whether this client may. Called by exchange, on the gateway's
 * thread. */
#include <stdio.h>
#include <string.h>
#include "gateway/exchange.h"

static const char *const call_query[] = { "global", "timeout", NULL };
static const char *const send_query[] = { "global", "timeout", NULL };
static const char *const spawn_query[] = { "arg", "name", "global", NULL };
static const char *const events_query[] = { "type", NULL };
static const char *const kill_query[] = { "reason", NULL };

static const struct route routes[] = {
    { .method = "GET", .path = "/v1/node", .handle = list_table },
    { .method = "GET", .path = "/v1/processes", .handle = list_table },
    { .method = "GET", .path = "/v1/peers", .handle = list_table },
    { .method = "GET", .path = "/v1/names", .handle = list_table },
    { .method = "GET", .path = "/v1/spawnables", .handle = list_table },
    { .method = "GET", .path = "/v1/counters", .handle = list_table },
    { .method = "GET", .path = "/", .open = true, .handle = page_get },
    { .method = "GET", .path = "/page.css", .open = true, .handle = page_get },
    { .method = "GET", .path = "/page.js", .open = true, .handle = page_get },
    { .method = "GET", .path = "/metrics", .handle = metrics_get },
    { .method = "GET", .path = "/v1/events", .query = events_query, .handle = events_watch },
    { .method = "POST",
      .path = "/v1/send/*",
      .query = send_query,
      .body = RUSM_MESSAGE_MAX,
      .handle = work_send },
    { .method = "POST",
      .path = "/v1/call/*",
      .query = call_query,
      .body = RUSM_MESSAGE_MAX,
      .handle = work_call },
    { .method = "POST",
      .path = "/v1/spawn/*",
      .query = spawn_query,
      .body = LIMIT_HTTP_JSON,
      .handle = work_spawn },
    { .method = "DELETE", .path = "/v1/processes/*", .query = kill_query, .handle = work_kill },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

const char *exchange_query(const struct exchange *x, const char *key)
{
    for (size_t i = 0; i < x->url.count; i++) {
        if (strcmp(x->url.parameter[i].key, key) == 0) {
            return x->url.parameter[i].value;
        }
    }
    return NULL;
}

/* Sets x->allow to the methods of that path; the route, if the method is one of them. */
static const struct route *lookup(struct exchange *x)
{
    const char *method = x->head_only ? "GET" : x->method;
    const struct route *found = NULL;
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

static bool knows(const char *const *keys, const char *key)
{
    for (; keys && *keys; keys++) {
        if (strcmp(*keys, key) == 0) {
            return true;
        }
    }
    return false;
}

/* Says what was wrong with a client that may not. */
static void refuse(struct exchange *x)
{
    if (x->throttled) {
        answer_fail(x, 429,
                    "too many wrong tokens from your address: wait, then send the right one");
        return;
    }
    answer_field(x, "www-authenticate", "Bearer");
    answer_fail(x, 401,
                x->tried ? "this is not the node's token: send the one of its --http-token file"
                         : "send the node's token (Authorization: Bearer TOKEN) or present the "
                           "cluster's certificate");
}

const struct route *route_find(struct exchange *x)
{
    const struct route *r = NULL;

    x->allow[0] = '\0';
    if (!x->bad && !x->overflow && x->url.path) {
        r = lookup(x);
    }
    if (!exchange_allowed(x) && !(r && r->open)) {
        refuse(x); /* before anything that tells what is here */
    } else if (x->overflow) {
        answer_fail(x, 431, "the path may have %d bytes and all fields %d: send less",
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
    } else {
        for (size_t i = 0; i < x->url.count; i++) {
            if (!knows(r->query, x->url.parameter[i].key)) {
                answer_fail(x, 400, "'%.100s' is not a parameter of %s: see rusm-http(7)",
                            x->url.parameter[i].key, r->path);
                return NULL;
            }
        }
        return r;
    }
    return NULL;
}
