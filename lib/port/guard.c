/* guard: see the header. The guard is a shell script, so that it holds neither memory nor
 * descriptors of the node. It reads news from a pipe. A new program writes its own group there
 * before it begins (launch.c). The node writes there that a group has ended. When the node ends,
 * the guard reads the end of the file. A guard that someone has stopped (SIGSTOP) reads no news.
 * The node does not wait for it, but replaces it. If the node ends first, the stopped guard gets
 * SIGCONT and goes on. On the host's thread. */
#include "port/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/id.h"
#include "port/host.h"
#include "port/launch.h"
#include "port/program.h"

/* $1 is the end of RUSM_PID that all programs of the node have in common. The other arguments are
 * groups. The script has one variable for each group, so a group costs no more when there are many.
 * A process that has left its group still has RUSM_PID in its environment. It may start others
 * while the script looks for it, so the script looks up to five times. */
static const char guard_script[] =
    "trap '' TERM INT HUP QUIT PIPE\n"
    "mark=$1\n"
    "shift\n"
    "for group do eval \"group$group=\"; done\n"
    "while read -r what group; do\n"
    "    case $what in\n"
    "    +) eval \"group$group=\" ;;\n"
    "    -) unset \"group$group\" ;;\n"
    "    esac\n"
    "done\n"
    "set | while IFS== read -r name value; do\n"
    "    case $name in group[0-9]*) kill -KILL \"-${name#group}\" ;; esac\n"
    "done\n"
    "for round in 1 2 3 4 5; do\n"
    "    left=$(grep -lszE \"^RUSM_PID=[0-9]+$mark\\$\" /proc/[0-9]*/environ)\n"
    "    for left in $left; do left=${left#/proc/}; kill -KILL \"${left%/environ}\"; done\n"
    "    [ \"$left\" ] || break\n"
    "done\n";

/* How long we wait for the guard to read when its pipe is full. It needs some microseconds for each
 * line. */
#define GUARD_PATIENCE_MS 50

/* How long we wait for the guard to end. It looks through /proc, which takes some milliseconds,
 * unless the kernel holds up one of the processes there. */
#define GUARD_END_MS 2000

#define GUARD_WORDS 5 /* words of its command before the groups */
#define GROUP_TEXT 12

void guard_init(struct guard *g)
{
    *g = (struct guard){ .fd = -1, .pidfd = -1 };
}

/* Forgets the guard if it is dead. Reaps it, unless someone else has done so. Returns whether it is
 * dead. */
static bool guard_dead(struct port_host *h)
{
    struct guard *g = &h->guard;
    siginfo_t info = { 0 };

    if (g->pidfd < 0 ||
        (waitid(P_PIDFD, (id_t)g->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)) {
        return false;
    }
    h->hooks->unwatch(h->context, g->death);
    close(g->pidfd);
    close(g->fd);
    guard_init(g);
    return true;
}

/* Starts another guard, and logs why. Returns 0 or an errno. */
static int guard_replace(struct port_host *h, const char *cause)
{
    int error = guard_ready(h);

    if (error) {
        log_error(h->log,
                  "the guard, which ends the programs when the node ends, %s, "
                  "and a new one cannot be made: %s",
                  cause, strerror(error));
    } else {
        log_warn(h->log,
                 "the guard, which ends the programs when the node ends, %s. There is a new one",
                 cause);
    }
    return error;
}

static void guard_on_death(void *user)
{
    struct port_host *h = user;

    if (guard_dead(h)) {
        (void)guard_replace(h, "was killed");
    }
}

/* Returns the words of the guard's command. They include all groups, as a guard that replaces
 * another has to know them. The caller frees the array. Returns NULL if there is no memory. */
static const char **guard_words(const struct port_host *h, const char *mark)
{
    const char *const first[GUARD_WORDS] = { "sh", "-c", guard_script, "rusm-guard", mark };
    const char **word;
    size_t count = 0, at = GUARD_WORDS;
    char *text;

    list_each(link, &h->programs) {
        count++;
    }
    word = calloc(1, (GUARD_WORDS + count + 1) * sizeof(*word) + count * GROUP_TEXT);
    if (!word) {
        return NULL;
    }
    memcpy(word, first, sizeof(first));
    text = (char *)(word + GUARD_WORDS + count + 1);
    list_each(link, &h->programs) {
        snprintf(text, GROUP_TEXT, "%d", (int)container_of(link, struct program, link)->pid);
        word[at++] = text;
        text += GROUP_TEXT;
    }
    return word;
}

static int guard_start(struct port_host *h, int null, const int ends[2])
{
    char pid[RUSM_PID_TEXT_MAX];
    struct guard *g = &h->guard;
    struct launch how = {
        .env = h->guard_env.entry, .fds = { ends[0], null, null }, .guard = -1, .orphaned = SIGCONT
    };

    id_pid_format(pid, sizeof(pid), 0, h->node->name, h->node->incarnation);
    const char **words = guard_words(h, strchr(pid, '@'));
    if (!words) {
        return ENOMEM;
    }
    how.argv = words;
    int cause = launch_start(&how, h->stack, &g->pid, &g->pidfd);
    free(words);
    if (cause) {
        return cause;
    }
    g->fd = ends[1];
    g->death = h->hooks->watch(h->context, g->pidfd, false, guard_on_death, h);
    if (g->death) {
        h->hooks->arm(h->context, g->death);
    }
    return 0;
}

int guard_ready(struct port_host *h)
{
    int ends[2], null, cause;

    if (h->guard.fd >= 0) {
        return 0;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    for (int i = 0; i < 2; i++) {
        ends[i] = launch_above(ends[i]);
    }
    null = launch_above(open("/dev/null", O_RDWR | O_CLOEXEC));
    cause = null < 0                              ? errno
            : ends[0] < 0 || ends[1] < 0          ? EMFILE
            : fcntl(ends[1], F_SETFL, O_NONBLOCK) ? errno
                                                  : guard_start(h, null, ends);
    if (null >= 0) {
        close(null);
    }
    if (ends[0] >= 0) {
        close(ends[0]);
    }
    if (cause && ends[1] >= 0) {
        close(ends[1]);
    }
    return cause;
}

int guard_mend(struct port_host *h)
{
    struct guard *g = &h->guard;
    struct pollfd room = { .fd = g->fd, .events = POLLOUT };

    if (g->fd < 0) {
        return guard_ready(h);
    }
    if (poll(&room, 1, GUARD_PATIENCE_MS) > 0 && room.revents == POLLOUT) {
        return 0;
    }
    kill(g->pid, SIGKILL); /* the node lives, so there is nothing that the guard must do first */
    struct pollfd end = { .fd = g->pidfd, .events = POLLIN };
    while (poll(&end, 1, 1000) < 0 && errno == EINTR) {}
    return guard_dead(h) ? guard_replace(h, "took no news") : EBUSY;
}

void guard_forget(struct port_host *h, pid_t group)
{
    char line[32];
    int len = snprintf(line, sizeof(line), "- %d\n", (int)group);

    while (h->guard.fd >= 0 && launch_write(h->guard.fd, line, (size_t)len) < 0) {
        pid_t pid = h->guard.pid;
        if (guard_mend(h) != 0 || h->guard.pid != pid) {
            return; /* a new guard was never told of that group */
        }
    }
}

void guard_fini(struct port_host *h)
{
    struct guard *g = &h->guard;
    struct pollfd end = { .fd = g->pidfd, .events = POLLIN };
    siginfo_t info;

    if (g->fd < 0) {
        return;
    }
    h->hooks->unwatch(h->context, g->death);
    close(g->fd);
    kill(g->pid, SIGCONT); /* someone may have stopped it */
    while (poll(&end, 1, GUARD_END_MS) < 0 && errno == EINTR) {}
    (void)waitid(P_PIDFD, (id_t)g->pidfd, &info, WEXITED | WNOHANG);
    close(g->pidfd);
    guard_init(g);
}
