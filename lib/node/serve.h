/* serve: requests of peers that another scheduler works on. Called by rpc.c, HTTP and the hooks,
 * on the thread of the scheduler that asks. */
#ifndef NODE_SERVE_H
#define NODE_SERVE_H

#include "base/list.h"
#include "sched/sched.h"
#include "sched/spawning.h"
#include "wire/rpc.h"

struct connection;
struct runtime;
struct rusm_args;
struct rusm_node;
struct rusm_why;
struct scheduler;
struct spawn;
struct spawning;

/* A request of a peer that another thread works on; it may be gone by then. */
struct served {
    struct list link;     /* in c->served */
    struct connection *c; /* NULL: it is gone */
    uint64_t id;
};
void served_begin(struct served *s, struct connection *c, uint64_t id);
void served_end(struct served *s);            /* before it is freed */
void served_forget_all(struct connection *c); /* it is gone */
/* An exit signal for a process of another scheduler. */
struct killing {
    struct task task;
    void (*over)(struct killing *k); /* on the thread that asked; frees it */
    uint64_t serial;
    int error;
    char reason[RUSM_REASON_MAX + 1];
};
/* Fills *k; `over` is called later, unless it fails. RUSM_ENOMEM. */
int serve_killing(struct scheduler *at, struct killing *k, uint64_t serial, const char *reason,
                  void (*over)(struct killing *k));
/* Ends a process of another scheduler for a peer. */
int serve_kill_far(struct connection *c, uint64_t id, uint64_t serial, const char *reason);
/* Starts a process for a peer, on the scheduler whose turn it is. */
int serve_spawn_for(struct connection *c, uint64_t id, const struct spawn *s,
                    const struct rusm_args *args, struct rusm_why *why);
/* The same for whoever asks: fills *s, and `over`, which is to free it, is called at once or
 * later; not if it fails. */
int serve_spawning(struct scheduler *at, struct spawning *s, const struct spawn *spawn,
                   const struct rusm_args *args,
                   void (*over)(struct spawning *s, struct runtime *here), struct rusm_why *why);
/* Of one whose outcome is an error: what to say of it. */
void serve_spawn_failed(const struct rusm_node *node, const struct spawning *s,
                        const char *spawnable, struct rusm_why *why);
/* For a process of ours: asks another node, whose connection is another scheduler's, for a
 * spawn. */
int serve_spawn_at(struct scheduler *s, rusm_pid self, uint32_t index, const char *spawnable,
                   const struct rusm_args *args, uint64_t ref);

#endif
