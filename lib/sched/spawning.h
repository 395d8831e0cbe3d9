/* spawning: starts a process for somebody outside of a scheduler's processes: another node, a
 * client, or rusm_spawn_at. A node with several schedulers spreads these processes over them, in
 * turn, and the outcome comes back later. Used by rusm_spawn_at, which is in spawning.c, and by the
 * service and node rooms. */
#ifndef SCHED_SPAWNING_H
#define SCHED_SPAWNING_H

#include "sched/sched.h"

struct spawning {
    struct task task;
    /* Called with the outcome, on the thread that asked. Frees the struct. */
    void (*over)(struct spawning *s, struct runtime *here);
    const struct rusm_behaviour *behaviour;
    struct rusm_args args; /* copies */
    char *name;            /* to register; NULL: none */
    size_t name_len;
    bool global;
    int error;    /* 0: pid is the new process */
    bool unnamed; /* the error comes from registering the name */
    rusm_pid pid;
    struct rusm_why why;
};

/* Fills *s with copies. Returns 0 or RUSM_ENOMEM. Call spawning_fini in both cases. */
int spawning_init(struct spawning *s, const struct rusm_behaviour *behaviour,
                  const struct rusm_args *args, const char *name, size_t name_len, bool global);
void spawning_fini(struct spawning *s);
/* Starts the process. Returns 0 and calls `over`, at once or later, or returns RUSM_ENOMEM and does
 * not call it. */
int spawning_start(struct runtime *rt, struct spawning *s);

#endif
