/* launch: starts a program in a session and process group of its own, with three given descriptors
 * and no others. Its signals have their default actions and none is blocked. launch does not copy
 * the caller's memory. The calling program may have any number of threads. */
#ifndef PORT_LAUNCH_H
#define PORT_LAUNCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAUNCH_STACK ((size_t)32 * 1024) /* enough for a few system calls and a sanitizer */

struct launch {
    const char *const *argv; /* for /bin/sh */
    char *const *env;
    int fds[3];   /* each above 2 */
    int guard;    /* where the child writes its group before the program begins; -1: nowhere */
    int orphaned; /* the signal that the program gets when we are gone; 0: none */
    uint64_t descriptors; /* its soft limit of descriptors; 0: ours */
};

/* Starts a program and gives its pid and pidfd. Borrows `stack`, of LAUNCH_STACK bytes. Returns 0
 * or an errno: EPIPE if the guard did not take the news of the group. */
int launch_start(const struct launch *s, void *stack, pid_t *pid, int *pidfd);
/* Does what write(2) does, but without SIGPIPE, whatever our own program does with that signal. */
ssize_t launch_write(int fd, const void *data, size_t len);
/* Returns fd if it is above 2, else a duplicate above 2 that exec closes. Takes fd. Returns -1 and
 * sets errno if that fails. */
int launch_above(int fd);

#endif
