/* http_tcp: see the header. Called by node.c and tick.c. */
#include "node/http_tcp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gateway/tcp.h"
#include "node/http.h"
#include "local/resolve.h"

struct http_tcp {
    struct tcp *tcp;
    struct loop_watch watch;
    char address[80];
};

static void readable(void *user)
{
    struct http_tcp *g = user;
    tcp_readable(g->tcp);
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24 == 127;
    }
    return a->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

int http_tcp_open(struct rusm_node *node, const char *listen, struct rusm_why *why)
{
    struct rusm_why cause = { "" };
    struct resolved bind;
    char text[300];
    snprintf(text, sizeof(text), "%s%s",
             listen[strspn(listen, "0123456789")] == '\0' ? "127.0.0.1:" : "", listen);
    int found = resolve(text, true, &bind, 1, why);
    if (found < 1) {
        return found < 0 ? found : RUSM_EINVAL;
    }
    struct http_tcp *g = calloc(1, sizeof(*g));
    if (!g) {
        return RUSM_ENOMEM;
    }
    struct tcp_options options = { .gateway = node->gateway,
                                   .bind = (struct sockaddr *)&bind.address,
                                   .bind_len = bind.len,
                                   .now_ns = node->first->now_ns };
    int error = tcp_new(&g->tcp, &options, &cause);
    if (error) {
        free(g);
        return err_why(why, error, "HTTP at %s: %s", text, cause.text);
    }
    socklen_t len;
    const struct sockaddr *address = tcp_address(g->tcp, &len);
    resolve_format(address, len, g->address, sizeof(g->address));
    if (!is_loopback(address)) {
        log_warn(&node->log,
                 "HTTP at %s is not encrypted: anyone on the way can read the token. "
                 "Use --http, or a proxy with TLS",
                 g->address);
    }
    loop_watch(&node->first->loop, &g->watch, tcp_fd(g->tcp), readable, g);
    node->http_tcp = g;
    return 0;
}

void http_tcp_close(struct rusm_node *node)
{
    struct http_tcp *g = node->http_tcp;
    if (g) {
        loop_unwatch(&node->first->loop, &g->watch);
        tcp_free(g->tcp);
        free(g);
        node->http_tcp = NULL;
    }
}

const char *http_tcp_address(const struct rusm_node *node)
{
    return node->http_tcp ? node->http_tcp->address : NULL;
}

uint64_t http_tcp_tick(struct rusm_node *node)
{
    return node->http_tcp ? tcp_tick(node->http_tcp->tcp, node->first->now_ns) : UINT64_MAX;
}

void http_tcp_leave(struct rusm_node *node)
{
    if (node->http_tcp) {
        tcp_leave(node->http_tcp->tcp);
    }
}
