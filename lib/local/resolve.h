/* resolve: HOST:PORT to socket addresses (getaddrinfo). May block for the name service; literal
 * addresses never do. */
#ifndef LOCAL_RESOLVE_H
#define LOCAL_RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>
#include "rusm.h"

struct resolved {
    struct sockaddr_storage address;
    socklen_t len;
};

/* Up to `cap` addresses of HOST:PORT; returns how many, RUSM_EINVAL (not HOST:PORT), RUSM_ENOCONN
 * (no such host). passive: for binding. */
int resolve(const char *host_port, bool passive, struct resolved *out, size_t cap,
            struct rusm_why *why);
/* ADDR:PORT or [V6]:PORT of a socket address. */
void resolve_format(const struct sockaddr *address, socklen_t len, char *text, size_t cap);

#endif
