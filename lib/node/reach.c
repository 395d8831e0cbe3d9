/* reach: see the header. The kernel says which address of ours leads to a peer: that of a socket
 * that is connected to it. Nothing is sent for that. */
#include "node/reach.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "local/resolve.h"
#include "node/node.h"

/* Copies the host and the port of a text that is known to be HOST:PORT. */
static bool split(const char *text, char host[256], char port[6])
{
    return id_host_port_parse(text, host, port) == 0;
}

bool reach_is_near(const struct connection *c)
{
    char host[256], port[6], own[80];
    if (resolve_reach(c->address) == RESOLVE_HOST) {
        return true;
    }
    return split(c->address, host, port) && resolve_source(c->address, own, sizeof(own)) == 0 &&
           strcmp(own, host) == 0;
}

static bool print(char *out, size_t cap, const char *host, const char *port)
{
    bool v6 = strchr(host, ':');
    return (size_t)snprintf(out, cap, v6 ? "[%s]:%s" : "%s:%s", host, port) < cap;
}

/* The member is on our host and listens on all its addresses: the one by which the peer of C
 * reaches us is good for the member too. */
static bool by_our_address(const struct member *m, const struct connection *c, char *out,
                           size_t cap)
{
    char host[256], port[6], own[80];
    if (!m->current->everywhere || !split(m->current->address, host, port) ||
        resolve_source(c->address, own, sizeof(own)) != 0) {
        return false;
    }
    if (m->current->everywhere == '4' && strchr(own, ':')) {
        return false;
    }
    return print(out, cap, own, port);
}

bool reach_address(const struct member *m, const struct connection *c, bool near, char *out,
                   size_t cap)
{
    enum resolve_reach reach = resolve_reach(m->address);
    if (reach == RESOLVE_ANYWHERE && !m->current->advertised[0] && m->joined) {
        reach = resolve_reach(m->current->address); /* a name of our own for our host */
    }
    if (reach == RESOLVE_ANYWHERE || (near && reach != RESOLVE_NOWHERE)) {
        return (size_t)snprintf(out, cap, "%s", m->address) < cap;
    }
    if (near) {
        return (size_t)snprintf(out, cap, "%s", m->current->address) < cap;
    }
    return by_our_address(m, c, out, cap);
}

bool reach_takes(struct connection *c, const char *advertised)
{
    switch (resolve_reach(advertised)) {
    case RESOLVE_ANYWHERE: return true;
    case RESOLVE_HOST: return reach_is_near(c);
    case RESOLVE_NOWHERE: /* it listens on all its addresses */
        c->everywhere = advertised[0] == '[' ? '6' : '4';
        return false;
    case RESOLVE_LINK: return false;
    }
    return false;
}

/* ---- at start ---- */

/* Prints the IPv4 addresses of this machine that are for others. Returns how many. */
static unsigned list_addresses(char *out, size_t cap)
{
    struct ifaddrs *all;
    unsigned count = 0;
    size_t len = 0;
    out[0] = '\0';
    if (getifaddrs(&all) != 0) {
        return 0;
    }
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        char text[80];
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
            (i->ifa_flags & IFF_LOOPBACK)) {
            continue;
        }
        resolve_format(i->ifa_addr, sizeof(struct sockaddr_in), text, sizeof(text));
        *strrchr(text, ':') = '\0';
        if (len < cap) {
            len += (size_t)snprintf(out + len, cap - len, "%s%s", count ? ", " : "", text);
        }
        count++;
    }
    freeifaddrs(all);
    return count;
}

void reach_check(struct rusm_node *node)
{
    char addresses[256];
    if (resolve_reach(node->address) != RESOLVE_NOWHERE) {
        return;
    }
    if (node->advertise[0]) {
        return;
    }
    if (list_addresses(addresses, sizeof(addresses)) > 1) {
        log_warn(&node->log,
                 "listens on all addresses of this machine (%s), and each peer is told the one "
                 "that is seen: if some peers cannot reach that one, give --advertise HOST:PORT",
                 addresses);
    }
}
