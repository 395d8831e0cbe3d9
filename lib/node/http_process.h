/* http_process: the process of behaviour "gateway", which calls and sends for HTTP clients as any
 * other process does, and what it shares with http.c. On the node's thread. */
#ifndef NODE_HTTP_PROCESS_H
#define NODE_HTTP_PROCESS_H

#include "base/id.h"
#include "node/http.h"

struct http {
    struct rusm_node *node;
    struct gateway *gateway;
    struct rusm_behaviour behaviour;
    uint64_t serial;   /* of the process; 0: none yet */
    struct list fresh; /* jobs for the process to begin */
    struct list busy;  /* whose receiver's mailbox is full: tried again when there may be room */
    uint64_t busy_until_ns; /* when the first of them waited for too long; UINT64_MAX: none waits */
    struct list passing;    /* sends without a receipt */
    uint64_t late_ns;       /* when the first of them waited for too long, or before */
    struct map asked;       /* calls and those, by ref or receipt */
    uint64_t receipts;      /* the last one wanted */
    bool woken;             /* the process has a message to look at `fresh` */
};

/* Sets up what is the process's in *http. */
void http_process_init(struct http *http);
void http_process_fini(struct http *http);
/* A SEND, CALL or KILL for the process to begin; it is started if there is none. */
void http_process_begin(struct http *http, struct gateway_job *job);
void http_process_cancel(struct http *http, struct gateway_job *job);
/* Those that waited for too long are told so. When to be called again. */
uint64_t http_process_tick(struct http *http);
/* The job is over, with that error or none. */
void http_done(struct gateway_job *job, int error);
/* Is that process one of this node? */
bool http_is_here(const struct rusm_node *node, const struct id_address *a);

#endif
