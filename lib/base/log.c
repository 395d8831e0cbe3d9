/* log: see the header. It reads the wall clock itself: the stamps are for people, and nothing else
 * depends on them. Any thread. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/utf8.h"

#define LOG_LINE_MAX 1024 /* bytes of a line with its newline; longer lines are cut */

static const char *const log_level_text[] = {
    [RUSM_LOG_ERROR] = "error",
    [RUSM_LOG_WARN] = "warn",
    [RUSM_LOG_INFO] = "info",
    [RUSM_LOG_DEBUG] = "debug",
};
#define LOG_LEVELS (sizeof(log_level_text) / sizeof(log_level_text[0]))

void log_init(struct log *l, int fd, enum rusm_log_level level, const char *name)
{
    *l = (struct log){ .fd = fd, .level = level };
    snprintf(l->name, sizeof(l->name), "%s", name);
}

void log_to(struct log *l, rusm_log_fn *take, void *context)
{
    l->take = take;
    l->context = context;
}

/* Prints a stamp such as 2026-11-23T09:50:16.123Z. */
static void log_stamp(char *out, size_t cap)
{
    struct timespec now;
    struct tm tm;
    char seconds[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, cap, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}

/* Writes, and drops errors. A log that cannot be written (closed pipe, full disk) must not stop a
 * node. */
static void log_write(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        data += n;
        len -= (size_t)n;
    }
}

void log_line(const struct log *l, enum rusm_log_level level, const char *format, ...)
{
    char stamp[48], plain[LOG_LINE_MAX], line[LOG_LINE_MAX];
    va_list args;
    int saved = errno;

    if (level > l->level || level >= LOG_LEVELS) {
        return;
    }
    va_start(args, format);
    int wanted = vsnprintf(plain, sizeof(plain), format, args);
    va_end(args);
    size_t len = wanted < 0 ? 0 : (size_t)wanted;
    if (len >= sizeof(plain)) {
        len = sizeof(plain) - 1;
    }
    if (l->take) {
        utf8_escape(line, sizeof(line), plain, len);
        l->take(l->context, level, line);
        errno = saved;
        return;
    }
    log_stamp(stamp, sizeof(stamp));
    /* The stamp, the level and the name are far shorter than a line. */
    size_t head =
        (size_t)snprintf(line, sizeof(line), "%s %s %s: ", stamp, log_level_text[level], l->name);
    size_t used = head + utf8_escape(line + head, sizeof(line) - head, plain, len);
    if (used >= sizeof(line)) { /* cannot happen, but the compiler does not know */
        used = sizeof(line) - 1;
    }
    line[used++] = '\n'; /* over the NUL */
    if (l->sink) {
        sink_line(l->sink, line, used);
    } else {
        log_write(l->fd, line, used);
    }
    errno = saved;
}

int log_level_parse(const char *text, enum rusm_log_level *level)
{
    for (size_t i = 0; i < LOG_LEVELS; i++) {
        if (strcmp(text, log_level_text[i]) == 0) {
            *level = (enum rusm_log_level)i;
            return 0;
        }
    }
    return RUSM_EINVAL;
}
