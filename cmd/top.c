/* top: shows the processes of a node as they work, the busiest first. */
#include "cmd.h"

static int top_run(struct options *options)
{
    static const char *const words[] = { "NODE", NULL };
    int status = options_words(options, words, 1);

    return status == 0 ? watch_run(options, RUSM_TABLE_PROCESSES, "rate") : status;
}

static const struct cmd_option top_options[] = {
    OPTION_INTERVAL, OPTION_COUNT, OPTION_JSON, OPTION_TIMEOUT, OPTION_END,
};

const struct cmd cmd_top = {
    .name = "top",
    .synopsis = "[--interval SECONDS] [--count N] [--json] [--timeout SECONDS] NODE",
    .summary = "show the busiest processes of a node, live",
    .options = top_options,
    .run = top_run,
};
