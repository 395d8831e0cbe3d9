/* gate_process: the process of behaviour "gateway", which calls and sends for HTTP clients as any other
 * process does, and what it shares with gate.c. On the node's thread. */
#ifndef NODE_GATE_PROCESS_H
#define NODE_GATE_PROCESS_H

#include "base/id.h"
#include "node/gate.h"

struct gate {
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

/* Sets up what is the process's in *gate. */
void gate_process_init(struct gate *gate);
void gate_process_fini(struct gate *gate);
/* A SEND, CALL or KILL for the process to begin; it is started if there is none. */
void gate_process_begin(struct gate *gate, struct gateway_job *job);
void gate_process_cancel(struct gate *gate, struct gateway_job *job);
/* Those that waited for too long are told so. When to be called again. */
uint64_t gate_process_tick(struct gate *gate);
/* The job is over, with that error or none. */
void gate_done(struct gateway_job *job, int error);
/* Is that process one of this node? */
bool gate_is_here(const struct rusm_node *node, const struct id_address *a);

#endif
