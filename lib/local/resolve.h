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

#endif
