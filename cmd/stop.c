/* stop: asks a node to leave and waits until it has. */
#include "cmd.h"

static int stop_run(struct options *options)
{
    static const char *const words[] = { "NODE", NULL };
    struct rusm_client *client;
    struct rusm_why why = { 0 };
    int error, status = options_words(options, words, 1);

    status = status == 0 ? target_node(options, options->word[0], &client) : status;
    if (status != 0) {
        return status;
    }
    error = rusm_client_stop(client, &why);
    rusm_client_close(client);
    return error == 0 ? EXIT_DONE : failure_report(options->cmd, error, &why);
}

static const struct cmd_option stop_options[] = {
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_stop = {
    .name = "stop",
    .synopsis = "[--timeout SECONDS] NODE",
    .summary = "make a node leave its cluster and end",
    .options = stop_options,
    .run = stop_run,
};
