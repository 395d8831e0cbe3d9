/* resolve: turns HOST:PORT into socket addresses (getaddrinfo). It may block for the name service,
 * but not if the host is a literal address. */
#ifndef LOCAL_RESOLVE_H
#define LOCAL_RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>
#include "rusm.h"

struct resolved {
    struct sockaddr_storage address;
    socklen_t len;
};

/* Gives up to CAP addresses of HOST:PORT. `passive` means that the caller binds to them. Returns
 * how many, RUSM_EINVAL if it is not HOST:PORT, or RUSM_ENOCONN if the host has no address. */
int resolve(const char *host_port, bool passive, struct resolved *out, size_t cap,
            struct rusm_why *why);
/* Prints a socket address as ADDR:PORT or [V6]:PORT. */
void resolve_format(const struct sockaddr *address, socklen_t len, char *text, size_t cap);

/* From where an address can be used. */
enum resolve_reach {
    RESOLVE_ANYWHERE, /* as far as the text tells; a host name too */
    RESOLVE_HOST,     /* on its host: loopback, localhost */
    RESOLVE_LINK,     /* link-local IPv6 without a zone: nowhere, as the interface is not known */
    RESOLVE_NOWHERE,  /* unspecified: 0.0.0.0 or [::] */
};
/* Looks up nothing. What is no HOST:PORT is RESOLVE_NOWHERE. */
enum resolve_reach resolve_reach(const char *host_port);
/* Prints the address, without a port, from which this machine sends to a literal ADDR:PORT. Sends
 * nothing. Returns 0, or RUSM_ENOCONN if there is no way there. */
int resolve_source(const char *host_port, char *host, size_t cap);

#endif
