/* gateway: its life, its clock and what it holds in all. Called by the node, on the gateway's
 * thread. */
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/must.h"
#include "gateway/exchange.h"

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
    g->budget = LIMIT_HTTP_BODIES;
    g->now_ns = options->now_ns;
    list_init(&g->clients);
    list_init(&g->others);
    list_init(&g->watchers);
    list_init(&g->connections);
    list_init(&g->strangers);
    error = token_load(&g->token, options->token, options->seed, why);
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
        explicit_bzero(&g->token, sizeof(g->token));
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
    uint64_t next_ns = exchanges_tick(g), at_ns = events_tick(g);
    next_ns = at_ns < next_ns ? at_ns : next_ns;
    at_ns = h3_tick(g);
    return at_ns < next_ns ? at_ns : next_ns;
}
