/* follow: prints the events of a node, or of a process that is traced, as they happen. What a
 * reader of standard output does not take in time waits in a bounded buffer, and then events are
 * left out and counted: the connection is served all the while. When it is lost, follow says so,
 * dials again and goes on where it was. */
#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOLLOW_TYPES 32
#define FOLLOW_WAITING ((size_t)256 * 1024) /* bytes that wait for the reader, at most */
#define FOLLOW_LOOK_MS 200                  /* how often to look for a signal, a closed pipe */
#define FOLLOW_FULL_MS 20                   /* the same, while bytes wait for a slow reader */
#define FOLLOW_AGAIN_MS 100                 /* the first pause before it dials again; doubles */
#define FOLLOW_AGAIN_MOST_MS 5000

struct follow {
    const struct options *options;
    struct rusm_client *client;
    bool json;
    const char *process; /* NULL: all */
    struct rusm_follow what;
    const struct rusm_trace *trace; /* not NULL: this instead of `what` */
    uint32_t seconds_ms;            /* how long to trace; 0: no end */
    char *types;                    /* owned */
    const char *type[FOLLOW_TYPES];
    char *waiting; /* FOLLOW_WAITING bytes; owned */
    size_t len;
    uint64_t dropped; /* events that found no room since the last that did */
    bool over;        /* a signal has come, or nobody reads any more */
    int status;
};

/* ---- signals ---- */

static void follow_end(int number)
{
    (void)number;
    _exit(EXIT_DONE); /* nothing is connected */
}

/* While it dials, a signal ends the program at once. Otherwise follow_signalled looks for it, so
 * that the node is told. */
static void follow_signals(bool dials)
{
    const struct sigaction end = { .sa_handler = follow_end };
    sigset_t set;

    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(dials ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

static bool follow_signalled(void)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM);
}

/* ---- lines ---- */

static void follow_time(FILE *line, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    fprintf(line, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

/* Prints " key=value". A value with blanks stands between quotation marks. */
static void follow_field(FILE *line, const struct rusm_field *field)
{
    fprintf(line, " %s=", field->column);
    if (field->type != RUSM_TYPE_TEXT) {
        fprintf(line, "%llu", (unsigned long long)field->number);
    } else if (field->text[0] != '\0' && !strpbrk(field->text, " \"")) {
        fputs(field->text, line);
    } else {
        putc('"', line);
        for (const char *c = field->text; *c; c++) {
            fprintf(line, *c == '"' ? "\\%c" : "%c", *c);
        }
        putc('"', line);
    }
}

static bool follow_is_missed(const struct rusm_event *event)
{
    return strcmp(event->type, "missed") == 0 && event->count > 0;
}

/* Returns how many events are missing if this one is left out. */
static uint64_t follow_count(const struct rusm_event *event)
{
    return follow_is_missed(event) && event->fields[0].number > 0 ? event->fields[0].number : 1;
}

static void follow_text(FILE *line, const struct rusm_event *event)
{
    bool missed = follow_is_missed(event);
    unsigned long long count = missed ? event->fields[0].number : 0;

    follow_time(line, event->time_ms);
    fprintf(line, " %s %s", event->node, event->type);
    if (missed && count > 0) {
        fprintf(line, " %llu %s missing here\n", count, count == 1 ? "event is" : "events are");
    } else if (missed) {
        fputs(" events are missing here, nobody knows how many\n", line);
    } else {
        for (size_t i = 0; i < event->count; i++) {
            follow_field(line, &event->fields[i]);
        }
        putc('\n', line);
    }
}

static int follow_json(FILE *line, const struct rusm_event *event)
{
    struct rusm_field *fields = calloc(event->count + 4, sizeof(*fields));
    int error = RUSM_ENOMEM;

    if (fields) {
        fields[0] = (struct rusm_field){ .column = "id", .text = event->id };
        fields[1] = (struct rusm_field){ .column = "at", .text = event->node };
        fields[2] = (struct rusm_field){ .column = "type", .text = event->type };
        fields[3] = (struct rusm_field){ .column = "time",
                                         .type = RUSM_TYPE_SECONDS,
                                         .number = event->time_ms };
        if (event->count > 0) {
            memcpy(fields + 4, event->fields, event->count * sizeof(*fields));
        }
        error = output_object(line, fields, event->count + 4);
        free(fields);
    }
    return error;
}

/* Adds the event's line to those that wait. Returns false if there is no room. */
static bool follow_put(struct follow *f, const struct rusm_event *event)
{
    size_t len = 0;
    char *text = NULL;
    FILE *line = open_memstream(&text, &len);
    bool fits;

    if (!line) {
        return false;
    }
    if (f->json) {
        (void)follow_json(line, event);
    } else {
        follow_text(line, event);
    }
    fits = fclose(line) == 0 && len > 0 && f->len + len <= FOLLOW_WAITING;
    if (fits) {
        memcpy(f->waiting + f->len, text, len);
        f->len += len;
    }
    free(text);
    return fits;
}

/* Says how many events are missing, once half of the room is free again. */
static void follow_missing(struct follow *f)
{
    struct rusm_field field = { .column = "events", .type = RUSM_TYPE_COUNT, .number = f->dropped };
    struct rusm_event event = { .id = rusm_client_event_id(f->client),
                                .node = rusm_client_node(f->client),
                                .type = "missed",
                                .fields = &field,
                                .count = 1 };
    struct timespec now;

    if (f->dropped > 0 && f->len <= FOLLOW_WAITING / 2) {
        clock_gettime(CLOCK_REALTIME, &now);
        event.time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
        f->dropped = follow_put(f, &event) ? 0 : f->dropped;
    }
}

/* Returns whether the event is about the process: its name, or its pid with or without what
 * follows the number. */
static bool follow_about(const struct rusm_event *event, const char *process)
{
    size_t len = strlen(process);

    for (size_t i = 0; i < event->count; i++) {
        const struct rusm_field *field = &event->fields[i];
        if (strcmp(field->column, "name") == 0 && strcmp(field->text, process) == 0) {
            return true;
        }
        if (strcmp(field->column, "pid") == 0 && strncmp(field->text, process, len) == 0 &&
            strchr("@#", field->text[len])) {
            return true; /* strchr finds the end of the text too */
        }
    }
    return strcmp(event->type, "missed") == 0;
}

/* ---- standard output ---- */

/* Writes what standard output takes now. In pieces that a pipe takes whole, so it does not
 * block. */
static void follow_write(struct follow *f)
{
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

    follow_missing(f);
    while (!f->over && f->status == 0 && poll(&out, 1, 0) > 0) {
        size_t piece = f->len < PIPE_BUF ? f->len : PIPE_BUF;
        ssize_t n = 0;
        if (out.revents & (POLLERR | POLLNVAL)) {
            f->over = true; /* nobody reads any more */
        } else if (!(out.revents & POLLOUT) || f->len == 0) {
            break;
        } else if ((n = write(STDOUT_FILENO, f->waiting, piece)) > 0) {
            memmove(f->waiting, f->waiting + n, f->len - (size_t)n);
            f->len -= (size_t)n;
            follow_missing(f);
        } else if (errno == EPIPE) {
            f->over = true;
        } else if (errno != EAGAIN && errno != EINTR) {
            f->status = failure_say(f->options->cmd, EXIT_FAILED, "cannot write the output: %s",
                                    strerror(errno));
        }
    }
}

/* ---- the connection ---- */

/* Takes the next event, if one comes soon. Returns 0 or the error that ends the connection. */
static int follow_next(struct follow *f, struct rusm_why *why)
{
    struct rusm_event event;
    int error =
        rusm_client_event(f->client, f->len > 0 ? FOLLOW_FULL_MS : FOLLOW_LOOK_MS, &event, why);

    if (error == RUSM_ETIMEOUT) {
        return 0;
    }
    if (error == 0 && (!f->process || follow_about(&event, f->process)) &&
        (f->dropped > 0 || !follow_put(f, &event))) {
        /* After one that was left out, others are too until that is said. */
        f->dropped += follow_count(&event);
    }
    return error;
}

/* Returns whether the time of a trace is over. */
static bool follow_late(const struct follow *f, const struct timespec *since)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms =
        (int64_t)(now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
    return f->seconds_ms > 0 && ms >= (int64_t)f->seconds_ms;
}

/* Prints events until the connection is lost, or all is over. Returns the error. */
static int follow_run(struct follow *f, struct rusm_why *why)
{
    struct timespec since;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &since);
    fprintf(stderr, "rusm: %s: %s %s\n", f->options->cmd->name,
            f->trace ? "tracing on" : "following", rusm_client_node(f->client));
    while (error == 0 && !f->over && f->status == 0) {
        error = follow_next(f, why);
        follow_write(f);
        f->over = f->over || follow_signalled() || follow_late(f, &since);
    }
    return error;
}

/* Waits, and writes what still waits. */
static void follow_pause(struct follow *f, unsigned ms)
{
    const struct timespec step = { .tv_nsec = FOLLOW_FULL_MS * 1000000 };

    for (unsigned at = 0; at < ms && !f->over && f->status == 0; at += FOLLOW_FULL_MS) {
        nanosleep(&step, NULL);
        follow_write(f);
    }
}

/* Dials again and again, until the node is there or all is over. */
static void follow_again(struct follow *f)
{
    unsigned pause_ms = FOLLOW_AGAIN_MS;
    char since[64];
    int error = RUSM_ENOCONN;

    snprintf(since, sizeof(since), "%s", rusm_client_event_id(f->client));
    f->what.since = since[0] != '\0' ? since : NULL;
    follow_signals(true);
    while (error != 0 && !f->over && f->status == 0) {
        struct rusm_why why = { 0 };
        follow_pause(f, pause_ms);
        pause_ms = 2 * pause_ms < FOLLOW_AGAIN_MOST_MS ? 2 * pause_ms : FOLLOW_AGAIN_MOST_MS;
        error = f->over ? 0 : rusm_client_follow(f->client, &f->what, &why);
        if (error != 0 && error != RUSM_ENOCONN && error != RUSM_ETIMEOUT) {
            f->status = failure_report(f->options->cmd, error, &why);
        }
    }
    follow_signals(false);
}

/* Traces until all has been told. */
static int follow_trace_until(struct follow *f)
{
    struct rusm_why why = { 0 };
    int error = rusm_client_trace(f->client, f->trace, &why);

    if (error == 0) {
        follow_signals(false);
        error = follow_run(f, &why);
        while (f->len > 0 && !f->over && f->status == 0) {
            follow_pause(f, FOLLOW_FULL_MS);
            f->over = follow_signalled();
        }
    }
    return error == 0 || error == RUSM_ECLOSED ? f->status
                                               : failure_report(f->options->cmd, error, &why);
}

static int follow_until(struct follow *f)
{
    struct rusm_why why = { 0 };
    int error = rusm_client_follow(f->client, &f->what, &why);

    if (error != 0) {
        return failure_report(f->options->cmd, error, &why);
    }
    follow_signals(false);
    while (!f->over && f->status == 0) {
        error = follow_run(f, &why);
        if (error != 0 && !f->over) {
            size_t len = strlen(why.text);
            snprintf(why.text + len, sizeof(why.text) - len, "; trying again");
            failure_report(f->options->cmd, error, &why);
            follow_again(f);
        }
    }
    return f->status;
}

/* Splits the list of types. Returns 0 or the exit status. */
static int follow_types(struct follow *f, const char *list)
{
    char *rest = NULL;

    f->what.types = f->type;
    if (!list) {
        f->type[0] = "counters";
        f->what.type_count = 1;
        f->what.but = true;
        return 0;
    }
    f->types = strdup(list);
    for (char *type = f->types ? strtok_r(f->types, ",", &rest) : NULL; type;
         type = strtok_r(NULL, ",", &rest)) {
        if (f->what.type_count == FOLLOW_TYPES) {
            return failure_usage(f->options->cmd, "--type: more than %d types", FOLLOW_TYPES);
        }
        f->type[f->what.type_count++] = type;
    }
    return f->what.type_count > 0 ? 0 : failure_usage(f->options->cmd, "--type: no type is given");
}

int follow_trace(const struct options *options, struct rusm_client *client,
                 const struct rusm_trace *what, uint32_t seconds_ms)
{
    struct follow f = { .options = options,
                        .client = client,
                        .json = options_has(options, "json"),
                        .trace = what,
                        .seconds_ms = seconds_ms };
    int status;

    signal(SIGPIPE, SIG_IGN);
    f.waiting = malloc(FOLLOW_WAITING);
    status = f.waiting ? follow_trace_until(&f) : failure_report(options->cmd, RUSM_ENOMEM, NULL);
    free(f.waiting);
    return status;
}

int follow_events(const struct options *options, const char *node)
{
    struct follow f = { .options = options,
                        .json = options_has(options, "json"),
                        .process = options_value(options, "process"),
                        .what = { .since = options_value(options, "since") } };
    int status = follow_types(&f, options_value(options, "type"));

    signal(SIGPIPE, SIG_IGN);
    f.waiting = status == 0 ? malloc(FOLLOW_WAITING) : NULL;
    if (status == 0 && !f.waiting) {
        status = failure_report(options->cmd, RUSM_ENOMEM, NULL);
    }
    status = status == 0 ? target_node(options, node, &f.client) : status;
    if (status == 0) { /* each dial has the timeout, however long it follows */
        rusm_client_deadline(f.client, 0);
    }
    status = status == 0 ? follow_until(&f) : status;
    rusm_client_close(f.client);
    free(f.waiting);
    free(f.types);
    return status;
}
