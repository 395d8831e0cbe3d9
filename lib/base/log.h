/* log: lines for the operator. One write(2) a line, so that lines of several threads do not mix;
 * control characters of foreign text are escaped. Lines look like
 *     2026-11-23T09:50:16.123Z warn london: peer tokyo: idle timeout
 * A line is cut at 1,024 bytes. A program may take the lines itself (log_to): then none is
 * written. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "rusm.h"

struct log {
    int fd;
    enum rusm_log_level level;         /* lines above it are dropped */
    char name[RUSM_NODE_NAME_MAX + 1]; /* whose line */
    rusm_log_fn *take;                 /* NULL: lines go to fd */
    void *context;                     /* of take */
};

void log_init(struct log *l, int fd, enum rusm_log_level level, const char *name);
/* Gives the lines to `take` from now on, with `context`. Keeps both. NULL: lines are written. */
void log_to(struct log *l, rusm_log_fn *take, void *context);
void log_line(const struct log *l, enum rusm_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Parses error, warn, info, debug. 0 or RUSM_EINVAL. */
int log_level_parse(const char *text, enum rusm_log_level *level);

#define log_error(l, ...) log_line(l, RUSM_LOG_ERROR, __VA_ARGS__)
#define log_warn(l, ...) log_line(l, RUSM_LOG_WARN, __VA_ARGS__)
#define log_info(l, ...) log_line(l, RUSM_LOG_INFO, __VA_ARGS__)
#define log_debug(l, ...)                             \
    do {                                              \
        if ((l)->level >= RUSM_LOG_DEBUG) {           \
            log_line(l, RUSM_LOG_DEBUG, __VA_ARGS__); \
        }                                             \
    } while (0)

#endif
