/* attach: shows what a node runs: its processes, or another of its tables, once or, with --watch,
 * as it changes. Or shows what happens there: follow.c. */
#include "cmd.h"

static const struct {
    const char *option;
    enum rusm_table table;
} attach_tables[] = {
    { "peers", RUSM_TABLE_PEERS },
    { "names", RUSM_TABLE_NAMES },
    { "spawnables", RUSM_TABLE_SPAWNABLES },
    { "counters", RUSM_TABLE_COUNTERS },
};

/* Refuses the options that work only with --watch. */
static int attach_watch(const struct options *options, enum rusm_table table)
{
    static const char *const only[] = { "interval", "count" };

    for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++) {
        if (!options_has(options, "watch") && options_has(options, only[i])) {
            return failure_usage(options->cmd, "--%s works only with --watch", only[i]);
        }
    }
    if (options_has(options, "watch") && table == RUSM_TABLE_SPAWNABLES) {
        return failure_usage(options->cmd, "--watch does not show spawnables: leave one out");
    }
    return 0;
}

static int attach_print(const struct options *options, struct rusm_client *client,
                        enum rusm_table table)
{
    struct rusm_why why = { 0 };
    struct output out;
    int error = 0;

    output_init(&out, options_has(options, "json"));
    if (table == RUSM_TABLE_PROCESSES && !out.json) {
        error = rusm_client_list(client, RUSM_TABLE_NODE, output_head, &out, &why);
    }
    if (error == 0) {
        error = rusm_client_list(client, table, output_row, &out, &why);
    }
    output_end(&out);
    return error == 0 ? EXIT_DONE : failure_report(options->cmd, error, &why);
}

static int attach_run(struct options *options)
{
    static const char *const words[] = { "NODE", NULL };
    enum rusm_table table = RUSM_TABLE_PROCESSES;
    struct rusm_client *client;
    size_t tables = 0;
    int status = options_words(options, words, 1);

    for (size_t i = 0; i < sizeof(attach_tables) / sizeof(attach_tables[0]); i++) {
        if (options_has(options, attach_tables[i].option)) {
            table = attach_tables[i].table;
            tables++;
        }
    }
    if (status == 0 && tables > 1) {
        status = failure_usage(
            options->cmd,
            "only one table can be shown: give one of --peers, --names, --spawnables, --counters");
    }
    for (size_t i = 0; status == 0 && i < 3; i++) {
        static const char *const follows[] = { "type", "process", "since" };
        if (options_has(options, follows[i]) && !options_has(options, "follow")) {
            status = failure_usage(options->cmd, "--%s works only with --follow", follows[i]);
        }
    }
    if (status == 0 && options_has(options, "follow") && options_has(options, "watch")) {
        status = failure_usage(options->cmd, "give --follow or --watch, not both");
    }
    if (status == 0 && options_has(options, "follow")) {
        return tables > 0 ? failure_usage(options->cmd, "--follow shows events and no table")
                          : follow_events(options, options->word[0]);
    }
    status = status == 0 ? attach_watch(options, table) : status;
    if (status == 0 && options_has(options, "watch")) {
        return watch_run(options, table, NULL);
    }
    status = status == 0 ? target_node(options, options->word[0], &client) : status;
    if (status == 0) {
        status = attach_print(options, client, table);
        rusm_client_close(client);
    }
    return status;
}

static const struct cmd_option attach_options[] = {
    { "peers", NULL, "the nodes it is connected to" },
    { "names", NULL, "the names registered there" },
    { "spawnables", NULL, "what can be spawned there" },
    { "counters", NULL, "what was counted there, lost messages by their cause too" },
    { "follow", NULL, "print what happens there, a line an event, until Ctrl-C" },
    { "type", "TYPE[,TYPE]", "with --follow: events of these types [all but counters]" },
    { "process", "PROCESS", "with --follow: events that name this pid or name" },
    { "since", "ID", "with --follow: go on after the event with this id" },
    { "watch", NULL, "show them as they change, on the whole screen" },
    OPTION_INTERVAL,
    OPTION_COUNT,
    OPTION_JSON,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_attach = {
    .name = "attach",
    .synopsis =
        "[--peers | --names | --spawnables | --counters] [--json] [--timeout SECONDS] NODE\n"
        "--follow [--type TYPE[,TYPE]] [--process PROCESS] [--since ID] [--json] "
        "[--timeout SECONDS] NODE\n"
        "--watch [--peers | --names | --counters] [--interval SECONDS] [--count N] "
        "[--json] [--timeout SECONDS] NODE",
    .summary = "show what a node is running",
    .options = attach_options,
    .run = attach_run,
};
