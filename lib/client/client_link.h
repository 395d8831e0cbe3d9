/* client_link: a client's connection: dials it, steps it, ends it, and says why it ended. Nothing
 * runs between two calls of a client. Each call steps the connection until it has what it wants or
 * its deadline has passed. The peer_events given to client_link_init handle what the node sends. On
 * the caller's thread. */
#ifndef CLIENT_CLIENT_LINK_H
#define CLIENT_CLIENT_LINK_H

#include "client/client_node.h"
#include "local/lookup.h"
#include "peer/peer.h"

/* One address of a host that is being tried, or that has answered. */
struct client_dial {
    struct client_link *link;
    struct endpoint *endpoint; /* NULL: not tried yet, or given up */
    struct conn *conn;         /* NULL: it has ended */
    bool blocked;              /* the socket is full */
};

struct client_link {
    const struct client_node *to;
    struct identity *identity; /* of the client, which frees it; NULL: not loaded yet */
    uint32_t timeout_ms;       /* of each operation, and what errors say */
    uint64_t deadline_ns;      /* of all operations together; 0: none */
    const struct peer_events *events;
    void *context; /* of events */

    struct lookup *lookup; /* NULL: no name is being looked up */
    struct resolved at[LOOKUP_ADDRESSES];
    size_t at_count, at_next;   /* addresses; those that were tried */
    uint64_t next_ns, until_ns; /* when the next one is tried; when dialling ends */
    int error;                  /* of the look-up, or of the last address; 0: it was dialled */
    struct rusm_why why;        /* of error */
    struct client_dial dials[LOOKUP_ADDRESSES]; /* of `at` */

    struct client_dial *won; /* the address that answered; NULL: none yet */
    struct peer *peer;
    struct conn_end end; /* why the connection has ended */
    bool ready, over;
    bool writable;        /* a lane has got room since this was set to false */
    int watch_fd;         /* pidfd of the node's OS process; -1: none */
    uint32_t incarnation; /* ours */
    uint64_t seed;
    struct lane_budget budget;
    struct lane_pools pools;
    uint64_t stepped_ns, ticked_ns; /* the last step, the last tick of the peer */
    uint64_t pings, pong;           /* the last PING sent, the last PONG received */

    /* What the node's hello says. */
    char name[RUSM_NODE_NAME_MAX + 1];
    uint32_t incarnation_there;
    uint64_t max_message;
};

/* Prepares a link that is not connected. Keeps `to`, `events` and `context`. Returns 0 or an error
 * of the system's random numbers. Call client_link_fini in either case. */
int client_link_init(struct client_link *l, const struct client_node *to, uint32_t timeout_ms,
                     const struct peer_events *events, void *context);
void client_link_fini(struct client_link *l);
/* Returns the deadline of an operation that begins now: no later than that of all of them. */
uint64_t client_link_deadline(const struct client_link *l);
/* Writes the timeout as text: "5 s", "0.2 s". Returns text. */
const char *client_link_seconds(const struct client_link *l, char text[16]);

/* Begins to look to->address up and to dial it. Of a host with several addresses it tries the
 * first, a moment later the next beside it, and takes the one that answers first. Returns 0, or an
 * error if it cannot even try. */
int client_link_dial(struct client_link *l, uint64_t deadline_ns, struct rusm_why *why);
/* Sends what is queued, waits until something happens, but not beyond the deadline, and handles it.
 * Returns 0, RUSM_ETIMEOUT if the deadline has passed, or RUSM_ENOCONN if the connection has
 * ended. */
int client_link_step(struct client_link *l, uint64_t deadline_ns);
/* Does what client_link_step does, for up to 64 links at once. */
void client_link_step_all(struct client_link **links, size_t count, uint64_t deadline_ns);
/* Handles what has come and sends what is queued. Does not wait. */
void client_link_poll(struct client_link *l);
/* Sends what is queued. Does not wait. */
void client_link_flush(struct client_link *l);
/* Watches the node's OS process if the node runs on this machine, so that the client sees its end
 * at once. */
void client_link_watch(struct client_link *l);
/* Closes the connection and frees what belongs to it. */
void client_link_drop(struct client_link *l);
/* Say why the connection could not be made, or why it has ended. Return the error. */
int client_link_why_dial(const struct client_link *l, struct rusm_why *why);
int client_link_why_over(const struct client_link *l, struct rusm_why *why);

#endif
