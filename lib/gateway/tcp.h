/* tcp: the gateway's requests and responses as HTTP/1.1 over TCP, for clients that have no HTTP/3:
 * browsers, Prometheus. The only user of libmicrohttpd, which runs on the node's own thread, by its
 * epoll descriptor: no thread of its own, nothing blocks. No TLS, so the token is all that admits. */
#ifndef GATEWAY_TCP_H
#define GATEWAY_TCP_H

#include "gateway/transport.h"

struct tcp;

struct tcp_options {
    struct gateway *gateway;     /* kept; has a token */
    const struct sockaddr *bind; /* borrowed */
    socklen_t bind_len;
    uint64_t now_ns;
};

/* Gives *out. RUSM_EIO, RUSM_ENOMEM: `why` says more. */
int tcp_new(struct tcp **out, const struct tcp_options *options, struct rusm_why *why);
void tcp_free(struct tcp *t); /* ends its connections and exchanges; NULL is fine */
/* Where it really listens; lives as long as t. */
const struct sockaddr *tcp_address(const struct tcp *t, socklen_t *len);
/* Readable: call tcp_readable, then tcp_turn. */
int tcp_fd(const struct tcp *t);
void tcp_readable(struct tcp *t);
/* In every turn: does what there is to do. Returns when to be called again. */
uint64_t tcp_turn(struct tcp *t, uint64_t now_ns);
/* The node leaves: no new connections. */
void tcp_leave(struct tcp *t);

#endif
