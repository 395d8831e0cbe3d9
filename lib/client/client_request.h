/* client_request: requests of a client on its control stream, one at a time: begin, append the
 * fields, run. client_events calls client_request_reply while the link steps. On the caller's
 * thread. */
#ifndef CLIENT_CLIENT_REQUEST_H
#define CLIENT_CLIENT_REQUEST_H

#include "base/buf.h"
#include "wire/limits.h"
#include "client/client_link.h"

struct client_request {
    struct client_link *link;
    uint64_t id;        /* the request under way; 0: none */
    uint64_t last;      /* the last id given */
    struct buf replies; /* bodies of reply frames not read yet, each after its u32 length */
    int error;          /* not 0: no room or no memory for replies */
    uint8_t scratch[LIMIT_FRAME];
};

/* Prepares q. Keeps `link`. */
void client_request_init(struct client_request *q, struct client_link *link);
void client_request_fini(struct client_request *q);
/* Handles a reply frame. */
void client_request_reply(struct client_request *q, const struct frame *frame);
/* Begins a request. Returns the writer to which the caller appends the operation's fields. */
struct writer client_request_begin(struct client_request *q, enum op op, uint64_t deadline_ns);
/* Reads one reply. If it returns other than 0, client_request_run ends the request
 * and returns the same. */
typedef int client_reply_fn(void *context, struct reader *body);
/* Sends the request and calls `each` for its replies, up to the last. Puts the text of an error
 * reply into why. Returns 0 or an error. */
int client_request_run(struct client_request *q, struct writer *w, client_reply_fn *each,
                       void *context, uint64_t deadline_ns, struct rusm_why *why);

/* Tells the node that nobody waits for the replies to that request any more. */
void client_request_cancel(struct client_request *q, uint64_t id);

/* The context of client_request_pid, a client_reply_fn that reads a reply that is a pid. */
struct client_pid_reply {
    const struct client_link *link;
    char *node, *pid; /* node: NULL if not wanted */
};
int client_request_pid(void *context, struct reader *body);
/* Asks who owns a global name. Gives the owner's pid and, if `node` is not NULL, its node. Returns
 * 0 or an error. */
int client_request_whereis(struct client_request *q, const char *name,
                           char node[RUSM_NODE_NAME_MAX + 1], char pid[RUSM_PID_TEXT_MAX],
                           uint64_t deadline_ns, struct rusm_why *why);

#endif
