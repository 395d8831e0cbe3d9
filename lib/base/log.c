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

/* Writes a number with leading zeros. */
static void log_digits(char *out, unsigned width, unsigned number)
{
    while (width-- > 0) {
        out[width] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Breaks a day since 1970 up into the Gregorian year, month and day. gmtime_r is not for signal
 * handlers. The year is counted from March, so that the leap day is its last. */
static void log_date(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t since = days + 719468; /* 0000-03-01 */
    unsigned era_day = (unsigned)(since % 146097);
    unsigned era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
    unsigned year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    unsigned from_march = (5 * year_day + 2) / 153;

    *day = year_day - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = (unsigned)(since / 146097) * 400 + era_year + (*month <= 2);
}

void log_stamp(char out[LOG_STAMP_SIZE])
{
    struct timespec now;
    unsigned year, month, day, second;

    clock_gettime(CLOCK_REALTIME, &now);
    second = (unsigned)(now.tv_sec % 86400);
    log_date((uint64_t)now.tv_sec / 86400, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00.000Z", LOG_STAMP_SIZE);
    log_digits(out, 4, year);
    log_digits(out + 5, 2, month);
    log_digits(out + 8, 2, day);
    log_digits(out + 11, 2, second / 3600);
    log_digits(out + 14, 2, second / 60 % 60);
    log_digits(out + 17, 2, second % 60);
    log_digits(out + 20, 3, (unsigned)(now.tv_nsec / 1000000));
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

/* Makes a line for the descriptor, with its newline. Returns its length. */
static size_t log_format(const struct log *l, enum rusm_log_level level, const char *plain,
                         size_t len, char line[LOG_LINE_MAX])
{
    char stamp[LOG_STAMP_SIZE];
    const char *tail = l->format == RUSM_LOG_JSON ? "\"}\n" : "\n";
    size_t room = LOG_LINE_MAX - strlen(tail) + 1; /* the tail goes over the NUL */

    log_stamp(stamp);
    /* What is before the text is far shorter than a line. */
    size_t used =
        (size_t)snprintf(line, room,
                         l->format == RUSM_LOG_JSON
                             ? "{\"time\":\"%s\",\"level\":\"%s\",\"node\":\"%s\",\"text\":\""
                             : "%s %s %s: ",
                         stamp, log_level_text[level], l->name);
    used += l->format == RUSM_LOG_JSON ? utf8_escape_json(line + used, room - used, plain, len)
                                       : utf8_escape(line + used, room - used, plain, len);
    if (used >= room) { /* cannot happen, but the compiler does not know */
        used = room - 1;
    }
    memcpy(line + used, tail, strlen(tail));
    return used + strlen(tail);
}

void log_line(const struct log *l, enum rusm_log_level level, const char *format, ...)
{
    char plain[LOG_LINE_MAX], line[LOG_LINE_MAX];
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
    } else if (l->sink) {
        sink_line(l->sink, line, log_format(l, level, plain, len, line));
    } else {
        log_write(l->fd, line, log_format(l, level, plain, len, line));
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
