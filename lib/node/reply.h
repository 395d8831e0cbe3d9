/* reply: answers to requests on a connection's control stream. On its scheduler's thread. */
#ifndef NODE_REPLY_H
#define NODE_REPLY_H

#include <stddef.h>
#include <stdint.h>

struct connection;

/* Sends the reply to request `id`: an error or 0, and the body that goes with it. A reply that
 * cannot be queued closes the connection, so that who asked is told. */
void reply_send(struct connection *c, uint64_t id, int error, const void *body, size_t len);
/* The same with a text for a person. */
void reply_fail(struct connection *c, uint64_t id, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
