/* gateway: the gateway's life, its time and its budgets. Called by the node, on the gateway's
 * thread. */
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gateway/limits.h"
#include "base/must.h"
#include "gateway/events.h"
#include "gateway/exchange.h"
#include "gateway/h3.h"
#include "gateway/route.h"
#include "gateway/work.h"

static int add_proxies(struct gateway *g, const struct gateway_options *options,
                       struct rusm_why *why)
{
    int error = 0;

    for (size_t i = 0; i < options->proxy_count && !error; i++) {
        error = proxy_add(&g->proxies, options->proxies[i]);
        if (error == RUSM_ELIMIT) {
            err_why(why, error, "more than %d HTTP proxies: name their networks",
                    LIMIT_HTTP_PROXIES);
        } else if (error) {
            err_why(why, error,
                    "HTTP proxy '%s' is not ADDRESS or ADDRESS/BITS, such as 10.1.0.0/16",
                    options->proxies[i]);
        }
    }
    return error;
}

int gateway_new(struct gateway **out, const struct gateway_options *options, struct rusm_why *why)
{
    struct gateway *g = calloc(1, sizeof(*g));
    int error;

    *out = NULL;
    if (!g) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    g->name = options->name;
    g->log = options->log;
    g->node = options->node;
    g->context = options->context;
    g->find_route = route_find;
    g->budget = LIMIT_HTTP_BODIES;
    g->now_ns = options->now_ns;
    list_init(&g->clients);
    list_init(&g->others);
    list_init(&g->watchers);
    list_init(&g->connections);
    list_init(&g->strangers);
    g->repeat = options->repeat;
    error = add_proxies(g, options, why);
    error =
        error ? error : token_load(&g->token, options->token, options->seed, options->now_ns, why);
    if (error) {
        free(g);
        return error;
    }
    *out = g;
    return 0;
}

void gateway_free(struct gateway *g)
{
    if (g) {
        h3_end(g);
        must(g->count == 0 && g->budget == LIMIT_HTTP_BODIES);
        token_fini(&g->token);
        free(g);
    }
}

bool gateway_has_token(const struct gateway *g)
{
    return g->token.len > 0;
}

void gateway_leave(struct gateway *g)
{
    if (g->leaving) {
        return;
    }
    g->leaving = true;
    h3_leave(g);
    events_leave(g);
}

size_t gateway_pending(const struct gateway *g)
{
    return g->count;
}

size_t gateway_connections(const struct gateway *g)
{
    return g->connection_count;
}

void gateway_crowded(struct gateway *g)
{
    g->counters.crowded++;
}

const struct gateway_counters *gateway_counters(const struct gateway *g)
{
    return &g->counters;
}

uint64_t gateway_tick(struct gateway *g, uint64_t now_ns)
{
    g->now_ns = now_ns;
    uint64_t next_ns = exchange_tick(g), at_ns = events_tick(g);
    next_ns = at_ns < next_ns ? at_ns : next_ns;
    at_ns = h3_tick(g);
    return at_ns < next_ns ? at_ns : next_ns;
}

int gateway_accept(struct gateway *g, struct conn *c)
{
    return h3_accept(g, c);
}

void gateway_close(struct gateway *g)
{
    h3_close(g);
}

/* ---- jobs ---- */

void gateway_outcome(struct gateway_job *job, const struct gateway_outcome *outcome)
{
    struct exchange *x = container_of(job, struct exchange, job);

    must(x->working);
    x->working = false;
    exchange_body_free(x);
    work_outcome(x, outcome);
}

void gateway_taken(struct gateway_job *job)
{
    struct exchange *x = container_of(job, struct exchange, job);

    job->data = NULL;
    job->len = 0;
    exchange_body_free(x);
}

void gateway_part(struct gateway_job *job, const uint8_t *body, size_t len)
{
    struct exchange *x = container_of(job, struct exchange, job);

    x->part(x, body, len);
}

/* ---- events ---- */

bool gateway_watched(const struct gateway *g)
{
    return events_has_watchers(g);
}

void gateway_event(struct gateway *g, const struct gateway_event *event)
{
    events_send(g, event);
}

void gateway_events_missed(struct gateway *g, uint64_t count)
{
    events_add_missed(g, count);
}
