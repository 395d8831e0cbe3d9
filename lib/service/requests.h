/* requests: what others can ask of a node. Each request is implemented once. Requests come in two
 * ways: on the control stream (node/rpc.c) and over HTTP (node/http.c). Both hand over a request's
 * op and fields and take the reply's body, in the form of wire/rpc.h. Called on the scheduler's
 * thread.
 *
 * To add a request: give it an op in wire/rpc.h and a row in requests.c. */
#ifndef SERVICE_REQUESTS_H
#define SERVICE_REQUESTS_H

#include "service/service.h"
#include "wire/varint.h"

#define REQUEST_FROM 128 /* bytes of the text that says from where a request comes */

struct request_work;

/* Somebody who waits for an answer. Its owner keeps it until the answer or request_forget. */
struct asker {
    /* Takes the answer, which comes once. It is the op's result or, with an error, a text for a
     * person. A text is NUL-terminated. The body is valid until this returns. This may free the
     * asker. */
    void (*answer)(struct asker *asker, int error, const void *body, size_t len);
    /* Returns who asks, "node", "client" or "http", and prints the node's name or the client's
     * address. */
    const char *(*who)(const struct asker *asker, char from[REQUEST_FROM]);
    struct request_work *work; /* requests.c: another scheduler works on it; NULL: none does */
};

/* Makes a request. The answer comes before this returns, or later. Returns 0, or RUSM_EMALFORMED if
 * the fields are not those of the op. Then no answer comes. */
int request_make(struct service *s, struct asker *asker, uint64_t op, struct reader *fields);
/* Cancels the answer, because the asker does not wait any more. The request is done all the
 * same. */
void request_forget(struct asker *asker);

#endif
