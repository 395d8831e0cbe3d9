/* wait: waits until a node is up, has the names and is connected to as many nodes as a script
 * needs. It looks when the node tells of an event, and four times a second, as a node tells nothing
 * of names that others hold. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_LOOK_MS 250  /* between two looks */
#define WAIT_LEAST_MS 100 /* the same, when events come */
#define WAIT_STEP_MS 2000 /* the most that one question to the node may take */

struct wait {
    const struct options *options;
    uint64_t until_ms;
    struct rusm_client *client; /* NULL: the node cannot be reached now */
    uint32_t step_ms;           /* the client's timeout */
    bool follows;               /* the client tells of events */
    const char **name;
    bool *found;
    size_t names, missing;
    uint64_t peers, connected;
    bool seen;           /* the two counts are those of a node that was reached */
    struct rusm_why why; /* of the last failure */
};

static uint64_t wait_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t wait_left_ms(const struct wait *w)
{
    uint64_t now_ms = wait_now_ms();

    return w->until_ms > now_ms ? w->until_ms - now_ms : 0;
}

/* ---- what the node has ---- */

static const char *wait_text(const struct rusm_field *fields, size_t count, const char *column)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, column) == 0 && fields[i].text) {
            return fields[i].text;
        }
    }
    return "";
}

static int wait_peer(void *context, const struct rusm_field *fields, size_t count)
{
    struct wait *w = context;

    w->connected += strcmp(wait_text(fields, count, "state"), "connected") == 0;
    return w->connected >= w->peers;
}

static int wait_name(void *context, const struct rusm_field *fields, size_t count)
{
    struct wait *w = context;
    const char *name = wait_text(fields, count, "name");

    for (size_t i = 0; i < w->names; i++) {
        if (!w->found[i] && strcmp(w->name[i], name) == 0) {
            w->found[i] = true;
            w->missing--;
        }
    }
    return w->missing == 0;
}

/* Looks at the node's names and peers. Returns 0 or an error. */
static int wait_look(struct wait *w)
{
    char pid[RUSM_PID_TEXT_MAX];
    int error = 0;

    w->connected = 0;
    w->missing = w->names;
    for (size_t i = 0; i < w->names && error == 0; i++) {
        error = rusm_client_whereis(w->client, w->name[i], pid, &w->why);
        w->found[i] = error == 0;
        w->missing -= w->found[i];
        error = error == RUSM_ENOPROC ? 0 : error;
    }
    if (error == 0 && w->missing > 0) { /* local ones: a whole table, so last */
        error = rusm_client_list(w->client, RUSM_TABLE_NAMES, wait_name, w, &w->why);
    }
    if (error >= 0 && w->peers > 0) {
        error = rusm_client_list(w->client, RUSM_TABLE_PEERS, wait_peer, w, &w->why);
    }
    w->seen = error >= 0;
    return error < 0 ? error : 0;
}

/* ---- the connection ---- */

/* Connects, if there is no connection, or one whose timeout is beyond the end. */
static int wait_connect(struct wait *w, uint64_t left_ms)
{
    static const char *const types[] = { "node_up", "name_registered" };
    const struct rusm_follow what = { .types = types, .type_count = 2 };
    struct rusm_client_options how = { 0 };
    int error = 0;

    if (w->client && w->step_ms > left_ms) {
        rusm_client_close(w->client);
        w->client = NULL;
    }
    if (!w->client) {
        how.timeout_ms = w->step_ms = (uint32_t)(left_ms < WAIT_STEP_MS ? left_ms : WAIT_STEP_MS);
        error = rusm_client_open(&w->client, &how, w->options->word[0], &w->why);
        w->follows = error == 0 && rusm_client_follow(w->client, &what, NULL) == 0;
    }
    return error;
}

static void wait_sleep(uint64_t ms)
{
    const struct timespec pause = { .tv_sec = (time_t)(ms / 1000),
                                    .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&pause, NULL);
}

/* Waits until it is time for another look. */
static void wait_pause(struct wait *w)
{
    uint64_t left_ms = wait_left_ms(w), begin_ms = wait_now_ms(), most_ms = WAIT_LOOK_MS, spent_ms;
    struct rusm_event event;

    most_ms = !w->client ? WAIT_LEAST_MS : most_ms;
    most_ms = most_ms < left_ms ? most_ms : left_ms;
    if (w->follows && w->client) {
        int error = rusm_client_event(w->client, (uint32_t)most_ms, &event, NULL);
        w->follows = error == 0 || error == RUSM_ETIMEOUT;
        most_ms = error == 0 && most_ms > WAIT_LEAST_MS ? WAIT_LEAST_MS : most_ms;
    }
    spent_ms = wait_now_ms() - begin_ms;
    if (spent_ms < most_ms) {
        wait_sleep(most_ms - spent_ms);
    }
}

/* ---- the command ---- */

/* Says what is missing. Returns the exit status. */
static int wait_failed(const struct wait *w)
{
    const char *node = w->options->word[0], *after = options_value(w->options, "timeout");
    char text[2048];
    size_t len = 0;

    if (!w->seen) {
        return failure_say(w->options->cmd, EXIT_FAILED, "%s", w->why.text);
    }
    text[0] = '\0';
    for (size_t i = 0; i < w->names && len < sizeof(text); i++) {
        if (!w->found[i]) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s nobody has the name '%s'",
                                    len > 0 ? "," : "", w->name[i]);
        }
    }
    if (w->connected < w->peers && len < sizeof(text)) {
        snprintf(text + len, sizeof(text) - len, "%s it has %llu of %llu peers", len > 0 ? "," : "",
                 (unsigned long long)w->connected, (unsigned long long)w->peers);
    }
    return failure_say(w->options->cmd, EXIT_FAILED, "%s is not ready after %s s:%s", node,
                       after ? after : "5", text);
}

static int wait_until(struct wait *w)
{
    uint64_t left_ms;

    while ((left_ms = wait_left_ms(w)) > 0) {
        int error = wait_connect(w, left_ms);
        if (error == 0) {
            error = wait_look(w);
        }
        if (error == 0 && w->missing == 0 && w->connected >= w->peers) {
            return EXIT_DONE;
        }
        if (error == RUSM_EINVAL) {
            return failure_report(w->options->cmd, error, &w->why);
        }
        if (error != 0) {
            rusm_client_close(w->client);
            w->client = NULL;
        }
        wait_pause(w);
    }
    return wait_failed(w);
}

static int wait_run(struct options *options)
{
    static const char *const words[] = { "NODE", NULL };
    struct wait w = { .options = options };
    const struct option_given *given;
    size_t cursor = 0;
    uint32_t timeout_ms = 0;
    int status = options_words(options, words, 1);

    status = status == 0 ? options_seconds(options, "timeout", 5000, &timeout_ms) : status;
    status = status == 0 ? options_number(options, "peers", 0, UINT32_MAX, 0, &w.peers) : status;
    if (status != 0) {
        return status;
    }
    w.until_ms = wait_now_ms() + timeout_ms;
    w.name = calloc(options->given_count + 1, sizeof(*w.name));
    w.found = calloc(options->given_count + 1, sizeof(*w.found));
    while (w.name && (given = options_next(options, "name", &cursor))) {
        w.name[w.names++] = given->value;
    }
    status = w.name && w.found ? wait_until(&w) : failure_report(options->cmd, RUSM_ENOMEM, NULL);
    rusm_client_close(w.client);
    free(w.name);
    free(w.found);
    return status;
}

static const struct cmd_option wait_options[] = {
    { "name", "NAME", "until NAME is registered there or in the cluster; may be repeated" },
    { "peers", "N", "until it is connected to N nodes at least" },
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_wait = {
    .name = "wait",
    .synopsis = "[--name NAME] ... [--peers N] [--timeout SECONDS] NODE",
    .summary = "wait until a node is up and ready",
    .options = wait_options,
    .run = wait_run,
};
