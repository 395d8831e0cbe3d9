/* tcp_state: what tcp.c (the listener and its connections) and tcp_request.c (the requests on them)
 * share. */
#ifndef GATEWAY_TCP_STATE_H
#define GATEWAY_TCP_STATE_H

#include <microhttpd.h>
#include "gateway/tcp.h"

struct tcp {
    struct gateway *gateway;
    struct MHD_Daemon *daemon;
    struct sockaddr_storage address;
    socklen_t address_len;
    struct list conns;   /* all connections */
    size_t most_each;    /* connections that one client may have */
    struct list waiting; /* connections without a whole request head, the longest wait first */
    struct list requests;
    int fd;          /* epoll: MHD's descriptor, and each connection, to see its client close it */
    bool readable;   /* fd has something */
    bool run;        /* MHD has something to do */
    uint64_t due_ns; /* when MHD has something to do by itself */
    uint64_t now_ns;
};

/* A connection. MHD calls its own struct a connection too: `connection`. */
struct tcp_conn {
    struct list all;     /* in tcp.conns */
    struct list waiting; /* in tcp.waiting */
    uint64_t home;       /* the client that it belongs to: token_home */
    struct tcp *tcp;
    struct MHD_Connection *connection;
    struct tcp_request *request; /* NULL: there is none now */
    int fd;
    bool ended;        /* the client has closed its side */
    bool allowed;      /* it has shown the token with a request */
    bool closing;      /* it was shut down, and MHD is about to end it */
    uint64_t since_ns; /* when it began to wait */
};

enum tcp_request_state {
    TCP_REQUEST_HEAD,  /* its first line came, the rest of the head follows */
    TCP_REQUEST_BODY,  /* its body comes, and is taken or thrown away */
    TCP_REQUEST_WORK,  /* it is complete; the connection is suspended until there is a response */
    TCP_REQUEST_REPLY, /* MHD has the response and reads its body */
};

/* A request, from its first line until MHD is done with it. */
struct tcp_request {
    struct list link; /* in tcp.requests */
    struct tcp_conn *conn;
    struct exchange *x;
    enum tcp_request_state state;
    bool ours;        /* we are in a call to the exchange, which may call back */
    bool suspended;   /* MHD ignores the connection until it is resumed */
    bool broken;      /* the connection is being closed */
    bool unwanted;    /* the body is thrown away */
    size_t discarded; /* bytes of the body thrown away */
};

/* ---- tcp.c ---- */
/* Returns our side of a connection, or NULL if it was refused. */
struct tcp_conn *tcp_conn_of(struct MHD_Connection *connection);
/* Starts the time in which the head of the next request must come. */
void tcp_conn_wait(struct tcp_conn *d);
/* Shuts the socket down. MHD then sees the end and closes the connection. */
void tcp_conn_close(struct tcp_conn *d);

/* ---- tcp_request.c: what MHD calls ---- */
void *tcp_request_new(void *tcp, const char *uri, struct MHD_Connection *connection);
enum MHD_Result tcp_request_go(void *tcp, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *len, void **request);
void tcp_request_over(void *tcp, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code);
/* ---- tcp_request.c, for tcp.c ---- */
/* Breaks a request off and closes its connection. */
void tcp_request_break(struct tcp_request *r);

#endif
