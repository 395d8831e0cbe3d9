/* conn_http: what only the owner of HTTP/3 connections needs, besides what it shares with lanes.
 * Called through endpoint.h, on the endpoint's thread. */
#include "quic/conn.h"

void conn_take_over(struct conn *c, const struct endpoint_events *events, void *context)
{
    c->events = events;
    c->context = context;
}

bool conn_is_http(const struct conn *c)
{
    return c->http;
}

bool conn_trusted(const struct conn *c)
{
    return c->trusted;
}

void conn_keep_alive(struct conn *c, bool keep)
{
    if (c->state == CONN_OPEN) {
        ngtcp2_conn_set_keep_alive_timeout(c->quic,
                                           keep ? c->endpoint->options.keep_alive_ns : UINT64_MAX);
        conn_mark(c);
    }
}

void conn_extend_streams_bidi(struct conn *c, uint64_t count)
{
    if (c->state == CONN_OPEN) {
        ngtcp2_conn_extend_max_streams_bidi(c->quic, count);
        conn_mark(c);
    }
}

const struct sockaddr *conn_peer_address(const struct conn *c)
{
    return &c->path.remote.any;
}
