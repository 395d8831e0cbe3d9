/* whereis: prints which process holds a global name. */
#include "cmd.h"

static int whereis_run(struct options *options)
{
    static const char *const words[] = { "NAME", NULL };
    struct rusm_client *client;
    struct rusm_why why = { 0 };
    char pid[RUSM_PID_TEXT_MAX];
    int error, status = options_words(options, words, 1);

    status = status == 0 ? target_any(options, &client) : status;
    if (status != 0) {
        return status;
    }
    error = rusm_client_whereis(client, options->word[0], pid, &why);
    rusm_client_close(client);
    if (error != 0) {
        return failure_report(options->cmd, error, &why);
    }
    if (options_has(options, "json")) {
        const struct rusm_field fields[] = {
            { .column = "name", .type = RUSM_TYPE_TEXT, .text = options->word[0] },
            { .column = "pid", .type = RUSM_TYPE_PID, .text = pid },
        };
        struct output out;
        output_init(&out, true);
        output_row(&out, fields, 2);
        output_end(&out);
    } else {
        puts(pid);
    }
    return EXIT_DONE;
}

static const struct cmd_option whereis_options[] = {
    OPTION_VIA,
    OPTION_JSON,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_whereis = {
    .name = "whereis",
    .synopsis = "[--json] [--timeout SECONDS] [--via NODE] NAME",
    .summary = "print the process that holds a global name",
    .options = whereis_options,
    .run = whereis_run,
};
