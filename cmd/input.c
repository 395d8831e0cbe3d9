/* input: where messages come from: words, a file, standard input, or the lines of one. */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_CHUNK ((size_t)64 * 1024)

static int input_too_large(const struct options *options, const char *what)
{
    return failure_say(options->cmd, EXIT_USAGE,
                       "%s is larger than 64 MiB, the most that a "
                       "message holds",
                       what);
}

static int input_failed(const struct options *options, const char *path)
{
    return failure_say(options->cmd, EXIT_FAILED, "cannot read %s: %s",
                       path ? path : "standard input", strerror(errno));
}

int input_open(const struct options *options, int *fd)
{
    const char *path = options_value(options, "file");

    *fd = STDIN_FILENO;
    if (path) {
        *fd = open(path, O_RDONLY | O_CLOEXEC);
        return *fd < 0 ? input_failed(options, path) : 0;
    }
    if (isatty(STDIN_FILENO) == 1 && output_says()) {
        fprintf(stderr, "rusm: %s: reading the message from the terminal: end with Ctrl-D\n",
                options->cmd->name);
    }
    return 0;
}

/* Reads once and appends to the buffer, which grows as needed. Returns the number of bytes, 0 at
 * the end, or -1. */
static ssize_t input_more(int fd, char **data, size_t *len, size_t *cap)
{
    ssize_t got;

    if (*cap - *len < INPUT_CHUNK) {
        size_t wanted = 2 * *cap + INPUT_CHUNK;
        char *grown = realloc(*data, wanted);
        if (!grown) {
            errno = ENOMEM;
            return -1;
        }
        *data = grown;
        *cap = wanted;
    }
    do {
        got = read(fd, *data + *len, *cap - *len);
    } while (got < 0 && errno == EINTR);
    *len += got > 0 ? (size_t)got : 0;
    return got;
}

static int input_join(const struct options *options, size_t first, char **data, size_t *len)
{
    size_t total = 1;
    char *at;

    for (size_t i = first; i < options->word_count; i++) {
        total += strlen(options->word[i]) + 1;
    }
    *data = at = malloc(total);
    if (!at) {
        return failure_report(options->cmd, RUSM_ENOMEM, NULL);
    }
    for (size_t i = first; i < options->word_count; i++) {
        at = i > first ? stpcpy(at, " ") : at;
        at = stpcpy(at, options->word[i]);
    }
    *len = (size_t)(at - *data);
    return 0;
}

int input_message(const struct options *options, size_t first, char **data, size_t *len)
{
    const char *path = options_value(options, "file");
    size_t cap = 0;
    ssize_t got;
    int fd, status;

    *data = NULL;
    *len = 0;
    if (first < options->word_count) {
        if (path) {
            return failure_usage(options->cmd, "give a message or --file, not both");
        }
        return input_join(options, first, data, len);
    }
    status = input_open(options, &fd);
    if (status != 0) {
        return status;
    }
    do {
        got = input_more(fd, data, len, &cap);
    } while (got > 0 && *len <= RUSM_MESSAGE_MAX);
    if (got < 0) {
        status = input_failed(options, path);
    } else if (*len > RUSM_MESSAGE_MAX) {
        status = input_too_large(options, path ? path : "standard input");
    }
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return status;
}

/* Waits for input. Calls idle() first, and then every second. */
static int input_wait(int fd, int (*idle)(void *), void *context)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    int wait_ms = 0;

    while (poll(&poll_fd, 1, wait_ms) == 0) {
        int status = idle(context);
        if (status != 0) {
            return status;
        }
        wait_ms = 1000;
    }
    return 0;
}

int input_lines(const struct options *options, int fd, int (*each)(void *, const char *, size_t),
                int (*idle)(void *), void *context)
{
    size_t len = 0, cap = 0, start = 0, seen = 0;
    char *data = NULL;
    ssize_t got = 1;
    int status = 0;

    while (status == 0 && got > 0) {
        char *newline = len > seen ? memchr(data + seen, '\n', len - seen) : NULL;
        if (newline) {
            status = each(context, data + start, (size_t)(newline - data) - start);
            start = seen = (size_t)(newline - data) + 1;
            continue;
        }
        if (start > 0) {
            memmove(data, data + start, len - start);
            len -= start;
            start = 0;
        }
        seen = len;
        if (len > RUSM_MESSAGE_MAX) {
            status = input_too_large(options, "a line");
            break;
        }
        status = input_wait(fd, idle, context);
        got = status == 0 ? input_more(fd, &data, &len, &cap) : 0;
    }
    if (got < 0) {
        status = input_failed(options, options_value(options, "file"));
    }
    if (status == 0 && len > start) { /* the last line may lack its newline */
        status = each(context, data + start, len - start);
    }
    free(data);
    return status;
}
