/* children: the children of one supervisor, in order of start, and by serial while they run.
 * supervisor.c decides what to do when one ends. One thread. */
#ifndef OTP_CHILDREN_H
#define OTP_CHILDREN_H

#include "otp/restarts.h"
#include "actor/state.h"
#include "base/backoff.h"

/* How the node's supervisor keeps a child running: keeper.c. */
struct child_keep {
    struct restarts restarts; /* of this child alone */
    struct backoff backoff;
    uint64_t due_ns;   /* when it is tried again; 0: it is not waiting */
    uint64_t since_ns; /* when it was started last */
    bool failing;      /* it failed, which the log says, and has not run for long since */
    bool held;         /* ... because its global name has another holder */
    bool down;         /* it is counted as down */
};

struct child {
    struct map_node by_serial; /* while it runs */
    struct rusm_child spec;
    uint64_t serial; /* 0: it does not run */
    size_t index;
    bool wanted; /* it must run */
    struct child_keep keep;
};

struct children {
    struct child **child; /* child[0..count) in order of start */
    size_t count, cap;
    struct map by_serial;
};

void children_init(struct children *all, uint64_t seed);
void children_fini(struct children *all);
struct child *children_find(const struct children *all, uint64_t serial); /* NULL: none runs */
/* Adds a copy of spec at the end of the list, as a wanted child. Returns 0, RUSM_ELIMIT or
 * RUSM_ENOMEM. */
int children_add(struct children *all, const struct rusm_child *spec);
/* Removes the last child again. It must not run. */
void children_drop_last(struct children *all);
/* Starts a child, registers it and links it with self. If that fails, nothing is left of the
 * process, and *why has a text. */
int children_start(struct rusm_process *self, struct children *all, struct child *c, rusm_pid *pid,
                   struct rusm_why *why);
/* Notes that a child has ended. */
void children_ended(struct children *all, struct child *c);

#endif
