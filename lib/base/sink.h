/* sink: lines on their way to a descriptor that may block: standard output, the log. A line is
 * copied into a bounded buffer, and a thread of the sink's own writes it, so that a reader that
 * stalls holds up nobody. When the buffer is full, lines are dropped and counted; once there is
 * room again, the owner is told how many are missing, or the sink writes it. So it is with lines
 * that could not be written, as on a full disk. Any thread may add lines; init, flush and fini are
 * the owner's. */
#ifndef BASE_SINK_H
#define BASE_SINK_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink {
    int fd;
    int stop_fd; /* an eventfd: the thread is to end */
    void (*missing)(void *context, uint64_t lines, const char *cause);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t change; /* something was added, or written */
    pthread_t thread;
    struct pollfd poll[2]; /* the thread's */
    bool started;          /* the thread; with the first line */
    bool ending;
    bool held;                /* lines wait, though there is room for them */
    char *ring;               /* size bytes, then those that are being written; NULL: not yet */
    size_t size;              /* most bytes that wait */
    size_t at, len;           /* those that do */
    uint64_t dropped;         /* lines for which there was no room, since the last notice */
    uint64_t lost;            /* lines that could not be written, since the last notice */
    int error;                /* why: an errno */
    bool mid;                 /* what was written last ends within a line */
    bool cut;                 /* such a line's rest is lost: a newline is due */
    atomic_uint_fast64_t all; /* lines dropped or lost ever */
};

/* size: of the buffer, more than 4096. missing: told, on the sink's thread, how many lines were
 * dropped, when there is room again, or could not be written, when one was written again; NULL: the
 * sink writes a line that says so. Keeps fd and context. No allocation and no thread before the
 * first line. */
void sink_init(struct sink *s, int fd, size_t size,
               void (*missing)(void *context, uint64_t lines, const char *cause), void *context);
/* Adds a line, which ends with a newline and is not longer than 4096 bytes. Does not block, but the
 * very first line starts a thread. Without memory or a thread, writes the line itself. */
void sink_line(struct sink *s, const char *line, size_t len);
/* Holds all lines back from now on, or lets them go. Zeroed memory is fine. */
void sink_hold(struct sink *s, bool held);
/* Waits until all lines are written, for so many milliseconds at most. True: they are. */
bool sink_flush(struct sink *s, unsigned ms);
/* Lines that were dropped, or could not be written, since init. */
uint64_t sink_dropped(const struct sink *s);
/* Ends the thread, even if it is stuck in a write. What waits still is lost: flush first. Zeroed
 * memory is fine. */
void sink_fini(struct sink *s);

#endif
