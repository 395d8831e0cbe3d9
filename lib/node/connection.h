/* connection: the life of a connection. Called by its scheduler, on the scheduler's thread. */
#ifndef NODE_CONNECTION_H
#define NODE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "rusm.h"

struct conn;
struct conn_end;
struct endpoint_events;
struct follower;
struct tracer;
struct frame;
struct member;
struct peer;
struct peer_events;
struct resolved;
struct rusm_node;
struct scheduler;
struct seed;

/* A QUIC connection and the peer or client behind it. */
struct connection {
    struct list link;    /* in scheduler.connections */
    struct list unready; /* in scheduler.unready until the handshake is complete */
    struct scheduler *scheduler;
    struct conn *conn;
    struct peer *peer;                  /* NULL until the handshake is complete */
    struct member *member;              /* NULL: a client, or the peer is not known yet */
    char meant[RUSM_NODE_NAME_MAX + 1]; /* name of the node that we dialled; "": accepted */
    char address[80];                   /* of the other end */
    char advertised[300];               /* where the peer wants to be dialled; "": at `address` */
    char everywhere;                    /* the peer listens on all its addresses: '4' or '6' */
    uint32_t index, incarnation;        /* of the peer or client, as in pids */
    bool client, left;                  /* left: the peer sent LEAVE */
    struct seed *seed;                  /* it asks an address of a seed for its node; else NULL */
    size_t seed_place;                  /* which address that is */
    bool confirmed;                     /* the peer has used it, so it took us in */
    uint64_t since_ns;
    uint64_t ready_ns;   /* when it became ready; 0: it is not */
    struct list doubted; /* in scheduler.doubted while we doubt that the peer lives */
    uint64_t doubted_ns, doubt_until_ns; /* since when, and the peer's deadline to send anything */
    struct list feed;  /* in scheduler.feeds while there may be something to feed */
    struct list exits; /* exits.c: signals of which one of the two copies has come */
    uint32_t exit_count;
    uint64_t exit_floor, exit_ref; /* the peer's refs up to this are forgotten; our last ref */
    struct list asked;             /* the peer's requests without an answer: rpc.c */
    unsigned asked_count;
    struct list spawns; /* our processes' spawns without an answer: spawn_at.c */
    uint64_t spawn_count, spawn_id;
    struct list listings; /* tables that the client asked for */
    unsigned listing_count;
    struct follower *follower; /* the client follows our events; NULL: it does not */
    struct tracer *tracer;     /* the client traces a process; NULL: it does not */
};

/* What the node does with a frame of one type. */
struct connection_frame_kind {
    /* Takes a frame. Returns 0, or an error, which closes the connection, such as RUSM_EMALFORMED.
     * NULL: no frame of this type may come. */
    int (*take)(struct connection *c, const struct frame *frame);
    bool from_clients; /* clients may send it too */
    bool early;        /* may come before the connection is ready */
};

/* What connections use of the files above this one. frames.c fills it in. */
struct connection_users {
    const struct connection_frame_kind *frames;             /* FRAME_TYPES rows */
    const struct peer_events *peer;                         /* upcalls of each session */
    int (*http)(struct rusm_node *node, struct conn *conn); /* takes a ready HTTP/3 connection */
    void (*doubted)(struct connection *c); /* an ICMP report says that nobody is there */
    /* A connection with `seed` is over. */
    void (*asked)(struct connection *c, const struct conn_end *end);
    void (*ends)(struct connection *c);  /* called before the session is freed */
    void (*ended)(struct connection *c); /* called after that */
};

void connection_events(struct endpoint_events *events);
/* Takes a frame: the peer room's upcall. */
int connection_frame(void *context, struct peer *p, const struct frame *frame);
/* Dials the node called `meant`. Gives *out, which is in s->connections. Returns 0, RUSM_ENOMEM or
 * the endpoint's error. */
int connection_dial(struct scheduler *s, const struct resolved *to, const char *meant,
                    struct connection **out);
/* Dials an address to ask which node is there: the caller sets `seed`. Gives *out and returns as
 * connection_dial. */
int connection_ask(struct scheduler *s, const struct resolved *to, struct connection **out);
struct connection *connection_of(const struct peer *p);
/* Frees a connection and its session. Its spawns fail, and its lanes are freed. Not from within an
 * upcall of its session. */
void connection_free(struct connection *c);
/* Closes a connection that gives way to another one with the same node. */
void connection_replace(struct connection *old);
/* Returns the connection of a node index in pids: a member's current one, or a client's. Returns
 * NULL if it is not connected. */
struct connection *connection_find(const struct scheduler *s, uint32_t index);

#endif
