/* kill: sends a process an exit signal and waits until it is gone. */
#include "cmd.h"

static int kill_run(struct options *options)
{
    struct target target;
    struct rusm_why why = { 0 };
    const char *reason;
    size_t most = options_has(options, "global") ? 1 : 3;
    int error, status = options_words(options, (const char *const[]){ NULL }, most);

    status = status == 0 ? target_process(options, &target) : status;
    if (status != 0) {
        return status;
    }
    reason = target.rest < options->word_count ? options->word[target.rest] : "kill";
    error = rusm_client_kill(target.client, target.process, target.global, reason, &why);
    rusm_client_close(target.client);
    return error == 0 ? EXIT_DONE : failure_report(options->cmd, error, &why);
}

static const struct cmd_option kill_options[] = {
    OPTION_GLOBAL,
    OPTION_VIA,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_kill = {
    .name = "kill",
    .synopsis = "[--timeout SECONDS] NODE PROCESS [REASON]\n"
                "[--timeout SECONDS] [--via NODE] --global NAME [REASON]",
    .summary = "end a process",
    .options = kill_options,
    .run = kill_run,
};
