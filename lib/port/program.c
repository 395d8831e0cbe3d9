/* program: see the header. A program's beginning, end, input and output. complaint.c has its
 * standard error. */
#include "port/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "base/err.h"
#include "port/limits.h"
#include "port/complaint.h"
#include "port/launch.h"

#define READ_MIN ((size_t)4096)

/* ---- its end ---- */

static void program_close(struct program *p, int *fd, struct port_watch **watch)
{
    p->host->hooks->unwatch(p->host->context, *watch);
    *watch = NULL;
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static void program_free(struct program *p)
{
    program_close(p, &p->in, &p->in_watch);
    program_close(p, &p->out, &p->out_watch);
    program_close(p, &p->err, &p->err_watch);
    program_close(p, &p->pidfd, &p->exit_watch);
    list_remove(&p->link);
    list_remove(&p->dirty);
    list_remove(&p->ending);
    list_remove(&p->closed);
    atomic_fetch_sub(&p->host->node->programs, 1);
    buf_fini(&p->unwritten);
    buf_fini(&p->line);
    free(p);
}

static void program_gone(struct port_host *h)
{
    if (atomic_fetch_sub(&h->count, 1) == 1) {
        h->hooks->ended(h->context);
    }
}

/* Frees a program that has exited. Kills what is left of its group before it reaps the program, as
 * the group's number may be reused after that. */
static void program_reap(struct program *p)
{
    struct port_host *h = p->host;
    siginfo_t info;

    kill(-p->pid, SIGKILL);
    list_remove(&p->link);
    guard_forget(h, p->pid);
    (void)waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG);
    complaint_close(p);
    h->counters.ended++;
    program_free(p);
    program_gone(h);
}

/* Goes on with ending a program that program_end took: frees it if it has ended, else sends it
 * SIGTERM once. */
static void program_look(struct program *p)
{
    if (p->event) {
        return;
    }
    if (p->exited && (p->mute || p->killed)) {
        program_reap(p);
    } else if (!p->told) {
        p->told = true;
        kill(-p->pid, SIGTERM);
    }
}

static void program_on_exit(void *user)
{
    struct program *p = user;
    siginfo_t info = { 0 };

    /* WNOWAIT: as long as it is not reaped, no other process group can have its number. */
    if (waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        snprintf(p->reason, sizeof(p->reason), "exit status unknown"); /* someone else reaped it */
    } else if (info.si_pid == 0) {
        p->host->hooks->arm(p->host->context, p->exit_watch);
        return;
    } else if (info.si_code != CLD_EXITED) {
        snprintf(p->reason, sizeof(p->reason), "signal %d", info.si_status);
    } else if (info.si_status != 0) {
        snprintf(p->reason, sizeof(p->reason), "exit status %d", info.si_status);
    } else {
        snprintf(p->reason, sizeof(p->reason), "normal");
    }
    p->exited = true;
    list_remove(&p->closed);
    if (p->event) {
        p->event(p->user);
    } else {
        program_look(p);
    }
}

void program_end(struct program *p, uint64_t now_ns)
{
    struct port_host *h = p->host;

    p->event = NULL;
    list_remove(&p->closed);
    program_close(p, &p->in, &p->in_watch);
    program_close(p, &p->out, &p->out_watch);
    list_remove(&p->dirty);
    buf_fini(&p->unwritten);
    p->deadline_ns = now_ns + LIMIT_PROGRAM_GRACE_NS;
    list_append(&h->ending, &p->ending);
    program_look(p);
}

/* Notes that the program has closed its input or output. If it does not exit soon, it is broken. */
static void program_closed(struct program *p)
{
    if (!p->exited && !p->broken && !list_linked(&p->closed)) {
        p->closed_ns = 0;
        list_append(&p->host->closed, &p->closed);
    }
}

void program_break(struct program *p)
{
    list_remove(&p->closed);
    p->broken = true;
    p->event(p->user);
}

void program_late(struct program *p)
{
    list_remove(&p->ending);
    kill(-p->pid, SIGKILL);
    p->killed = true;
    program_look(p);
}

/* Waits up to a second. If the kernel waits for a disk, even SIGKILL does not end the program. Then
 * this leaves the program to the guard. */
void program_kill(struct program *p)
{
    struct pollfd end = { .fd = p->pidfd, .events = POLLIN };
    struct port_host *h = p->host;
    siginfo_t info = { 0 };

    kill(-p->pid, SIGKILL);
    while (poll(&end, 1, 1000) < 0 && errno == EINTR) {}
    (void)waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG);
    list_remove(&p->link);
    if (info.si_pid) {
        guard_forget(h, p->pid);
    }
    program_free(p);
    program_gone(h);
}

static void program_on_complaint(void *user)
{
    struct program *p = user;

    if (complaint_read(p)) {
        p->host->hooks->arm(p->host->context, p->err_watch);
        return;
    }
    program_close(p, &p->err, &p->err_watch);
    p->mute = true;
    program_look(p);
}

/* ---- its output ---- */

static void program_on_output(void *user)
{
    struct program *p = user;

    p->readable = true;
    p->event(p->user);
}

ssize_t program_read(struct program *p, struct buf *into, size_t most)
{
    size_t room = into->max - buf_len(into) < most ? into->max - buf_len(into) : most;
    uint8_t *at = NULL;
    ssize_t n;

    if (room == 0) {
        return RUSM_ELIMIT;
    }
    at = buf_reserve(into, room);
    if (!at && room > READ_MIN) {
        at = buf_reserve(into, room = READ_MIN);
    }
    if (!at) {
        return RUSM_ENOMEM;
    }
    do {
        n = read(p->out, at, room);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        p->readable = false;
        p->host->hooks->arm(p->host->context, p->out_watch);
        return RUSM_BUSY;
    }
    if (n > 0) {
        buf_wrote(into, (size_t)n);
    } else {
        p->readable = false;
        p->ended = true;
        program_closed(p);
    }
    return n > 0 ? n : 0; /* the end of a terminal is the error EIO */
}

/* ---- its input ---- */

static void program_on_room(void *user)
{
    struct program *p = user;

    p->blocked = false;
    program_flush(p);
}

uint8_t *program_reserve(struct program *p, size_t len)
{
    return buf_reserve(&p->unwritten, len);
}

void program_wrote(struct program *p, size_t len)
{
    buf_wrote(&p->unwritten, len);
    if (!p->blocked && !list_linked(&p->dirty)) {
        list_append(&p->host->dirty, &p->dirty);
    }
}

void program_flush(struct program *p)
{
    while (buf_len(&p->unwritten) > 0 && !p->blocked && !p->deaf) {
        ssize_t n = launch_write(p->in, buf_data(&p->unwritten), buf_len(&p->unwritten));
        if (n >= 0) {
            buf_consume(&p->unwritten, (size_t)n);
            p->written += (uint64_t)n;
        } else if (errno == EAGAIN) {
            p->blocked = true;
            p->host->hooks->arm(p->host->context, p->in_watch);
        } else {
            p->deaf = true;
            program_closed(p);
        }
    }
    if (p->deaf) {
        buf_clear(&p->unwritten);
    }
    if (p->awaited && buf_len(&p->unwritten) < LIMIT_PROGRAM_QUEUE) {
        p->awaited = false;
        p->event(p->user);
    }
    if (buf_len(&p->unwritten) == 0 && p->unwritten.cap > LIMIT_PROGRAM_QUEUE) {
        buf_trim(&p->unwritten);
    }
}

/* ---- its beginning ---- */

struct ends {
    int ours[3], theirs[3]; /* input, output, standard error */
};

static void ends_close(int fds[3])
{
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static int ends_pipe(struct ends *e, int i)
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) != 0) {
        return -1;
    }
    e->ours[i] = launch_above(pair[i == 0]);
    e->theirs[i] = launch_above(pair[i != 0]);
    return e->ours[i] < 0 || e->theirs[i] < 0 ? -1 : 0;
}

/* Opens a terminal that changes no byte, in either direction. Returns 0, or not 0 and sets
 * errno. */
static int ends_pty(struct ends *e)
{
    struct termios raw = { 0 };
    int master, slave;

    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cflag |= CREAD;
    if (openpty(&master, &slave, NULL, &raw, NULL) != 0) {
        return -1;
    }
    e->ours[0] = launch_above(master);
    e->theirs[0] = launch_above(slave);
    e->ours[1] = e->ours[0] < 0 ? -1 : fcntl(e->ours[0], F_DUPFD_CLOEXEC, 3);
    e->theirs[1] = e->theirs[0] < 0 ? -1 : fcntl(e->theirs[0], F_DUPFD_CLOEXEC, 3);
    if (e->ours[1] < 0 || e->theirs[1] < 0) {
        return -1;
    }
    return fcntl(e->ours[0], F_SETFD, FD_CLOEXEC) | fcntl(e->theirs[0], F_SETFD, FD_CLOEXEC);
}

static int ends_open(struct ends *e, bool pty)
{
    *e = (struct ends){ { -1, -1, -1 }, { -1, -1, -1 } };
    if (pty ? ends_pty(e) != 0 : ends_pipe(e, 0) != 0 || ends_pipe(e, 1) != 0) {
        return errno;
    }
    if (ends_pipe(e, 2) != 0) {
        return errno;
    }
    for (int i = 0; i < 3; i++) {
        if (fcntl(e->ours[i], F_SETFL, O_NONBLOCK) != 0) {
            return errno;
        }
    }
    return 0;
}

static int program_spawn(struct program *p, const struct program_options *o, const int fds[3])
{
    const char *argv[RUSM_ARGS_MAX + 5] = { "sh", "-c", o->command, o->zero };
    char self[RUSM_PID_TEXT_MAX + 16];
    struct port_host *h = p->host;
    struct launch how = { .argv = argv,
                          .env = h->env.entry,
                          .fds = { fds[0], fds[1], fds[2] },
                          .descriptors = h->node->descriptors };

    for (size_t i = 0; i < o->args.count; i++) {
        argv[4 + i] = o->args.value[i];
    }
    snprintf(self, sizeof(self), "RUSM_PID=%s", o->pid);
    int cause = guard_ready(h);
    for (int tries = 0; cause == 0 && tries < 2; tries++) {
        how.guard = h->guard.fd;
        h->env.entry[h->env.count] =
            self; /* but the guard must not have it: it kills whatever has */
        cause = launch_start(&how, h->stack, &p->pid, &p->pidfd);
        h->env.entry[h->env.count] = NULL;
        if (cause != EPIPE || tries > 0) {
            break;
        }
        cause = guard_mend(h);
    }
    return cause;
}

/* Makes the struct only: no program runs yet. Returns NULL if there is no memory. */
static struct program *program_new(struct port_host *h, const struct program_options *o)
{
    struct program *p = calloc(1, sizeof(*p));

    if (!p) {
        return NULL;
    }
    p->host = h;
    p->pidfd = p->in = p->out = p->err = -1;
    p->event = o->event;
    p->user = o->user;
    list_init(&p->link);
    list_init(&p->dirty);
    list_init(&p->ending);
    list_init(&p->closed);
    buf_init(&p->unwritten, o->most);
    buf_init(&p->line, COMPLAINT_MAX);
    snprintf(p->label, sizeof(p->label), "%s", o->label);
    return p;
}

static bool program_watch(struct program *p)
{
    const struct port_hooks *hooks = p->host->hooks;
    void *context = p->host->context;

    p->in_watch = hooks->watch(context, p->in, true, program_on_room, p);
    p->out_watch = hooks->watch(context, p->out, false, program_on_output, p);
    p->err_watch = hooks->watch(context, p->err, false, program_on_complaint, p);
    p->exit_watch = hooks->watch(context, p->pidfd, false, program_on_exit, p);
    if (!p->in_watch || !p->out_watch || !p->err_watch || !p->exit_watch) {
        return false;
    }
    hooks->arm(context, p->out_watch);
    hooks->arm(context, p->err_watch);
    hooks->arm(context, p->exit_watch);
    return true;
}

int program_start(struct port_host *h, const struct program_options *o, struct program **out,
                  struct rusm_why *why)
{
    struct program *p;
    struct ends ends = { { -1, -1, -1 }, { -1, -1, -1 } };

    if (atomic_fetch_add(&h->node->programs, 1) >= LIMIT_PROGRAMS) {
        atomic_fetch_sub(&h->node->programs, 1);
        return err_why(why, RUSM_ELIMIT, "%d programs run already, the most for a node",
                       LIMIT_PROGRAMS);
    }
    p = program_new(h, o);
    if (!p) {
        atomic_fetch_sub(&h->node->programs, 1);
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    int cause = ends_open(&ends, o->pty);
    if (cause == 0) {
        cause = program_spawn(p, o, ends.theirs);
    }
    ends_close(ends.theirs);
    if (cause) {
        ends_close(ends.ours);
        program_free(p);
        return err_why(why, RUSM_EIO, "cannot start a program: %s", strerror(cause));
    }
    p->in = ends.ours[0];
    p->out = ends.ours[1];
    p->err = ends.ours[2];
    atomic_fetch_add(&h->count, 1);
    h->counters.started++;
    list_append(&h->programs, &p->link);
    if (!program_watch(p)) {
        program_kill(p);
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    *out = p;
    return 0;
}
