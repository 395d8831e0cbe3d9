/* spawning: a process for whoever asks from outside of a scheduler's processes: another node, a
 * client, or rusm_spawn_at. Where there are several schedulers these are spread over them, in turn,
 * and the outcome comes back later. Used by self.c and the node. */
#ifndef SCHED_SPAWNING_H
#define SCHED_SPAWNING_H

#include "sched/sched.h"

struct spawning {
    struct task task;
    /* It has its outcome; called on the thread that asked. Frees it. */
    void (*over)(struct spawning *s, struct runtime *here);
    const struct rusm_behaviour *behaviour;
    struct rusm_args args; /* copies */
    char *name;            /* to be registered; NULL: none */
    size_t name_len;
    bool global;
    int error;    /* 0: pid is the new process */
    bool unnamed; /* the error is that of the name */
    rusm_pid pid;
    struct rusm_why why;
};

/* Fills *s with copies; spawning_fini in any case. RUSM_ENOMEM. */
int spawning_init(struct spawning *s, const struct rusm_behaviour *behaviour,
                  const struct rusm_args *args, const char *name, size_t name_len, bool global);
void spawning_fini(struct spawning *s);
/* `over` is called, at once or later; unless this says RUSM_ENOMEM. */
int spawning_start(struct runtime *rt, struct spawning *s);

#endif
