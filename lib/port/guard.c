/* guard: see the header. It is a shell script, so that it holds neither memory nor descriptors of the
 * node. A program tells of itself before it begins (launch.c), the node of its end; the end of the
 * node is the end of the file. On the host's thread. */
#include "port/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "port/host.h"
#include "port/program.h"
#include "port/launch.h"

/* A variable a group, so that none costs more when there are many. */
static const char guard_script[] =
    "trap '' TERM INT HUP QUIT PIPE\n"
    "while read -r what group; do\n"
    "    case $what in\n"
    "    +) eval \"group$group=\" ;;\n"
    "    -) unset \"group$group\" ;;\n"
    "    esac\n"
    "done\n"
    "set | while IFS== read -r name value; do\n"
    "    case $name in group[0-9]*) kill -KILL \"-${name#group}\" ;; esac\n"
    "done\n";

void guard_init(struct guard *g)
{
    *g = (struct guard){ .fd = -1, .pidfd = -1 };
}

static void guard_tell(struct guard *g, char what, pid_t group)
{
    char line[32];
    int len = snprintf(line, sizeof line, "%c %d\n", what, (int)group);

    if (g->fd >= 0)
        (void)launch_write(g->fd, line, (size_t)len);
}

/* Reaps it if it is dead; true: it was, and is forgotten. */
static bool guard_dead(struct port_host *h)
{
    struct guard *g = &h->guard;
    siginfo_t info = { 0 };

    if (g->pidfd < 0 || waitid(P_PIDFD, (id_t)g->pidfd, &info, WEXITED | WNOHANG) != 0 ||
        info.si_pid == 0)
        return false;
    h->hooks->unwatch(h->context, g->death);
    close(g->pidfd);
    close(g->fd);
    guard_init(g);
    return true;
}

static void guard_on_death(void *user)
{
    struct port_host *h = user;

    if (!guard_dead(h))
        return;
    int cause = guard_ready(h);
    if (cause)
        log_error(h->log,
                  "the guard of the node's programs was killed, and no other could be made: %s",
                  strerror(cause));
    else
        log_warn(h->log, "the guard of the node's programs was killed: there is another now");
}

static int guard_start(struct port_host *h, int null, const int ends[2])
{
    static const char *const argv[] = { "sh", "-c", guard_script, "rusm-guard", NULL };
    struct guard *g = &h->guard;
    struct launch how = {
        .argv = argv, .env = h->env, .fds = { ends[0], null, null }, .guard = -1
    };
    pid_t pid;
    int cause = launch_start(&how, h->stack, &pid, &g->pidfd);

    if (cause)
        return cause;
    g->fd = ends[1];
    g->death = h->hooks->watch(h->context, g->pidfd, false, guard_on_death, h);
    if (g->death)
        h->hooks->arm(h->context, g->death);
    list_each(link, &h->programs)
        guard_tell(g, '+', list_entry(link, struct program, link)->pid);
    return 0;
}

int guard_ready(struct port_host *h)
{
    int ends[2], null, cause;

    if (h->guard.fd >= 0)
        return 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    for (int i = 0; i < 2; i++)
        ends[i] = launch_above(ends[i]);
    null = launch_above(open("/dev/null", O_RDWR | O_CLOEXEC));
    cause = null < 0 || ends[0] < 0 || ends[1] < 0 ? EMFILE : guard_start(h, null, ends);
    if (null >= 0)
        close(null);
    if (ends[0] >= 0)
        close(ends[0]);
    if (cause && ends[1] >= 0)
        close(ends[1]);
    return cause;
}

void guard_forget(struct port_host *h, pid_t group)
{
    guard_tell(&h->guard, '-', group);
}

void guard_fini(struct port_host *h)
{
    struct guard *g = &h->guard;
    siginfo_t info;

    if (g->fd < 0)
        return;
    h->hooks->unwatch(h->context, g->death);
    close(g->fd);
    (void)waitid(P_PIDFD, (id_t)g->pidfd, &info, WEXITED); /* what it has to do takes no time */
    close(g->pidfd);
    guard_init(g);
}
