/* resolve: turns HOST:PORT (getaddrinfo) and srv:NAME (SRV records of the DNS) into socket
 * addresses. It may block for the name service, but not if the host is a literal address. */
#ifndef LOCAL_RESOLVE_H
#define LOCAL_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
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
/* Does the same for srv:NAME: looks up the SRV records of NAME, and all addresses of the hosts that
 * they name, in the order of resolve_srv_read. Returns how many, RUSM_EINVAL if it is not srv:NAME,
 * RUSM_ENOMEM, or RUSM_ENOCONN if there are none. */
int resolve_srv(const char *text, struct resolved *out, size_t cap, struct rusm_why *why);
/* Returns whether a text is srv:SOMETHING and no HOST:PORT. */
bool resolve_srv_is(const char *text);
/* Gives the name whose SRV records srv:NAME means: NAME if it begins with an underscore, else
 * _rusm._udp.NAME. Returns 0 or RUSM_EINVAL. */
int resolve_srv_name(const char *text, char name[256]);
/* A SRV record: a host and port of a service. */
struct resolve_srv {
    uint16_t priority, weight, port;
    char host[256];
};
/* Reads the SRV records of an answer of the DNS. Gives those to be tried first: of the lowest
 * priority, and within it of the highest weight. Leaves out what names no host. Returns how many,
 * up to CAP, or RUSM_EMALFORMED. */
int resolve_srv_read(const uint8_t *answer, size_t len, struct resolve_srv *list, size_t cap);
/* Returns whether the host is a literal address, so that resolve does not block. */
bool resolve_is_literal(const char *host_port);
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
