/* logfile: the files that a node writes to, which the command has opened: its log, and what its
 * processes print. They are opened again at SIGHUP or when somebody has removed them, and the log
 * when it is too large. The new file takes the place of the old one under the same descriptors
 * (dup3), so that the library need not know. The thread of signals.c calls logfile_reopen and
 * logfile_look, the main thread the rest. */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOGFILE_FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY)

void logfile_init(struct logfiles *all, uint64_t max)
{
    *all = (struct logfiles){ .max = max };
    pthread_mutex_init(&all->lock, NULL);
}

void logfile_fini(struct logfiles *all)
{
    struct logfile *const files[] = { &all->log, &all->output };

    for (size_t i = 0; i < 2; i++) {
        if (files[i]->fds > 0) {
            close(files[i]->fd[0]);
        }
    }
    pthread_mutex_destroy(&all->lock);
}

int logfile_open(struct logfiles *all, struct logfile *file, const struct cmd *cmd,
                 const char *path)
{
    int fd = open(path, LOGFILE_FLAGS, 0600);

    if (fd < 0 || strlen(path) >= sizeof(file->path)) {
        return failure_say(cmd, EXIT_FAILED, "cannot write '%s': %s", path, strerror(errno));
    }
    pthread_mutex_lock(&all->lock);
    strcpy(file->path, path);
    file->fd[0] = fd;
    file->fds = 1;
    pthread_mutex_unlock(&all->lock);
    return 0;
}

void logfile_lead(struct logfiles *all, struct logfile *file, int fd)
{
    pthread_mutex_lock(&all->lock);
    dup2(file->fd[0], fd);
    file->fd[file->fds++] = fd;
    pthread_mutex_unlock(&all->lock);
}

void logfile_node(struct logfiles *all, struct rusm_node *node)
{
    pthread_mutex_lock(&all->lock);
    all->node = node;
    pthread_mutex_unlock(&all->lock);
}

/* ---- on the thread of the signals, under the lock ---- */

/* Says in the log what went wrong: once, until it goes well again. */
static void logfile_complain(struct logfiles *all, struct logfile *file, const char *what)
{
    char text[LOGFILE_PATH + 256];

    snprintf(text, sizeof(text), "cannot %s '%s': %s; the file from before is still written to",
             what, file->path, strerror(errno));
    if (all->node && !file->complained) {
        rusm_node_log(all->node, RUSM_LOG_ERROR, text);
    }
    file->complained = true;
}

/* Opens a file again. If that fails, what was open stays so. */
static void logfile_again(struct logfiles *all, struct logfile *file)
{
    int fd;

    if (file->fds == 0) {
        return;
    }
    fd = open(file->path, LOGFILE_FLAGS | O_NONBLOCK, 0600); /* a FIFO must not block us */
    if (fd < 0) {
        logfile_complain(all, file, "open");
        return;
    }
    fcntl(fd, F_SETFL, O_APPEND); /* no longer O_NONBLOCK */
    for (size_t i = 0; i < file->fds; i++) {
        dup3(fd, file->fd[i], i == 0 ? O_CLOEXEC : 0);
    }
    close(fd);
    file->complained = false;
}

/* Gives the log another name. Does nothing if another file has its name by now: somebody else has
 * moved it. Returns false if the system refuses. */
static bool logfile_aside(const struct logfile *file, const struct stat *ours)
{
    char path[PATH_MAX], old[PATH_MAX + 2];
    struct stat theirs;

    if (!realpath(file->path, path) || stat(path, &theirs) != 0 || theirs.st_ino != ours->st_ino ||
        theirs.st_dev != ours->st_dev) {
        return true;
    }
    snprintf(old, sizeof(old), "%s.1", path);
    return rename(path, old) == 0;
}

void logfile_reopen(void *context)
{
    struct logfiles *all = context;

    pthread_mutex_lock(&all->lock);
    logfile_again(all, &all->log);
    logfile_again(all, &all->output);
    if (all->node && !all->log.complained && !all->output.complained) {
        rusm_node_log(all->node, RUSM_LOG_INFO, "opened again, as SIGHUP asked");
    }
    pthread_mutex_unlock(&all->lock);
}

/* Returns whether the log must be renamed. Gives what the system says of it. */
static bool logfile_too_large(const struct logfiles *all, struct stat *st)
{
    return all->max > 0 && all->log.fds > 0 && fstat(all->log.fd[0], st) == 0 &&
           S_ISREG(st->st_mode) && (uint64_t)st->st_size > all->max;
}

static void logfile_rotate(struct logfiles *all, const struct stat *st)
{
    if (!logfile_aside(&all->log, st)) {
        logfile_complain(all, &all->log, "rename");
        return;
    }
    logfile_again(all, &all->log);
    fchmod(all->log.fd[0], st->st_mode & 0777); /* the same users can read it as before */
    logfile_again(all, &all->output);           /* it may be the same file */
}

/* Returns whether somebody has removed the file, or its folder. One that was renamed is still there
 * for whoever renamed it. */
static bool logfile_removed(const struct logfile *file)
{
    struct stat st;

    return file->fds > 0 && fstat(file->fd[0], &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0;
}

/* Begins a file anew that was removed, as soon as its folder is there. */
static void logfile_restore(struct logfiles *all, struct logfile *file)
{
    char text[LOGFILE_PATH + 64];

    if (!logfile_removed(file)) {
        return;
    }
    logfile_again(all, file);
    if (all->node && !logfile_removed(file)) {
        snprintf(text, sizeof(text), "the file '%s' was removed, and is begun anew", file->path);
        rusm_node_log(all->node, RUSM_LOG_WARN, text);
    }
}

void logfile_look(void *context)
{
    struct logfiles *all = context;
    struct stat st;

    pthread_mutex_lock(&all->lock);
    if (logfile_too_large(all, &st)) {
        logfile_rotate(all, &st);
    }
    logfile_restore(all, &all->log);
    logfile_restore(all, &all->output);
    pthread_mutex_unlock(&all->lock);
}
