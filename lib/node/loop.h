/* loop: waits for the socket, for a time, or to be woken. The only user of libev. Each scheduler
 * has one. */
#ifndef NODE_LOOP_H
#define NODE_LOOP_H

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct loop {
    struct list watches; /* the active struct loop_watch */
    struct ev_loop *ev;
    struct ev_io reading, writing;
    struct ev_timer timer;
    struct ev_io waking;
    pthread_mutex_t *guard; /* held while the loop calls anybody; NULL: none */
    int foreign_fd;         /* an epoll instance for another event loop to poll; -1: none */
    int timer_fd;           /* in foreign_fd: readable when a tick is due */
    int socket_fd;          /* as in loop_init */
    bool foreign_shared;    /* a descriptor has had two watches */
    bool foreign_writing;   /* the socket is watched for room too */
    int wake_fd; /* our own eventfd: libev's way to be woken aborts without descriptors */
    bool readable;
    atomic_bool woken;               /* loop_wake was called since the last wait */
    uint64_t looked_ns;              /* when descriptors were last looked at */
    uint64_t spin_ns;                /* the longest that one loop_spin takes; 0: never spins */
    unsigned spin_misses, spin_skip; /* spins in vain in a row; waits left without a spin */
    bool spin_shared;                /* the last good spin lent the core to others */
    uint64_t spin_again_ns, spin_pause_ns; /* no spin before this; the last pause */
};

/* A descriptor watched besides the socket. loop_wait calls `ready` when it is readable. */
struct loop_watch {
    struct ev_io io;
    struct list active; /* in the loop's watches; NULL pointers: never was there */
    bool once;
    void (*ready)(void *user);
    void *user;
};
/* Watches a descriptor. The watch and the descriptor stay the caller's. To watch twice with one
 * struct is a bug. To unwatch one that is not watched is fine if it is all zero. */
void loop_watch(struct loop *l, struct loop_watch *w, int fd, void (*ready)(void *user),
                void *user);
void loop_unwatch(struct loop *l, struct loop_watch *w);
/* Sets up a watch that is armed again and again. After each loop_arm, `ready` is called once, when
 * the descriptor is readable or, with `writable`, can be written. To arm it twice is fine. */
void loop_watch_once(struct loop_watch *w, int fd, bool writable, void (*ready)(void *user),
                     void *user);
void loop_arm(struct loop *l, struct loop_watch *w);

/* Sets up a loop. fd: the socket's, or -1 if there is none. Returns 0, or RUSM_EIO and errno. */
int loop_init(struct loop *l, int fd, uint64_t spin_ns);
void loop_fini(struct loop *l);
/* Makes the loop hold `guard` while it calls anybody, and not while it waits. Keeps guard. */
void loop_guard(struct loop *l, pthread_mutex_t *guard);
/* Waits until the socket is readable (l->readable) or, with `writable`, can be written, until the
 * time until_ns of CLOCK_MONOTONIC (UINT64_MAX: never), or until loop_wake. If until_ns is 0, only
 * looks. */
void loop_wait(struct loop *l, uint64_t now_ns, uint64_t until_ns, bool writable);
/* Looks at the descriptors without a wait, if the last look was some time ago. Called while there
 * is too much to do to wait. */
void loop_look(struct loop *l, uint64_t now_ns);
/* Returns whether there is something to do. `first`: it may be a lot, as nobody has looked since
 * the last tick. */
typedef bool loop_poll_fn(void *context, bool first);
/* Asks `poll` again and again for a short while, instead of a wait: to wake a core that sleeps
 * takes longer than a message's round trip. Yields the core to whoever else wants it. Spins less
 * when spins find nothing, or when others want the core often or for long. Returns true if poll
 * found something or `until_ns` has come, and false if the loop should wait. Reads the clock. */
bool loop_spin(struct loop *l, uint64_t until_ns, loop_poll_fn *poll, void *context);
/* Makes a descriptor that is readable whenever a watched descriptor is, or at the time that
 * loop_due says. The loop owns it, and loop_fini closes it. Returns 0, or RUSM_EIO and errno. */
int loop_foreign(struct loop *l);
/* Tells the foreign loop, between two ticks, when to come back: at until_ns (UINT64_MAX: never), at
 * once if that has passed, when something is readable or, with `writable`, when the socket can be
 * written. */
void loop_due(struct loop *l, uint64_t now_ns, uint64_t until_ns, bool writable);
/* Ends the current wait, or the next one. Any thread, any signal handler. */
void loop_wake(struct loop *l);

#endif
