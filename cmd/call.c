/* call: sends a message and prints the reply. */
#include "cmd.h"

#include <stdlib.h>

static int call_print(const char *reply, size_t len, bool raw)
{
    fwrite(reply, 1, len, stdout);
    if (!raw && (len == 0 || reply[len - 1] != '\n')) {
        putchar('\n');
    }
    return EXIT_DONE;
}

static int call_run(struct options *options)
{
    static const char *const words[] = { "NODE", "PROCESS", NULL };
    bool global = options_has(options, "global");
    struct target target = { 0 };
    struct rusm_why why = { 0 };
    size_t len, reply_len = 0;
    char *data = NULL;
    void *reply = NULL;
    int error, status = global ? 0 : options_words(options, words, SIZE_MAX);

    status = status == 0 ? input_message(options, global ? 0 : 2, &data, &len) : status;
    status = status == 0 ? target_process(options, &target) : status;
    if (status == 0) {
        error = rusm_client_call(target.client, target.process, target.global, data ? data : "",
                                 len, &reply, &reply_len, &why);
        status = error == 0 ? call_print(reply, reply_len, options_has(options, "raw"))
                            : failure_report(options->cmd, error, &why);
    }
    free(reply);
    free(data);
    rusm_client_close(target.client);
    return status;
}

static const struct cmd_option call_options[] = {
    { "file", "FILE", "take the message from a file" },
    { "raw", NULL, "print the reply as it is, with no newline added" },
    OPTION_GLOBAL,
    OPTION_VIA,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_call = {
    .name = "call",
    .synopsis = "[--file FILE] [--raw] [--timeout SECONDS] NODE PROCESS [MESSAGE ...]\n"
                "[--file FILE] [--raw] [--timeout SECONDS] [--via NODE] --global NAME "
                "[MESSAGE ...]",
    .summary = "send a message to a process and print its reply",
    .options = call_options,
    .run = call_run,
};
