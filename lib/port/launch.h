/* launch: starts a program: in a session and group of its own, with these three descriptors and no
 * others, default signals, none blocked. Does not copy the caller's memory; from a program with any
 * number of threads. */
#ifndef PORT_LAUNCH_H
#define PORT_LAUNCH_H

#include <stddef.h>
#include <sys/types.h>

#define LAUNCH_STACK ((size_t)32 * 1024) /* a handful of system calls, and what a sanitizer adds */

struct launch {
    const char *const *argv; /* of /bin/sh */
    char *const *env;
    int fds[3];   /* each above 2 */
    int guard;    /* who is told of the group before the program begins; -1: none */
    int orphaned; /* the signal that it gets when we are gone; 0: none */
};

/* 0 and its pid and pidfd, or an errno; EPIPE: the guard took no news. `stack` is the caller's,
 * free again on return. */
int launch_start(const struct launch *s, void *stack, pid_t *pid, int *pidfd);
/* write(2) without SIGPIPE, whatever the program that we are in does with that. */
ssize_t launch_write(int fd, const void *data, size_t len);
/* The same descriptor, above 2 and closed on exec; takes fd. -1 and errno. */
int launch_above(int fd);

#endif
