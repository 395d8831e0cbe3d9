/* http_process: the process of behaviour "gateway", and what it shares with http.c. It calls and
 * sends for HTTP clients as any other process does. On the node's thread. */
#ifndef NODE_HTTP_PROCESS_H
#define NODE_HTTP_PROCESS_H

#include "base/id.h"
#include "node/http.h"

struct http {
    struct rusm_node *node;
    struct gateway *gateway;
    struct rusm_behaviour behaviour;
    uint64_t serial;        /* of the process; 0: there is none yet */
    struct list fresh;      /* jobs for the process to begin */
    struct list busy;       /* jobs whose receiver's mailbox is full, to be tried again */
    uint64_t busy_until_ns; /* when the first of them has waited for too long */
    struct list passing;    /* sends whose receipt has not come */
    uint64_t late_ns;       /* the first of them is too late then, or later */
    struct map asked;       /* calls and sends under way, by ref or receipt */
    uint64_t receipts;      /* the number of the last one asked for */
    bool woken;             /* the process has a message that makes it look at `fresh` */
};

/* Sets up the process's part of *http. Starts no process yet. */
void http_process_init(struct http *http);
void http_process_fini(struct http *http);
/* Gives the process a SEND, CALL or KILL to begin. Starts the process if there is none. */
void http_process_begin(struct http *http, struct gateway_job *job);
void http_process_cancel(struct http *http, struct gateway_job *job);
/* Fails the jobs that waited for too long. Returns when to call it again. */
uint64_t http_process_tick(struct http *http);
/* Ends the job with an error, or with 0. */
void http_done(struct gateway_job *job, int error);
/* Returns whether the process with that address is one of this node. */
bool http_is_here(const struct rusm_node *node, const struct id_address *a);

#endif
