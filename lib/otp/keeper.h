/* keeper: how the node's own supervisor keeps its children running. A child that ends is started
 * again at once. One that ends too often, or that cannot be started, is down: it is tried again
 * after a pause that grows, or given up, or it ends the node. The log and the observers are told
 * once, until the child has run for a while. supervisor.c calls this, and has the children. One
 * thread. */
#ifndef OTP_KEEPER_H
#define OTP_KEEPER_H

#include "otp/children.h"

/* For supervisor_start. Borrowed until the supervisor has ended. */
struct keeper_options {
    enum rusm_restarts restarts;
    /* Called if `restarts` is RUSM_RESTARTS_EXIT and a child was restarted too often. */
    void (*failed)(void *context);
    void *context;
};

/* supervisor_start fills it. */
struct keeper {
    const struct keeper_options *options; /* NULL: the supervisor has none */
    struct children *children;
    struct rng rng;
    uint32_t max_restarts, max_seconds; /* more are too many; a child that ran so long is well */
};

/* Ends the counting of children that are down, when the supervisor ends. */
void keeper_fini(struct keeper *k, struct runtime *rt);
/* Handles the end of a wanted child: starts it again now or later. */
void keeper_ended(struct rusm_process *self, struct keeper *k, struct child *c, const char *reason);
/* The first start of a child has failed with an error and a text. Returns whether to keep the
 * child, to try it again. Returns false if its description is wrong, which no time mends. */
bool keeper_waits(struct rusm_process *self, struct keeper *k, struct child *c, int error,
                  const char *text);
/* Starts the children that are due. Sleeps until the next is. */
void keeper_tick(struct rusm_process *self, struct keeper *k);

#endif
