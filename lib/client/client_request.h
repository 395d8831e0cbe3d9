/* client_request: requests of a client on its control stream, one at a time: begin, append the
 * fields, run. On the caller's thread; client_request_reply is called by client_events while the
 * link steps. */
#ifndef CLIENT_CLIENT_REQUEST_H
#define CLIENT_CLIENT_REQUEST_H

#include "base/buf.h"
#include "wire/limits.h"
#include "client/client_link.h"

struct client_request {
    struct client_link *link;
    uint64_t id;        /* the request under way; 0: none */
    uint64_t last;      /* the last id given */
    struct buf replies; /* bodies of frames that nobody has read yet, each after its u32 length */
    int error;          /* no room or memory for replies; 0 */
    uint8_t scratch[LIMIT_FRAME];
};

/* `link` is kept. */
void client_request_init(struct client_request *q, struct client_link *link);
void client_request_fini(struct client_request *q);
/* A reply frame came. */
void client_request_reply(struct client_request *q, const struct frame *frame);
/* Begins a request. The caller appends the operation's fields to the writer. */
struct writer client_request_begin(struct client_request *q, enum op op, uint64_t deadline_ns);
/* Reads one reply. A result other than 0 ends the request and is returned by client_request_run. */
typedef int client_reply_fn(void *context, struct reader *body);
/* Sends the request and hands out its replies until the last. The text of an error reply goes to
 * why. */
int client_request_run(struct client_request *q, struct writer *w, client_reply_fn *each,
                       void *context, uint64_t deadline_ns, struct rusm_why *why);

/* A reply that is a pid: the context of client_request_pid, a client_reply_fn. */
struct client_pid_reply {
    const struct client_link *link;
    char *node, *pid; /* node: NULL if not wanted */
};
int client_request_pid(void *context, struct reader *body);
/* Asks who owns a global name. `node`, if not NULL, gets the owner's node. */
int client_request_whereis(struct client_request *q, const char *name,
                           char node[RUSM_NODE_NAME_MAX + 1], char pid[RUSM_PID_TEXT_MAX],
                           uint64_t deadline_ns, struct rusm_why *why);

#endif
