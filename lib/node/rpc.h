/* rpc: the requests that peers and clients make on the control stream. This is one of the two ways
 * into service/requests.h. On the thread of the connection's scheduler. */
#ifndef NODE_RPC_H
#define NODE_RPC_H

struct connection;
struct frame;

/* Take a REQUEST and a CANCEL. Return 0, or RUSM_EMALFORMED or RUSM_ENOMEM, which close the
 * connection. */
int rpc_request(struct connection *c, const struct frame *frame);
int rpc_cancel(struct connection *c, const struct frame *frame);
/* The connection is over, so nobody waits for its answers any more. */
void rpc_forget_all(struct connection *c);

#endif
