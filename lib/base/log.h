/* log: lines for the operator. Each line is one write(2), so that lines of several threads do not
 * mix. Control characters in foreign text are escaped. A line looks like
 *     2026-11-23T09:50:16.123Z warn london: peer tokyo: idle timeout
 * or, with the format RUSM_LOG_JSON, like
 *     {"time":"2026-11-23T09:50:16.123Z","level":"warn","node":"london","text":"peer …"}
 * It is cut at 1,024 bytes, which leaves JSON whole. Times are UTC. A program may take the lines
 * itself with log_to. Then nothing is written. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/sink.h"
#include "rusm.h"

struct log {
    int fd;
    enum rusm_log_level level;         /* less urgent lines are dropped */
    enum rusm_log_format format;       /* of lines that are written; log_init: RUSM_LOG_TEXT */
    char name[RUSM_NODE_NAME_MAX + 1]; /* the node or program that logs */
    rusm_log_fn *take;                 /* NULL: lines go to fd */
    void *context;                     /* of take */
    struct sink *sink;                 /* lines go through it, which never blocks; NULL: to fd */
};

void log_init(struct log *l, int fd, enum rusm_log_level level, const char *name);
/* Gives all lines to TAKE from now on, with CONTEXT. Keeps both. With TAKE NULL, lines are written
 * to fd. */
void log_to(struct log *l, rusm_log_fn *take, void *context);
void log_line(const struct log *l, enum rusm_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes the time of the wall clock, such as 2026-11-23T09:50:16.123Z, and a NUL. Signal handlers
 * may call it. */
#define LOG_STAMP_SIZE 25
void log_stamp(char out[LOG_STAMP_SIZE]);
/* Parses error, warn, info or debug. Returns 0 or RUSM_EINVAL. */
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
