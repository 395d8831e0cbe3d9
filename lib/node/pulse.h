/* pulse: notices, and says in the log, what else nobody would see afterwards: that this node stood
 * still, and that the wall clock was set. On scheduler 0's thread. */
#ifndef NODE_PULSE_H
#define NODE_PULSE_H

#include <stdint.h>

struct rusm_node;

struct pulse {
    uint64_t at_ns;   /* when to look; 0: it has not looked yet */
    uint64_t seen_ns; /* when it looked, and what the wall clock said */
    uint64_t wall_ms;
};

/* Looks from time to time. Returns when to call it again. */
uint64_t pulse_tick(struct rusm_node *node);

#endif
