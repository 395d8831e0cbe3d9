/* children: those of one supervisor, in order of start, and by serial while they run. What to do
 * when one ends is supervisor.c's. One thread. */
#ifndef OTP_CHILDREN_H
#define OTP_CHILDREN_H

#include "otp/restarts.h"
#include "actor/state.h"

struct child {
    struct map_node by_serial; /* while it runs */
    struct rusm_child spec;
    uint64_t serial; /* 0: it does not run */
    size_t index;
    bool wanted;              /* is to run */
    struct restarts restarts; /* if each child is counted for itself */
};

struct children {
    struct child **child; /* child[0..count) in order of start */
    size_t count, cap;
    struct map by_serial;
};

void children_init(struct children *all, uint64_t seed);
void children_fini(struct children *all);
struct child *children_find(const struct children *all, uint64_t serial); /* NULL: none runs */
/* Puts a copy of it at the end of the list, wanted. RUSM_ELIMIT, RUSM_ENOMEM. */
int children_add(struct children *all, const struct rusm_child *spec);
/* The last one, which does not run, was not meant to be. */
void children_drop_last(struct children *all);
/* Starts, registers and links it to self. On failure nothing is left of it, and *why has a text. */
int children_start(struct rusm_process *self, struct children *all, struct child *c, rusm_pid *pid,
                   struct rusm_why *why);
/* It has ended. */
void children_ended(struct children *all, struct child *c);

#endif
