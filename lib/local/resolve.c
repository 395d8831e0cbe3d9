/* resolve: see the header. Any thread. The node calls it on its helper thread, because the name
 * service may be slow. */
#include "local/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
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
        return err_why(why, RUSM_EINVAL, "'%s' is not HOST:PORT", host_port);
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
    return n > 0 ? (int)n : err_why(why, RUSM_ENOCONN, "%s has no internet address", host);
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

/* ---- from where an address can be used ---- */

static enum resolve_reach reach_v4(const struct in_addr *a)
{
    uint32_t host = ntohl(a->s_addr);

    return host >> 24 == 127 ? RESOLVE_HOST : host == 0 ? RESOLVE_NOWHERE : RESOLVE_ANYWHERE;
}

static enum resolve_reach reach_v6(const struct in6_addr *a, bool zone)
{
    struct in_addr v4;

    if (IN6_IS_ADDR_V4MAPPED(a)) {
        memcpy(&v4, &a->s6_addr[12], sizeof(v4));
        return reach_v4(&v4);
    }
    if (IN6_IS_ADDR_LINKLOCAL(a)) {
        return zone ? RESOLVE_ANYWHERE : RESOLVE_LINK;
    }
    return IN6_IS_ADDR_LOOPBACK(a)      ? RESOLVE_HOST
           : IN6_IS_ADDR_UNSPECIFIED(a) ? RESOLVE_NOWHERE
                                        : RESOLVE_ANYWHERE;
}

static bool is_localhost(const char *host)
{
    static const char name[] = ".localhost";
    size_t len = strlen(host), tail = sizeof(name) - 1;

    return strcasecmp(host, name + 1) == 0 ||
           (len > tail && strcasecmp(host + len - tail, name) == 0);
}

enum resolve_reach resolve_reach(const char *host_port)
{
    char host[256], port[6];
    struct in_addr v4;
    struct in6_addr v6;

    if (id_host_port_parse(host_port, host, port) != 0) {
        return RESOLVE_NOWHERE;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return reach_v4(&v4);
    }
    char *zone = strchr(host, '%');
    if (zone) {
        *zone = '\0';
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        return reach_v6(&v6, zone);
    }
    return is_localhost(host) ? RESOLVE_HOST : RESOLVE_ANYWHERE;
}

int resolve_source(const char *host_port, char *host, size_t cap)
{
    struct resolved to, own = { .len = sizeof(own.address) };
    char text[128];

    if (resolve(host_port, false, &to, 1, NULL) != 1) {
        return RUSM_ENOCONN;
    }
    int fd = socket(to.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool known = fd >= 0 && connect(fd, (const struct sockaddr *)&to.address, to.len) == 0 &&
                 getsockname(fd, (struct sockaddr *)&own.address, &own.len) == 0;
    if (fd >= 0) {
        close(fd);
    }
    if (!known) {
        return RUSM_ENOCONN;
    }
    char plain[256], port[6];
    resolve_format((const struct sockaddr *)&own.address, own.len, text, sizeof(text));
    if (id_host_port_parse(text, plain, port) != 0) {
        return RUSM_ENOCONN;
    }
    return (size_t)snprintf(host, cap, "%s", plain) < cap ? 0 : RUSM_ENOCONN;
}
