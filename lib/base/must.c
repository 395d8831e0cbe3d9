/* must: how the program ends when it finds a bug in itself. Any thread. */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/utf8.h"

static void must_json(const char *condition, const char *file, int line, const char *function)
{
    char text[512], inside[768], stamp[32];
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof(text), "bug: %s:%d: %s: must be true: %s", file, line, function,
             condition);
    utf8_escape_json(inside, sizeof(inside), text, strlen(text));
    dprintf(STDERR_FILENO,
            "{\"time\":\"%s.%03ldZ\",\"level\":\"error\",\"node\":\"\",\"text\":\"%s\"}\n", stamp,
            now.tv_nsec / 1000000, inside);
}

void must_failed(const char *condition, const char *file, int line, const char *function)
{
    const char *format = getenv("RUSM_LOG_FORMAT");

    if (format && strcmp(format, "json") == 0) {
        must_json(condition, file, line, function);
        abort();
    }
    dprintf(STDERR_FILENO, "rusm: bug: %s:%d: %s: must be true: %s\n", file, line, function,
            condition);
    abort();
}
