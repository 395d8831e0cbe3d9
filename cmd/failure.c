/* failure: all messages about errors, and their exit statuses. */
#include "cmd.h"

#include <stdarg.h>
#include <string.h>

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

/* A text may quote what a peer said. It must not control the terminal or start a new line. One
 * write, as the log of a node may go to the same terminal. */
static void failure_write(const struct cmd *cmd, const char *text, const char *tail)
{
    char line[8192 + 256];
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
