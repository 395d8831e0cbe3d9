/* send: sends one message, or one for each line of input, and waits until all are in the
 * mailbox. */
#include "cmd.h"

#include <stdlib.h>
#include <unistd.h>

struct send {
    const struct options *options;
    struct target target;
};

static int send_post(void *context, const char *data, size_t len)
{
    const struct send *send = context;
    struct rusm_why why = { 0 };
    int error = rusm_client_post(send->target.client, send->target.process, send->target.global,
                                 data, len, &why);

    return error == 0 ? 0 : failure_report(send->options->cmd, error, &why);
}

static int send_flush(void *context)
{
    const struct send *send = context;
    struct rusm_why why = { 0 };
    int error = rusm_client_flush(send->target.client, &why);

    return error == 0 ? 0 : failure_report(send->options->cmd, error, &why);
}

static int send_lines(struct send *send)
{
    int fd, status = input_open(send->options, &fd);

    if (status == 0) {
        status = target_process(send->options, &send->target);
        if (status == 0) { /* the input may take for ever; each line has the timeout */
            rusm_client_deadline(send->target.client, 0);
        }
        status = status == 0 ? input_lines(send->options, fd, send_post, send_flush, send) : status;
        if (fd != STDIN_FILENO) {
            close(fd);
        }
    }
    return status;
}

static int send_one(struct send *send, size_t first)
{
    size_t len;
    char *data;
    int status = input_message(send->options, first, &data, &len);

    /* Connect only now: the connection would grow old while somebody types. */
    status = status == 0 ? target_process(send->options, &send->target) : status;
    status = status == 0 ? send_post(send, data ? data : "", len) : status;
    free(data);
    return status;
}

static int send_run(struct options *options)
{
    struct send send = { .options = options };
    size_t first = options_has(options, "global") ? 0 : 2;
    int status = 0;

    if (first == 2) {
        static const char *const words[] = { "NODE", "PROCESS", NULL };
        status = options_words(options, words, SIZE_MAX);
    }
    if (status == 0 && options_has(options, "lines")) {
        status = options->word_count > first
                     ? failure_usage(options->cmd, "give a message or --lines, not both")
                     : send_lines(&send);
    } else if (status == 0) {
        status = send_one(&send, first);
    }
    status = status == 0 ? send_flush(&send) : status;
    rusm_client_close(send.target.client);
    return status;
}

static const struct cmd_option send_options[] = {
    { "lines", NULL, "each line of the input is a message of its own, in order" },
    { "file", "FILE", "take the message from a file" },
    OPTION_GLOBAL,
    OPTION_VIA,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_send = {
    .name = "send",
    .synopsis = "[--lines] [--file FILE] [--timeout SECONDS] NODE PROCESS [MESSAGE ...]\n"
                "[--lines] [--file FILE] [--timeout SECONDS] [--via NODE] --global NAME "
                "[MESSAGE ...]",
    .summary = "deliver a message to a process",
    .options = send_options,
    .run = send_run,
};
