/* connection: the life of a connection. Called by its scheduler, on its scheduler's
 * thread. */
#ifndef NODE_CONNECTION_H
#define NODE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "rusm.h"

struct conn;
struct endpoint_events;
struct frame;
struct member;
struct peer;
struct peer_events;
struct resolved;
struct rusm_node;
struct scheduler;

/* One QUIC connection and who is behind it. */
struct connection {
    struct list link;    /* in scheduler.connections */
    struct list unready; /* in scheduler.unready until the handshake is complete */
    struct scheduler *scheduler;
    struct conn *conn;
    struct peer *peer;                  /* NULL until the handshake is complete */
    struct member *member;              /* NULL: a client, or not known yet */
    char meant[RUSM_NODE_NAME_MAX + 1]; /* dialled: the node we mean; "": any */
    char address[80];                   /* the other end */
    char advertised[300];               /* where it wants to be dialled; "": where it is */
    uint32_t index, incarnation;        /* how pids name it */
    bool client, left;                  /* left: it said LEAVE */
    uint64_t since_ns;
    uint64_t ready_ns;                   /* 0: not ready */
    struct list doubted;                 /* in scheduler.doubted while it is */
    uint64_t doubted_ns, doubt_until_ns; /* since when, and until when it may speak */
    struct list feed;  /* in scheduler.feeds while there is something to feed it */
    struct list exits; /* exits.c: signals of which one of two copies came */
    uint32_t exit_count;
    uint64_t exit_floor, exit_ref; /* older ones of theirs are forgotten; ours, last given */
    struct list asked;             /* their requests without an answer: rpc.c */
    unsigned asked_count;
    struct list spawns; /* our spawns without an answer: spawn_at.c */
    uint64_t spawn_count, spawn_id;
    struct list listings; /* tables that it asked for */
    unsigned listing_count;
};

/* What is done with a frame of one type. */
struct connection_frame_kind {
    /* Returns 0, or RUSM_EMALFORMED, which closes the connection. NULL: there is no such frame. */
    int (*take)(struct connection *c, const struct frame *frame);
    bool from_clients; /* taken from clients too */
    bool early;        /* taken before the connection is ready */
};

/* What connections use of the files above this one. */
struct connection_users {
    const struct connection_frame_kind *frames;             /* FRAME_TYPES of them */
    const struct peer_events *peer;                         /* of each session */
    int (*http)(struct rusm_node *node, struct conn *conn); /* an HTTP/3 connection is ready */
    void (*doubted)(struct connection *c);                  /* the network says nobody is there */
    void (*ends)(struct connection *c);                     /* before its session is freed */
    void (*ended)(struct connection *c);                    /* after */
};

void connection_events(struct endpoint_events *events);
/* The peer room's upcall for a frame. */
int connection_frame(void *context, struct peer *p, const struct frame *frame);
/* Dials the node called `meant`; the connection is in s->connections. */
int connection_dial(struct scheduler *s, const struct resolved *to, const char *meant,
                    struct connection **out);
struct connection *connection_of(const struct peer *p);
/* Requests fail, lanes are freed. Not from within its peer's upcalls. */
void connection_free(struct connection *c);
/* Gives way to another connection of the same node. */
void connection_replace(struct connection *old);
/* By the node index in a pid: a member's current one, or a client's. NULL: not connected. */
struct connection *connection_find(const struct scheduler *s, uint32_t index);

#endif
