/* resolve: see the header. Any thread. The node calls it on its helper thread, because the name
 * service may be slow. */
#include "local/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "base/id.h"

int resolve(const char *host_port, bool passive, struct resolved *out, size_t cap,
            struct rusm_why *why)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
                                    .ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0) };
    struct addrinfo *list;
    char host[256], port[6];
    size_t n = 0;

    if (id_host_port_parse(host_port, host, port) != 0) {
        return err_why(why, RUSM_EINVAL, "'%s' is not an address: write HOST:PORT", host_port);
    }
    int error = getaddrinfo(host, port, &hints, &list);
    if (error != 0) {
        return err_why(why, RUSM_ENOCONN, "cannot resolve %s: %s", host,
                       error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    }
    for (struct addrinfo *a = list; a && n < cap; a = a->ai_next) {
        if ((a->ai_family == AF_INET || a->ai_family == AF_INET6) &&
            a->ai_addrlen <= sizeof(out[n].address)) {
            out[n] = (struct resolved){ .len = a->ai_addrlen };
            memcpy(&out[n++].address, a->ai_addr, a->ai_addrlen);
        }
    }
    freeaddrinfo(list);
    return n > 0 ? (int)n : err_why(why, RUSM_ENOCONN, "%s has no IPv4 or IPv6 address", host);
}

bool resolve_is_literal(const char *host_port)
{
    char host[256], port[6];
    struct in_addr v4;
    struct in6_addr v6;

    return id_host_port_parse(host_port, host, port) == 0 &&
           (inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1);
}

/* Returns the IPv4 address within a mapped one, which a socket of both families has. */
static bool unmapped(const struct sockaddr *address, struct sockaddr_in *v4)
{
    const struct sockaddr_in6 *v6 = (const void *)address;

    if (address->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        return false;
    }
    *v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = v6->sin6_port };
    memcpy(&v4->sin_addr, &v6->sin6_addr.s6_addr[12], sizeof(v4->sin_addr));
    return true;
}

void resolve_format(const struct sockaddr *address, socklen_t len, char *text, size_t cap)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    struct sockaddr_in v4;

    if (unmapped(address, &v4)) {
        address = (const struct sockaddr *)&v4;
        len = sizeof(v4);
    }
    if (getnameinfo(address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM) != 0) {
        snprintf(text, cap, "unknown");
        return;
    }
    bool v6 = address->sa_family == AF_INET6;
    snprintf(text, cap, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}
