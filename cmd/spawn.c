/* spawn: starts a process on a node and prints its pid. */
#include "cmd.h"

static int spawn_run(struct options *options)
{
    static const char *const words[] = { "NODE", "SPAWNABLE", NULL };
    const char *name = options_value(options, "name"), *global = options_value(options, "global");
    int error, status = options_words(options, words, RUSM_ARGS_MAX + 2);
    char pid[RUSM_PID_TEXT_MAX];
    struct rusm_client *client;
    struct rusm_why why = { 0 };
    struct rusm_args args;

    if (status == 0 && name && global) {
        status = failure_usage(options->cmd, "give --name or --global, not both");
    }
    status = status == 0 ? target_node(options, options->word[0], &client) : status;
    if (status != 0) {
        return status;
    }
    args = (struct rusm_args){ options->word_count - 2, options->word + 2 };
    error = rusm_client_spawn(client, options->word[1], &args, global ? global : name,
                              global != NULL, pid, &why);
    rusm_client_close(client);
    if (error != 0) {
        return failure_report(options->cmd, error, &why);
    }
    puts(pid);
    return EXIT_DONE;
}

static const struct cmd_option spawn_options[] = {
    { "name", "NAME", "register the process on its node" },
    { "global", "NAME", "register the process in the whole cluster" },
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_spawn = {
    .name = "spawn",
    .synopsis = "[--name NAME | --global NAME] [--timeout SECONDS] NODE SPAWNABLE [ARG ...]",
    .summary = "start a process on a node and print its pid",
    .options = spawn_options,
    .run = spawn_run,
};
