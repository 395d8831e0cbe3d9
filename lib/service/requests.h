/* requests: what may be asked of a node, each request implemented once. There are two ways in: the
 * control stream (node/rpc.c) and HTTP (node/http.c). Both hand over a request's op and fields, and
 * take the reply's body, as wire/rpc.h has them. Called on the scheduler's thread.
 *
 * To add a request: give it an op in wire/rpc.h and a row in requests.c. */
#ifndef SERVICE_REQUESTS_H
#define SERVICE_REQUESTS_H

#include "service/service.h"
#include "wire/varint.h"

struct request_work;

/* Who waits for an answer. Its owner keeps it until the answer or request_forget. */
struct asker {
    /* The answer, which comes once: the op's result or, with an error, a text for a person. The
     * body is NUL-terminated in that case, and valid until this returns. May free the asker. */
    void (*answer)(struct asker *asker, int error, const void *body, size_t len);
    struct request_work *work; /* of this file: another scheduler works on it; else NULL */
};

/* Makes a request. The answer comes before this returns, or later. Returns 0, or RUSM_EMALFORMED if
 * the fields are not those of the op: then there is no answer. */
int request_make(struct service *s, struct asker *asker, uint64_t op, struct reader *fields);
/* The asker waits no longer. What it asked for is done nevertheless. */
void request_forget(struct asker *asker);

#endif
