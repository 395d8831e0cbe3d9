/* proxy: who a request comes from if it came through a proxy: the address that the fields
 * X-Forwarded-For give, if the node trusts the proxy. Whoever else sends the field is not believed.
 * Pure. Called by gateway and exchange, on the gateway's thread. */
#ifndef GATEWAY_PROXY_H
#define GATEWAY_PROXY_H

#include <netinet/in.h>
#include "gateway/limits.h"

#define PROXY_TEXT INET6_ADDRSTRLEN

/* The addresses of proxies that are trusted. IPv4 addresses are mapped ones. */
struct proxies {
    struct proxy_net {
        struct in6_addr address;
        unsigned bits; /* of address that count */
    } net[LIMIT_HTTP_PROXIES];
    size_t count;
};

/* Where a request comes from, as far as it is known. */
struct proxy_client {
    struct in6_addr address; /* that of the peer, until a field says more */
    struct in6_addr peer;    /* the other end of the connection */
    bool proxied;            /* the peer is a trusted proxy */
    bool told;               /* a field has named the client */
};

/* Adds ADDRESS[/BITS]. Returns 0, or RUSM_EINVAL if it is not that, RUSM_ELIMIT if there are
 * LIMIT_HTTP_PROXIES. */
int proxy_add(struct proxies *proxies, const char *text);
/* Sets the client of a request whose connection comes from there. */
void proxy_begin(struct proxy_client *client, const struct proxies *proxies,
                 const struct sockaddr *from);
/* Takes a field X-Forwarded-For, in the order in which the fields come: the client is the last
 * address that is not one of a trusted proxy. What is before it, or before what is not an address,
 * may be forged. */
void proxy_field(struct proxy_client *client, const struct proxies *proxies, const char *value,
                 size_t len);
/* Forgets the fields, as not all of them could be read. */
void proxy_forget(struct proxy_client *client);
/* Gives the client's address as one of a socket. */
void proxy_address(const struct proxy_client *client, struct sockaddr_in6 *address);
/* Prints the client's address. Returns text. */
const char *proxy_text(const struct proxy_client *client, char text[PROXY_TEXT]);

#endif
