/* reply: answers to requests on a connection's control stream. On the thread of the connection's
 * scheduler. */
#ifndef NODE_REPLY_H
#define NODE_REPLY_H

#include <stddef.h>
#include <stdint.h>

struct connection;

/* Sends the reply to request `id`: an error or 0, and the body that belongs to it. If the reply
 * cannot be queued, the connection is closed, so that the asker notices. */
void reply_send(struct connection *c, uint64_t id, int error, const void *body, size_t len);
/* Sends a reply with an error and a text for a person. */
void reply_fail(struct connection *c, uint64_t id, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
