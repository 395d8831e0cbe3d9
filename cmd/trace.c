/* trace: prints what happens to the messages of a process. */
#include "cmd.h"

static int trace_run(struct options *options)
{
    struct rusm_trace what = { .payload = options_has(options, "payload") };
    struct target target;
    uint32_t seconds_ms = 0;
    int status = options_number(options, "count", 1, UINT32_MAX, 0, &what.count);

    if (status == 0) {
        status = options_seconds(options, "seconds", 0, &seconds_ms);
    }
    if (status == 0) {
        status = options_words(options, (const char *const[]){ NULL },
                               options_has(options, "global") ? 0 : 2);
    }
    status = status == 0 ? target_process(options, &target) : status;
    if (status != 0) {
        return status;
    }
    what.process = target.process;
    what.global = target.global;
    status = follow_trace(options, target.client, &what, seconds_ms);
    rusm_client_close(target.client);
    return status;
}

static const struct cmd_option trace_options[] = {
    { "count", "N", "end after N events [when the process ends]" },
    { "seconds", "SECONDS", "end after this long; fractions are fine" },
    { "payload", NULL, "show the data of messages too, the first 512 bytes" },
    OPTION_GLOBAL,
    OPTION_VIA,
    OPTION_JSON,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_trace = {
    .name = "trace",
    .synopsis = "[--count N] [--seconds SECONDS] [--payload] [--json] [--timeout SECONDS] NODE "
                "PROCESS\n"
                "[--count N] [--seconds SECONDS] [--payload] [--json] [--timeout SECONDS] "
                "[--via NODE] --global NAME",
    .summary = "show the messages of a process",
    .options = trace_options,
    .run = trace_run,
};
