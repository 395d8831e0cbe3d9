/* tcp_state: what tcp.c (connections, life) and tcp_request.c (requests on them) share. */
#ifndef GATEWAY_TCP_STATE_H
#define GATEWAY_TCP_STATE_H

#include <microhttpd.h>
#include "gateway/tcp.h"

struct tcp {
    struct gateway *gateway;
    struct MHD_Daemon *daemon;
    struct sockaddr_storage address;
    socklen_t address_len;
    struct list doors;   /* all connections */
    size_t most_each;    /* of one client */
    struct list waiting; /* doors without a whole head of a request; the longest first */
    struct list requests;
    int fd;          /* epoll: MHD's own one, and each connection for its client's end */
    bool readable;   /* it has something */
    bool run;        /* there is something for MHD to do */
    uint64_t due_ns; /* when there is without anyone's doing */
    uint64_t now_ns;
};

/* A connection. */
struct door {
    struct list all;     /* in tcp.doors */
    struct list waiting; /* in tcp.waiting */
    uint64_t home;       /* who its client is: token_home */
    struct tcp *tcp;
    struct MHD_Connection *connection;
    struct request *request; /* NULL: none now */
    int fd;
    bool ended;        /* its client says no more */
    uint64_t since_ns; /* of its wait */
};

enum request_state {
    REQUEST_HEAD,  /* its first line came, the rest of the head comes */
    REQUEST_BODY,  /* its body comes, or is thrown away */
    REQUEST_WORK,  /* all came; the connection is suspended until there is a response */
    REQUEST_REPLY, /* MHD has the response and asks for its body */
};

/* From the request's first line on until MHD has done with it. */
struct request {
    struct list link; /* in tcp.requests */
    struct door *door;
    struct exchange *x;
    enum request_state state;
    bool ours;        /* the exchange calls back from within a call of ours */
    bool suspended;   /* MHD looks at the connection again when it is resumed */
    bool broken;      /* the connection is being closed */
    bool unwanted;    /* the body is thrown away */
    size_t discarded; /* bytes of it */
};

/* ---- tcp.c ---- */
struct door *door_of(struct MHD_Connection *connection); /* NULL: it was refused */
/* A whole head must come in time from now on. */
void door_wait(struct door *d);
/* MHD sees the end and closes it. */
void door_close(struct door *d);

/* ---- tcp_request.c: what MHD calls ---- */
void *request_uri(void *tcp, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_go(void *tcp, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *data, size_t *len,
                           void **request);
void request_over(void *tcp, struct MHD_Connection *connection, void **request,
                  enum MHD_RequestTerminationCode code);
/* ---- and tcp.c ---- */
/* Closes its connection. */
void request_break(struct request *r);

#endif
