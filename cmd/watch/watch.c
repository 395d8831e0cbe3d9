/* watch: attach --watch and top: opens the node, then shows it full screen, or without a terminal
 * as plain tables. */
#include "../cmd.h"
#include "plain.h"
#include "screen.h"

#include <locale.h>

#define WATCH_INTERVAL_LEAST 100 /* ms: a node should not be kept busy by being looked at */

struct watch_how {
    struct rusm_client_options client;
    uint32_t interval_ms;
    uint64_t frames;
    bool json;
};

static int watch_options(const struct options *options, struct watch_how *how)
{
    int status = options_seconds(options, "interval", 1000, &how->interval_ms);

    if (status == 0) {
        status = options_number(options, "count", 1, UINT64_MAX, 0, &how->frames);
    }
    if (status == 0) {
        status = options_seconds(options, "timeout", 5000, &how->client.timeout_ms);
    }
    if (status == 0 && how->interval_ms < WATCH_INTERVAL_LEAST) {
        status = failure_usage(options->cmd, "--interval is at least 0.1 seconds");
    }
    how->json = options_has(options, "json");
    return status;
}

static int watch_screen(const struct options *options, const struct watch_how *how,
                        struct model *model, struct rusm_client *client)
{
    struct feed_options feeding = { .client = client,
                                    .node = options->word[0],
                                    .how = how->client,
                                    .interval_ms = how->interval_ms };
    struct reading_want want;
    struct feed *feed;
    int error;

    screen_block();
    model_want(model, &want);
    feed = feed_start(&feeding, &want);
    if (!feed) {
        return failure_report(options->cmd, RUSM_ENOMEM, NULL);
    }
    error = screen_run(model, feed, how->frames);
    feed_stop(feed);
    if (error == RUSM_EINVAL) {
        return failure_say(options->cmd, EXIT_FAILED,
                           "this terminal cannot be used: set TERM, or add | cat for plain tables");
    }
    return error ? failure_report(options->cmd, error, NULL) : EXIT_DONE;
}

static int watch_plain(const struct options *options, const struct watch_how *how,
                       struct model *model, struct rusm_client *client)
{
    struct rusm_why why = { 0 };
    int error = plain_run(model, client, how->json, how->frames, &why);

    rusm_client_close(client);
    return error ? failure_report(options->cmd, error, &why) : EXIT_DONE;
}

int watch_run(const struct options *options, enum rusm_table table, const char *by)
{
    enum tab_number number = TAB_PROCESSES;
    struct watch_how how = { .frames = 0 };
    struct rusm_client *client;
    struct model model;
    int status = watch_options(options, &how);

    while (number + 1 < TABS && tab_get(number)->table != table) {
        number++;
    }
    status = status == 0 ? target_node(options, options->word[0], &client) : status;
    if (status != 0) {
        return status;
    }
    rusm_client_deadline(client, 0); /* each reading has the timeout, however long it watches */
    setlocale(LC_CTYPE, "");         /* whether the terminal takes UTF-8 */
    model_init(&model, number, by, how.interval_ms);
    status = !how.json && screen_there() ? watch_screen(options, &how, &model, client)
                                         : watch_plain(options, &how, &model, client);
    model_fini(&model);
    return status;
}
