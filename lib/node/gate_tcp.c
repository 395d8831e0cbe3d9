/* gate_tcp: see the header. Called by node.c and turn.c. */
#include "node/gate_tcp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gateway/tcp.h"
#include "node/gate.h"
#include "local/resolve.h"

struct gate_tcp {
    struct tcp *tcp;
    struct loop_watch watch;
    char address[80];
};

static void readable(void *user)
{
    struct gate_tcp *g = user;
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

int gate_tcp_open(struct rusm_node *node, const char *listen, struct rusm_why *why)
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
    struct gate_tcp *g = calloc(1, sizeof(*g));
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
                 "HTTP at %s is not encrypted: who reads on the way reads the token too",
                 g->address);
    }
    loop_watch(&node->first->loop, &g->watch, tcp_fd(g->tcp), readable, g);
    node->gate_tcp = g;
    return 0;
}

void gate_tcp_close(struct rusm_node *node)
{
    struct gate_tcp *g = node->gate_tcp;
    if (g) {
        loop_unwatch(&node->first->loop, &g->watch);
        tcp_free(g->tcp);
        free(g);
        node->gate_tcp = NULL;
    }
}

const char *gate_tcp_address(const struct rusm_node *node)
{
    return node->gate_tcp ? node->gate_tcp->address : NULL;
}

uint64_t gate_tcp_turn(struct rusm_node *node)
{
    return node->gate_tcp ? tcp_tick(node->gate_tcp->tcp, node->first->now_ns) : UINT64_MAX;
}

void gate_tcp_leave(struct rusm_node *node)
{
    if (node->gate_tcp) {
        tcp_leave(node->gate_tcp->tcp);
    }
}
