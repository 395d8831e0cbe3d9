/* failure: all messages about errors, and their exit statuses. */
#include "cmd.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int failure_status(int error)
{
    switch (error) {
    case RUSM_EINVAL:
    case RUSM_ETOOLARGE: return EXIT_USAGE;
    case RUSM_ENOCONN: return EXIT_NO_NODE;
    case RUSM_ENOPROC:
    case RUSM_ENOSPAWNABLE: return EXIT_NO_PROCESS;
    case RUSM_EREFUSED: return EXIT_REFUSED;
    case RUSM_BUSY:
    case RUSM_ETIMEOUT: return EXIT_BUSY;
    default: return EXIT_FAILED;
    }
}

#define FAILURE_FORMAT "RUSM_LOG_FORMAT"

void failure_json(bool json)
{
    /* There is one thread still. */
    (void)(json ? setenv(FAILURE_FORMAT, "json", 1) : unsetenv(FAILURE_FORMAT));
}

bool failure_is_json(void)
{
    const char *format = getenv(FAILURE_FORMAT);

    return format && strcmp(format, "json") == 0;
}

bool failure_line(const char *node, const char *text)
{
    char line[8192], stamp[32], plain[2048];
    struct timespec now;
    struct tm utc;
    size_t len = 0;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(line, sizeof(line), "%s.%03ldZ", stamp, now.tv_nsec / 1000000);
    json_t *object = json_pack("{ssssss}", "time", line, "level", "error", "node", node);
    json_t *value = json_string(text);
    if (!value) { /* it is not UTF-8 */
        for (; len < sizeof(plain) - 1 && text[len]; len++) {
            plain[len] = (char)((unsigned char)text[len] < 0x80 ? text[len] : '?');
        }
        plain[len] = '\0';
        value = json_string(plain);
    }
    len = object && json_object_set_new(object, "text", value) == 0
              ? json_dumpb(object, line, sizeof(line) - 1, JSON_COMPACT)
              : 0;
    json_decref(object);
    if (len == 0 || len >= sizeof(line)) {
        return false;
    }
    line[len++] = '\n';
    return write(STDERR_FILENO, line, len) == (ssize_t)len;
}

/* A text may quote what a peer said. It must not control the terminal or start a new line. One
 * write, as the log of a node may go to the same terminal. */
static void failure_write(const struct cmd *cmd, const char *text, const char *tail)
{
    char line[8192 + 256];

    if (cmd && strcmp(cmd->name, "node") == 0 && failure_is_json()) {
        snprintf(line, sizeof(line), "%s%s", text, tail);
        if (failure_line("", line)) {
            return;
        }
    }
    size_t at = (size_t)snprintf(line, sizeof(line),
                                 cmd ? "rusm: %.40s: " : "rusm: ", cmd ? cmd->name : "");

    for (const char *c = text; *c && at < sizeof(line) - 200; c++) {
        line[at++] = (char)((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c);
    }
    at += (size_t)snprintf(line + at, sizeof(line) - at, "%.190s\n", tail);
    fwrite(line, 1, at, stderr);
}

int failure_report(const struct cmd *cmd, int error, const struct rusm_why *why)
{
    failure_write(cmd, why && why->text[0] ? why->text : rusm_strerror(error), "");
    return failure_status(error);
}

int failure_usage(const struct cmd *cmd, const char *format, ...)
{
    char text[1024], tail[128];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (cmd) {
        snprintf(tail, sizeof(tail), " (try 'rusm %s --help')", cmd->name);
    } else {
        snprintf(tail, sizeof(tail), " (try 'rusm help')");
    }
    failure_write(cmd, text, tail);
    return EXIT_USAGE;
}

int failure_say(const struct cmd *cmd, int status, const char *format, ...)
{
    char text[8192];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    failure_write(cmd, text, "");
    return status;
}
