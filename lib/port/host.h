/* host: what the programs of one scheduler share, on its thread: who watches descriptors for them,
 * the log, their guard, those that are to end. The node makes it and turns it. It knows no
 * clock. */
#ifndef PORT_HOST_H
#define PORT_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/list.h"
#include "base/log.h"
#include "port/guard.h"
#include "rusm.h"

struct port_watch; /* the node's */

struct port_hooks {
    /* A watch that is not armed yet: after each arm `ready` is called once, when fd is readable or
     * (`writable`) can be written; outside of any behaviour. NULL: no memory. */
    struct port_watch *(*watch)(void *context, int fd, bool writable, void (*ready)(void *user),
                                void *user);
    void (*arm)(void *context, struct port_watch *w);
    void (*unwatch)(void *context, struct port_watch *w); /* frees it, before fd is closed */
    void (*ended)(void *context); /* the last program has: port_host_any is false */
};

/* Something to look at when processes may be woken. */
struct port_event {
    struct list link; /* in host's events; list_init'ed */
    void (*ready)(struct port_event *e);
};

struct port_counters {
    uint64_t started, ended;
    uint64_t refused;  /* messages that a framing cannot carry, or that no program reads */
    uint64_t unasked;  /* lines that answered nothing */
    uint64_t bad;      /* lines that were no request */
    uint64_t unlogged; /* lines of standard error beyond the limit */
};

/* What the hosts of one node share. */
struct port_node {
    const char *name;
    uint32_t incarnation;
    const struct log *log;
    atomic_size_t programs; /* of all of them */
};

struct port_host {
    const struct port_hooks *hooks;
    void *context;
    const struct log *log; /* the node's */
    struct port_node *node;
    uint64_t now_ns; /* of this tick */
    char **env;      /* what every program has, then NULL and room for one more */
    size_t env_count;
    void *stack; /* of a program that is about to begin */
    struct guard guard;
    struct list programs; /* all of them */
    struct list dirty;    /* those with bytes to be written */
    struct list ending;   /* those that were told to end, in the order of their deadlines */
    struct list events;   /* struct port_event */
    atomic_size_t count;  /* of programs */
    struct port_counters counters;
    struct port_counters shown; /* as they were at the end of the last tick */
};

/* Borrows all for life. 0 or RUSM_ENOMEM. */
int port_host_init(struct port_host *h, const struct port_hooks *hooks, void *context,
                   struct port_node *node);
/* Kills what is left. Zeroed memory is fine. */
void port_host_fini(struct port_host *h);
/* Wakes the processes whose programs have something for them. Before they run, once a tick. */
void port_host_look(struct port_host *h);
/* Writes what is to be written, kills those whose time is over. When processes have run, once a
 * tick. True: there is more to look at. */
bool port_host_tick(struct port_host *h, uint64_t now_ns);
/* When port_host_tick is due at the latest; UINT64_MAX: not of itself. */
uint64_t port_host_next_ns(const struct port_host *h);
/* Is a program left, running or ending? Any thread. */
bool port_host_any(const struct port_host *h);

#endif
