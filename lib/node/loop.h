/* loop: waiting for the socket, for a time, or to be woken; the only user of libev. One for each
 * scheduler. */
#ifndef NODE_LOOP_H
#define NODE_LOOP_H

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct loop {
    struct list watches; /* struct loop_watch that are active */
    struct ev_loop *ev;
    struct ev_io reading, writing;
    struct ev_timer timer;
    struct ev_io waking;
    pthread_mutex_t *guard; /* NULL: none */
    int foreign_fd;         /* an epoll instance for another event loop; -1: none */
    int timer_fd;           /* in foreign_fd: readable when a tick is due */
    int socket_fd;          /* as in loop_init */
    bool foreign_shared;    /* a descriptor is watched twice */
    bool foreign_writing;   /* the socket is watched for room too */
    int wake_fd; /* an eventfd of ours: libev's own way to be woken aborts without descriptors */
    bool readable;
    atomic_bool woken;                     /* since the last wait */
    uint64_t looked_ns;                    /* when descriptors were last looked at */
    uint64_t spin_ns;                      /* the most that one loop_spin takes; 0: never */
    unsigned spin_misses, spin_skip;       /* in a row; waits to go until the next try */
    bool spin_shared;                      /* the last one ended while others used the core */
    uint64_t spin_again_ns, spin_pause_ns; /* not before, as others wanted the core */
};

/* A descriptor watched besides the socket: `ready` is called during loop_wait when it is
 * readable. */
struct loop_watch {
    struct ev_io io;
    struct list active; /* in the loop's watches; NULL pointers: never was */
    bool once;
    void (*ready)(void *user);
    void *user;
};
/* The watch and its descriptor stay the caller's. Watching twice is a bug; unwatching one that is
 * not watched is fine if it is all zero. */
void loop_watch(struct loop *l, struct loop_watch *w, int fd, void (*ready)(void *user),
                void *user);
void loop_unwatch(struct loop *l, struct loop_watch *w);
/* The same for one that is armed again and again: `ready` is called once, when the descriptor is
 * readable or (`writable`) can be written, after each loop_arm. Arming one that is armed is
 * fine. */
void loop_watch_once(struct loop_watch *w, int fd, bool writable, void (*ready)(void *user),
                     void *user);
void loop_arm(struct loop *l, struct loop_watch *w);

/* fd: the socket's; -1: there is none. 0 or RUSM_EIO and errno. */
int loop_init(struct loop *l, int fd, uint64_t spin_ns);
void loop_fini(struct loop *l);
/* From now on the loop holds `guard` while it calls anybody, and not while it waits. Keeps
 * guard. */
void loop_guard(struct loop *l, pthread_mutex_t *guard);
/* Waits until the socket is readable (l->readable), or writable if asked for, `until_ns` of
 * CLOCK_MONOTONIC has come (UINT64_MAX: never), or loop_wake. until_ns 0: only looks. */
void loop_wait(struct loop *l, uint64_t now_ns, uint64_t until_ns, bool writable);
/* Looks at the other descriptors, if it is time to, as there is more to do than to wait. */
void loop_look(struct loop *l, uint64_t now_ns);
/* Is there something? `first`: it may be a lot, as nobody has looked since the last tick. */
typedef bool loop_poll_fn(void *context, bool first);
/* Asks `poll` (with `context`) again and again for a short while, instead of waiting: a core that
 * sleeps takes longer to wake than a message to come and go. Gives the core to whoever else wants
 * it, and gives itself up where it finds nothing or others want the core often or for long. True:
 * poll said so, or `until_ns` has come; false: wait. Reads the clock. */
bool loop_spin(struct loop *l, uint64_t until_ns, loop_poll_fn *poll, void *context);
/* Makes a descriptor that is readable whenever something that is watched is, or when loop_due
 * says. The loop's; closed by loop_fini. Returns 0, or RUSM_EIO and errno. */
int loop_foreign(struct loop *l);
/* For a foreign loop, between two ticks: it is to come back at until_ns (UINT64_MAX: never), at
 * once if that has come, or when something is readable, or `writable`: when the socket can be
 * written. */
void loop_due(struct loop *l, uint64_t now_ns, uint64_t until_ns, bool writable);
/* Any thread, any signal handler. */
void loop_wake(struct loop *l);

#endif
