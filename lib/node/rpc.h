/* rpc: the requests that peers and clients make on the control stream: one of the two ways into
 * service/requests.h. On the connection's scheduler's thread. */
#ifndef NODE_RPC_H
#define NODE_RPC_H

struct connection;
struct frame;

/* Takes a REQUEST or CANCEL. Returns 0, or RUSM_EMALFORMED or RUSM_ENOMEM, which close the
 * connection. */
int rpc_request(struct connection *c, const struct frame *frame);
int rpc_cancel(struct connection *c, const struct frame *frame);
/* The connection is over: nobody waits for the answers any longer. */
void rpc_forget_all(struct connection *c);

#endif
