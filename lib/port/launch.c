/* launch: see the header. The child shares our memory until it execs. Our thread waits meanwhile.
 * So the child may only make system calls, and only on the stack that it is given. Any thread. */
#include "port/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct child {
    const struct launch *how;
    volatile int cause;
};

#define LAUNCH_BARE __attribute__((noinline, no_sanitize("address", "thread", "undefined")))

/* Writes "+ PID\n" to the guard. One write, as others write to the same pipe. fd must not block. */
LAUNCH_BARE static int child_tell(int fd, pid_t pid)
{
    char line[24];
    size_t at = sizeof(line);

    line[--at] = '\n';
    for (unsigned rest = (unsigned)pid; rest > 0; rest /= 10) {
        line[--at] = (char)('0' + rest % 10);
    }
    line[--at] = ' ';
    line[--at] = '+';
    return write(fd, line + at, sizeof(line) - at) < 0 ? EPIPE : 0;
}

/* Sets the soft limit of descriptors. The child has limits of its own, though it shares memory. */
LAUNCH_BARE static int child_limit(uint64_t descriptors)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return errno;
    }
    limit.rlim_cur = descriptors < limit.rlim_max ? descriptors : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : errno;
}

LAUNCH_BARE static int child_prepare(const struct launch *how)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    sigset_t none;
    int cause;

    if (setsid() < 0) {
        return errno;
    }
    if (how->orphaned && prctl(PR_SET_PDEATHSIG, how->orphaned) != 0) {
        return errno;
    }
    /* All signals are still blocked, so a signal for the child runs no handler of the parent. */
    if (how->guard >= 0 && (cause = child_tell(how->guard, getpid())) != 0) {
        return cause;
    }
    for (int i = 1; i < NSIG; i++) {
        (void)sigaction(i, &plain, NULL); /* fails for SIGKILL and SIGSTOP */
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(how->fds[i], i) < 0) {
            return errno;
        }
    }
    if (close_range(3, ~0u, 0) != 0) {
        return errno;
    }
    if (how->descriptors > 0 && (cause = child_limit(how->descriptors)) != 0) {
        return cause;
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return 0;
}

LAUNCH_BARE static int child_run(void *context)
{
    struct child *c = context;

    c->cause = child_prepare(c->how);
    if (c->cause == 0) {
        execve("/bin/sh", (char *const *)c->how->argv, c->how->env);
        c->cause = errno;
    }
    _exit(127);
}

#ifdef __SANITIZE_THREAD__
/* The thread sanitizer knows the name clone, and takes the child for one with memory of its own.
 * Then it ignores all locks of this thread from here on. It does not know the other name. */
int __clone(int (*run)(void *), void *stack, int flags, void *context, ...);
#define clone __clone
#endif

int launch_start(const struct launch *s, void *stack, pid_t *pid, int *pidfd)
{
    struct child c = { .how = s };
    sigset_t all, was;
    siginfo_t info;
    int cause = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &was);
    *pid = clone(child_run, (char *)stack + LAUNCH_STACK,
                 CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &c, pidfd);
    if (*pid < 0) {
        cause = errno;
    }
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (cause) {
        return cause;
    }
    if (c.cause) { /* the child has ended already */
        (void)waitid(P_PIDFD, (id_t)*pidfd, &info, WEXITED);
        close(*pidfd);
    }
    return c.cause;
}

ssize_t launch_write(int fd, const void *data, size_t len)
{
    static const struct timespec now = { 0 };
    sigset_t broken, was, pending;
    ssize_t n;

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &broken, &was);
    do {
        n = write(fd, data, len);
    } while (n < 0 && errno == EINTR);
    int cause = errno;
    if (n < 0 && cause == EPIPE && !sigismember(&pending, SIGPIPE)) {
        while (sigtimedwait(&broken, NULL, &now) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    errno = cause;
    return n;
}

int launch_above(int fd)
{
    if (fd < 0 || fd > 2) {
        return fd;
    }
    int above = fcntl(fd, F_DUPFD_CLOEXEC, 3), cause = errno;
    close(fd);
    errno = cause;
    return above;
}
