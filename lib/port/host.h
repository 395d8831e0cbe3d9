/* host: what the programs of one scheduler share: the hooks that watch their descriptors, the log,
 * the guard, and the list of programs that are to end. The node makes the host and calls it in
 * every tick. The node tells it the time. On the scheduler's thread. */
#ifndef PORT_HOST_H
#define PORT_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/list.h"
#include "base/log.h"
#include "port/environment.h"
#include "port/guard.h"
#include "rusm.h"

struct port_watch; /* defined by the node */

struct port_hooks {
    /* Makes a watch that is not armed yet. After each arm the node calls `ready` once: when fd can
     * be read, or, with `writable`, when it can be written. It does so outside of any behaviour.
     * Returns NULL if there is no memory. */
    struct port_watch *(*watch)(void *context, int fd, bool writable, void (*ready)(void *user),
                                void *user);
    void (*arm)(void *context, struct port_watch *w);
    void (*unwatch)(void *context, struct port_watch *w); /* frees w; call it before closing fd */
    void (*ended)(void *context); /* the last program has ended: port_host_any is false */
};

/* Work for port_host_look, which may wake processes. */
struct port_event {
    struct list link; /* in port_host.events; needs list_init first */
    void (*ready)(struct port_event *e);
};

struct port_counters {
    uint64_t started, ended;
    uint64_t refused;  /* messages that a framing cannot carry, or whose program reads no more */
    uint64_t unasked;  /* lines that answered nothing */
    uint64_t bad;      /* lines that were no request */
    uint64_t unlogged; /* lines of standard error above the limit */
};

/* What the hosts of one node share. */
struct port_node {
    const char *name;
    uint32_t incarnation;
    const struct log *log;
    const char *const *env; /* what its owner adds to the environment of programs; NULL: nothing */
    uint64_t descriptors;   /* the programs' soft limit of descriptors; 0: the node's */
    atomic_size_t programs; /* of all hosts */
};

struct port_host {
    const struct port_hooks *hooks;
    void *context;
    const struct log *log; /* of the node */
    struct port_node *node;
    uint64_t now_ns;              /* the time of this tick */
    struct environment env;       /* of all programs */
    struct environment guard_env; /* of the guard: nothing that is meant for programs */
    void *stack;                  /* for launch_start */
    struct guard guard;
    struct list programs; /* all programs */
    struct list dirty;    /* programs with bytes to be written */
    struct list ending;   /* programs that were told to end, in the order of their deadlines */
    struct list closed;   /* programs that have closed a pipe and may be about to exit */
    struct list events;   /* struct port_event */
    atomic_size_t count;  /* number of programs */
    struct port_counters counters;
    struct port_counters shown; /* a copy made at the end of the last tick */
};

/* Keeps hooks, context and node, but not node->env. Returns 0 or RUSM_ENOMEM. */
int port_host_init(struct port_host *h, const struct port_hooks *hooks, void *context,
                   struct port_node *node);
/* Kills the programs that are left. Does nothing if h is zeroed memory. */
void port_host_fini(struct port_host *h);
/* Wakes the processes whose programs have something for them. Call it once a tick, before processes
 * run. */
void port_host_look(struct port_host *h);
/* Writes to programs, and kills those whose deadline has passed. Call it once a tick, after
 * processes have run. Returns whether port_host_look has more to do. */
bool port_host_tick(struct port_host *h, uint64_t now_ns);
/* Returns the time at which port_host_tick is due at the latest. UINT64_MAX: no deadline is set. */
uint64_t port_host_next_ns(const struct port_host *h);
/* Returns whether a program is left, running or ending. Any thread. */
bool port_host_any(const struct port_host *h);

#endif
