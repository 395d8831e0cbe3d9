/* resolve_reach: from where an address can be used, and which address of this machine leads to
 * another. Declared in resolve.h. */
#include "local/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/id.h"

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
