/* tcp: the gateway's TCP listener: HTTP/1.1 for clients that have no HTTP/3, such as browsers and
 * Prometheus. Only the tcp files use libmicrohttpd (MHD). MHD has no thread of its own: the
 * gateway's thread polls its epoll descriptor, and nothing blocks. There is no TLS, so a client
 * needs the token. */
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

/* Begins to listen and gives *out. Returns 0, RUSM_EIO or RUSM_ENOMEM. `why` says more. */
int tcp_new(struct tcp **out, const struct tcp_options *options, struct rusm_why *why);
void tcp_free(struct tcp *t); /* also ends its connections and exchanges; NULL is fine */
/* Returns the address that it listens at, with the port. Valid as long as t. */
const struct sockaddr *tcp_address(const struct tcp *t, socklen_t *len);
/* When this descriptor is readable, call tcp_readable, then tcp_tick. */
int tcp_fd(const struct tcp *t);
void tcp_readable(struct tcp *t);
/* Does what is due. Call it in each tick. Returns when to call it again. */
uint64_t tcp_tick(struct tcp *t, uint64_t now_ns);
/* Takes no new connections, as the node leaves. */
void tcp_leave(struct tcp *t);

#endif
