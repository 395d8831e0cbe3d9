/* sink: see the header. The thread writes at most PIPE_BUF bytes at once, and only when poll says
 * that there is room, so that it rarely blocks in a write; where it does, sink_fini cancels it. */
#include "base/sink.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SINK_LINE_MAX 4096

void sink_init(struct sink *s, int fd, size_t size,
               void (*missing)(void *context, uint64_t lines, const char *cause), void *context)
{
    pthread_condattr_t attributes;

    *s = (struct sink){
        .fd = fd, .stop_fd = -1, .size = size, .missing = missing, .context = context
    };
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->change, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* ---- the ring, under the lock ---- */

static void sink_put(struct sink *s, const char *line, size_t len)
{
    size_t at = (s->at + s->len) % s->size;
    size_t first = s->size - at < len ? s->size - at : len;

    memcpy(s->ring + at, line, first);
    memcpy(s->ring, line + first, len - first);
    s->len += len;
}

/* Tells the owner of missing lines, or writes a line about them. Lets the lock go meanwhile. */
static void sink_tell(struct sink *s, uint64_t lines, const char *cause)
{
    char text[160];

    if (s->missing) {
        pthread_mutex_unlock(&s->lock);
        s->missing(s->context, lines, cause);
        pthread_mutex_lock(&s->lock);
        return;
    }
    sink_put(s, text,
             (size_t)snprintf(text, sizeof(text), "rusm: %llu lines are missing here: %s\n",
                              (unsigned long long)lines, cause));
}

/* Says how many lines are missing, when there is room again. wrote: something was written, so a
 * descriptor that took nothing before does again. */
static void sink_notice(struct sink *s, bool wrote)
{
    uint64_t dropped = s->dropped, lost = s->lost;

    if (s->len > s->size / 2) {
        return;
    }
    if (dropped > 0) { /* first, as until it is said no line is taken, not even of the other */
        s->dropped = 0;
        sink_tell(s, dropped, "nobody read them in time");
    }
    if (wrote && lost > 0) {
        s->lost = 0;
        sink_tell(s, lost, strerror(s->error));
    }
}

/* Copies what is to be written next: whole lines, so that none is torn in two when the descriptor
 * becomes another file. Returns its length. */
static size_t sink_next(struct sink *s, char *out, size_t cap)
{
    size_t len = s->len < cap ? s->len : cap;
    size_t first = s->size - s->at < len ? s->size - s->at : len;

    memcpy(out, s->ring + s->at, first);
    memcpy(out + first, s->ring, len - first);
    const char *end = memrchr(out, '\n', len);
    return end ? (size_t)(end - out) + 1 : len;
}

/* Takes bytes out of the ring. */
static void sink_take(struct sink *s, size_t len)
{
    s->at = (s->at + len) % s->size;
    s->len -= len;
}

/* So many bytes of data were written. */
static void sink_wrote(struct sink *s, const char *data, size_t len)
{
    if (len > 0) {
        s->mid = data[len - 1] != '\n';
    }
    sink_take(s, len);
    sink_notice(s, len > 0);
    pthread_cond_broadcast(&s->change);
}

/* Bytes could not be written: a full disk, a pipe that is closed. Their lines are lost and counted,
 * and the node goes on. */
static void sink_lost(struct sink *s, const char *data, size_t len, int error)
{
    uint64_t lines = 0;

    for (const char *at = data; (at = memchr(at, '\n', (size_t)(data + len - at))); at++) {
        lines++;
    }
    s->lost += lines;
    s->error = error;
    s->cut = s->cut || s->mid; /* the rest of a line whose beginning was written */
    s->mid = false;
    atomic_fetch_add_explicit(&s->all, lines, memory_order_relaxed);
    sink_take(s, len);
    pthread_cond_broadcast(&s->change);
}

/* ---- the thread ---- */

/* Waits until there is room, for a second at most. */
static bool sink_poll(struct sink *s, int fd)
{
    s->poll[0] = (struct pollfd){ .fd = fd, .events = POLLOUT };
    s->poll[1] = (struct pollfd){ .fd = s->stop_fd, .events = POLLIN };
    return poll(s->poll, 2, 1000) > 0 && s->poll[0].revents != 0;
}

/* Writes. Returns how many bytes were written, 0 to try again, or a negative errno.
 *
 * The thread may be cancelled in it, which leaves the functions around it without a return. So none
 * of them has an array on the stack: the address sanitizer would keep the guards around it, and
 * report what the end of the thread writes there. */
static ssize_t sink_write(int fd, const char *data, size_t len)
{
    ssize_t n;

    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    n = write(fd, data, len);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    if (n >= 0) {
        return n;
    }
    return errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

/* Writes some of the ring, without the lock meanwhile. data has room for PIPE_BUF bytes. */
static void sink_pass(struct sink *s, char *data, size_t len)
{
    int fd = s->fd;
    size_t lead = s->cut; /* what comes next is not to go on a line that was cut */

    pthread_mutex_unlock(&s->lock);
    ssize_t n = sink_poll(s, fd) ? sink_write(fd, data - lead, len + lead) : 0;
    pthread_mutex_lock(&s->lock);
    if (n < 0) {
        sink_lost(s, data, len, (int)-n);
    } else if (n > 0) {
        s->cut = false;
        sink_wrote(s, data, (size_t)n - lead);
    } else {
        sink_wrote(s, data, 0);
    }
}

static void *sink_main(void *context)
{
    struct sink *s = context;
    char *data = s->ring + s->size + 1; /* after a newline, for a line that was cut */

    data[-1] = '\n';
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_mutex_lock(&s->lock);
    while (!s->ending) {
        size_t len = sink_next(s, data, PIPE_BUF - 1);
        if (len == 0 || s->held) {
            pthread_cond_wait(&s->change, &s->lock);
            continue;
        }
        sink_pass(s, data, len);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static bool sink_start(struct sink *s)
{
    sigset_t all, before;

    s->ring = malloc(s->size + 1 + PIPE_BUF); /* and what the thread is writing */
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    sigfillset(&all); /* signals are the program's other threads' */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    s->started = s->ring && s->stop_fd >= 0 && pthread_create(&s->thread, NULL, sink_main, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!s->started) {
        free(s->ring);
        s->ring = NULL;
        if (s->stop_fd >= 0) {
            close(s->stop_fd);
        }
        s->stop_fd = -1;
    }
    return s->started;
}

/* ---- for all ---- */

static void sink_drop(struct sink *s)
{
    s->dropped++;
    atomic_fetch_add_explicit(&s->all, 1, memory_order_relaxed);
}

void sink_line(struct sink *s, const char *line, size_t len)
{
    pthread_mutex_lock(&s->lock);
    if (!s->started && !sink_start(s)) {
        (void)!write(s->fd, line, len);
    } else if (len > SINK_LINE_MAX || s->len + len > s->size || s->dropped > 0) {
        sink_drop(s); /* after one that was dropped, those behind it are too, until the notice */
    } else {
        bool first = s->len == 0;
        sink_put(s, line, len);
        if (first) {
            pthread_cond_broadcast(&s->change);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

/* A moment from now. */
static struct timespec sink_deadline(unsigned ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

void sink_hold(struct sink *s, bool held)
{
    if (!s->size) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->held = held;
    pthread_cond_broadcast(&s->change);
    pthread_mutex_unlock(&s->lock);
}

bool sink_flush(struct sink *s, unsigned ms)
{
    struct timespec until = sink_deadline(ms);
    bool empty;

    pthread_mutex_lock(&s->lock);
    while (s->len > 0 && pthread_cond_timedwait(&s->change, &s->lock, &until) == 0) {}
    empty = s->len == 0;
    pthread_mutex_unlock(&s->lock);
    return empty;
}

uint64_t sink_dropped(const struct sink *s)
{
    return atomic_load_explicit(&s->all, memory_order_relaxed);
}

void sink_fini(struct sink *s)
{
    if (!s->size) {
        return;
    }
    if (s->started) {
        uint64_t one = 1;
        pthread_mutex_lock(&s->lock);
        s->ending = true;
        pthread_cond_broadcast(&s->change);
        pthread_mutex_unlock(&s->lock);
        (void)!write(s->stop_fd, &one, sizeof(one));
        pthread_cancel(s->thread); /* it may be stuck in a write */
        pthread_join(s->thread, NULL);
        close(s->stop_fd);
    }
    free(s->ring);
    pthread_cond_destroy(&s->change);
    pthread_mutex_destroy(&s->lock);
    *s = (struct sink){ 0 };
}
