/* complaint: see the header. When a program floods its standard error, we go on reading, so that
 * the program does not hang. But we
 * log no lines above the limit. */
#include "port/complaint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "port/limits.h"
#include "port/program.h"

static void complaint_unlogged(struct program *p)
{
    if (p->unlogged > 0) {
        log_warn(p->host->log, "%s: %llu more lines were not logged", p->label,
                 (unsigned long long)p->unlogged);
    }
    p->host->counters.unlogged += p->unlogged;
    p->unlogged = 0;
}

static void complaint_log(struct program *p, const char *line, size_t len)
{
    uint64_t now_ns = p->host->now_ns;

    if (now_ns - p->window_ns >= 1000000000) {
        complaint_unlogged(p);
        p->window_ns = now_ns;
        p->logged = 0;
    }
    if (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    if (p->logged++ < LIMIT_PROGRAM_LOG) {
        log_warn(p->host->log, "%s: %.*s", p->label, (int)len, line);
    } else {
        p->unlogged++;
    }
}

void complaint_say(struct program *p, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    complaint_log(p, text, strlen(text));
}

bool complaint_read(struct program *p)
{
    size_t room = COMPLAINT_MAX - buf_len(&p->line), len;
    uint8_t *at = buf_reserve(&p->line, room);
    const char *end;

    if (!at) {
        return true; /* no memory: try again later */
    }
    ssize_t n = read(p->err, at, room);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (n == 0) {
        return false;
    }
    buf_wrote(&p->line, (size_t)n);
    while ((len = buf_len(&p->line)) > 0) {
        const char *line = (const char *)buf_data(&p->line);
        end = memchr(line, '\n', len);
        if (!end && len < COMPLAINT_MAX) {
            break;
        }
        complaint_log(p, line, end ? (size_t)(end - line) : len);
        buf_consume(&p->line, end ? (size_t)(end - line) + 1 : len);
    }
    buf_trim(&p->line);
    return true;
}

void complaint_close(struct program *p)
{
    if (buf_len(&p->line) > 0) {
        complaint_log(p, (const char *)buf_data(&p->line), buf_len(&p->line));
    }
    buf_clear(&p->line);
    complaint_unlogged(p);
}
