/* detach: `rusm node --detach`. The child keeps the parent's standard error until it is ready, so
 * that the user sees its errors. The parent returns the child's exit status. The child does not
 * change its folder, so relative paths keep their meaning. */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Prints what the child says. Returns true if it said something: then it is ready. */
static bool detach_listen(int fd)
{
    char text[256];
    bool ready = false;

    for (;;) {
        ssize_t got = read(fd, text, sizeof(text));
        if (got > 0) {
            fwrite(text, 1, (size_t)got, stdout);
            ready = true;
        } else if (got == 0 || errno != EINTR) {
            return ready;
        }
    }
}

static int detach_reap(const struct cmd *cmd, pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return failure_say(cmd, EXIT_FAILED, "cannot wait for the node: %s", strerror(errno));
        }
    }
    if (WIFSIGNALED(status)) {
        return failure_say(cmd, EXIT_FAILED, "the node was killed before it was ready: %s",
                           strsignal(WTERMSIG(status)));
    }
    return WEXITSTATUS(status);
}

bool detach_start(const struct cmd *cmd, struct detach *detach, int *status)
{
    int ends[2] = { -1, -1 }, null;
    pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;

    if (child < 0) {
        *status =
            failure_say(cmd, EXIT_FAILED, "cannot start another process: %s", strerror(errno));
        return true;
    }
    if (child > 0) {
        close(ends[1]);
        *status = detach_listen(ends[0]) ? EXIT_DONE : detach_reap(cmd, child);
        return true;
    }
    setsid();
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
    }
    /* Close what our caller left open. If it is a pipe, whoever waits for its end would wait for
     * the node. */
    if (ends[1] != 3) {
        dup3(ends[1], 3, O_CLOEXEC);
    }
    detach->pipe = 3;
    detach->terminal = -1;
    close_range(4, ~0u, 0);
    return false;
}

void detach_keep(struct detach *detach)
{
    detach->terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

void detach_say(const struct detach *detach, const struct cmd *cmd, const char *text)
{
    if (detach->terminal >= 0) {
        dprintf(detach->terminal, "rusm: %s: %s\n", cmd->name, text);
    }
}

void detach_ready(struct detach *detach, const char *line)
{
    size_t len = strlen(line);

    if (detach->terminal >= 0) {
        close(detach->terminal);
        detach->terminal = -1;
    }
    while (write(detach->pipe, line, len) < 0 && errno == EINTR) {}
    close(detach->pipe);
    detach->pipe = -1;
}
