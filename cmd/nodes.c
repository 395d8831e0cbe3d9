/* nodes: lists the nodes that this machine knows of. */
#include "cmd.h"

static int nodes_run(struct options *options)
{
    struct rusm_client_options how = { 0 };
    struct rusm_why why = { 0 };
    struct output out;
    bool none;
    int error, status = options_words(options, (const char *const[]){ NULL }, 0);

    status = status == 0 ? options_seconds(options, "timeout", 5000, &how.timeout_ms) : status;
    if (status != 0) {
        return status;
    }
    output_init(&out, options_has(options, "json"));
    error = rusm_nodes_list(&how, output_row, &out, &why);
    none = out.columns == 0;
    output_end(&out);
    if (error != 0) {
        return failure_report(options->cmd, error, &why);
    }
    if (none && !out.json && output_says()) {
        fputs("no nodes are known here: start one with 'rusm node --name london'\n", stderr);
    }
    return EXIT_DONE;
}

static const struct cmd_option nodes_options[] = {
    OPTION_JSON,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_nodes = {
    .name = "nodes",
    .synopsis = "[--json] [--timeout SECONDS]",
    .summary = "list the nodes that this machine knows of",
    .options = nodes_options,
    .run = nodes_run,
};
