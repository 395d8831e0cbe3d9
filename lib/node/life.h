/* life: tells the program that owns a node that all schedulers of the node run, and when the node
 * begins to leave. Called by the ticks of each scheduler, on its thread. */
#ifndef NODE_LIFE_H
#define NODE_LIFE_H

#include <stdint.h>

#include "rusm.h"

struct rusm_node;
struct scheduler;

struct life {
    rusm_life_fn *tell; /* NULL: nobody wants to know */
    void *context;
    uint64_t period_ns; /* 0: only that it leaves */
    uint64_t due_ns;    /* when scheduler 0 tells it again; 0: not yet known */
};

void life_init(struct rusm_node *node, const struct rusm_node_options *o);
/* Notes that the scheduler runs. On scheduler 0, tells so if it is due and the others have run
 * lately. Returns the time at which it is due again. */
uint64_t life_tick(struct scheduler *s);
/* Tells that the node begins to leave. */
void life_leave(struct rusm_node *node);

#endif
