/* reaper: processes whose parent has died become children of the first process of a container (PID
 * 1) and of a child subreaper (prctl(2)). Somebody has to reap them. `rusm node` then runs the node
 * in a child and reaps in the parent, so that it never takes the exit status of a program of the
 * node. The parent hands signals on to the node and ends as the node ends. */
#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int reaper_passed[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

static bool reaper_needed(void)
{
    int subreaper = 0;

    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper);
}

/* The node. The signals of the terminal and of the group go to the parent, which hands them on: so
 * none comes twice, which would mean "at once". */
static void reaper_child(pid_t parent, const sigset_t *was)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILED); /* it was killed before the line above */
    }
    sigprocmask(SIG_SETMASK, was, NULL);
}

/* Reaps what has ended. Returns whether the node has. */
static bool reaper_look(pid_t node, int *status)
{
    bool ended = false;
    pid_t pid;
    int how;

    while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
        if (pid == node) {
            *status = how;
            ended = true;
        }
    }
    return ended;
}

/* Ends as the node ended. PID 1 cannot end by a signal: it returns what a shell would. */
static int reaper_status(int how)
{
    sigset_t one;

    if (!WIFSIGNALED(how)) {
        return WEXITSTATUS(how);
    }
    prctl(PR_SET_DUMPABLE, 0); /* the node has dumped its core already */
    signal(WTERMSIG(how), SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, WTERMSIG(how));
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(WTERMSIG(how));
    return 128 + WTERMSIG(how);
}

bool reaper_start(const struct cmd *cmd, int *status)
{
    pid_t parent = getpid(), node;
    sigset_t set, was;
    int how = 0;

    signal(SIGCHLD, SIG_DFL); /* if it is ignored, no exit status is kept */
    if (!reaper_needed()) {
        return false;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof(reaper_passed) / sizeof(reaper_passed[0]); i++) {
        sigaddset(&set, reaper_passed[i]);
    }
    sigprocmask(SIG_BLOCK, &set, &was);
    node = fork();
    if (node <= 0) {
        if (node < 0) {
            failure_say(cmd, 0, "cannot start another process: %s; orphans are not reaped",
                        strerror(errno));
            sigprocmask(SIG_SETMASK, &was, NULL);
        } else {
            reaper_child(parent, &was);
        }
        return false;
    }
    while (!reaper_look(node, &how)) {
        int number = sigwaitinfo(&set, NULL);
        if (number > 0 && number != SIGCHLD) {
            kill(node, number);
        }
    }
    *status = reaper_status(how);
    return true;
}
