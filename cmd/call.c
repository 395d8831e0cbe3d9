/* call: sends a message and prints the reply, or does so with each line of input. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL_WINDOW 64

struct call {
    const struct options *options;
    struct target target;
    uint64_t window;        /* requests without an answer, at most */
    uint64_t sent, printed; /* lines */
    bool json, failed;
};

static int call_print(const char *reply, size_t len, bool raw)
{
    fwrite(reply, 1, len, stdout);
    if (!raw && (len == 0 || reply[len - 1] != '\n')) {
        putchar('\n');
    }
    return EXIT_DONE;
}

/* JSON has no place for a byte 0, nor for what is not UTF-8, which output_object replaces too. */
static const char *call_text(char *reply, size_t len)
{
    for (size_t i = strlen(reply); i < len; i += strlen(reply + i)) {
        reply[i] = '?';
    }
    return reply;
}

static int call_json(char *reply, size_t len)
{
    const struct rusm_field field = { .column = "reply", .text = call_text(reply, len) };

    return output_object(stdout, &field, 1) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* ---- a message for each line ---- */

/* Prints the reply to a line, or says why there is none. */
static void call_line(struct call *call, int error, char *reply, size_t len,
                      const struct rusm_why *why)
{
    struct rusm_field fields[] = {
        { .column = "line", .type = RUSM_TYPE_COUNT, .number = ++call->printed },
        { .column = "reply", .text = reply ? call_text(reply, call->json ? len : 0) : NULL },
    };
    struct rusm_why line; /* the text of fields[1], if the call failed */

    if (error != 0) {
        snprintf(line.text, sizeof(line.text), "line %llu: %.*s", (unsigned long long)call->printed,
                 (int)(sizeof(line.text) - 64), why->text[0] ? why->text : rusm_strerror(error));
        failure_report(call->options->cmd, error, &line);
        call->failed = true;
        fields[1] = (struct rusm_field){ .column = "error",
                                         .text = line.text + strcspn(line.text, ":") + 2 };
    }
    if (call->json) {
        (void)output_object(stdout, fields, 2);
    } else if (error == 0) {
        call_print(reply, len, false);
    }
}

/* Prints answers until at most so many are under way. Returns 0 or the exit status. */
static int call_answers(struct call *call, size_t under_way)
{
    while (rusm_client_asked(call->target.client) > under_way) {
        struct rusm_why why = { 0 };
        size_t len;
        void *reply;
        int error = rusm_client_answer(call->target.client, &reply, &len, &why);
        call_line(call, error, reply, len, &why);
        free(reply);
        if (ferror(stdout)) {
            return EXIT_FAILED; /* main says why */
        }
    }
    return 0;
}

static int call_ask(void *context, const char *data, size_t len)
{
    struct call *call = context;
    struct rusm_why why = { 0 };
    int error, status = call_answers(call, call->window - 1);

    if (status != 0) {
        return status;
    }
    error = rusm_client_ask(call->target.client, call->target.process, call->target.global, data,
                            len, &why);
    call->sent++;
    if (error != 0) {
        status = call_answers(call, 0);
        call_line(call, error, NULL, 0, &why);
    }
    /* Without the node, no other line has a chance. */
    return error == RUSM_ENOCONN || error == RUSM_EREFUSED ? failure_status(error) : status;
}

static int call_idle(void *context)
{
    struct call *call = context;
    int status = call_answers(call, 0);

    fflush(stdout);
    return status;
}

static int call_lines(struct call *call, size_t first)
{
    const struct options *options = call->options;
    int fd,
        status = options_number(options, "window", 1, RUSM_ASKED_MAX, CALL_WINDOW, &call->window);

    if (status == 0 && options->word_count > first) {
        status = failure_usage(options->cmd, "give a message or --lines, not both");
    }
    status = status == 0 ? input_open(options, &fd) : status;
    if (status != 0) {
        return status;
    }
    status = target_process(options, &call->target);
    if (status == 0) { /* the input may take for ever; each line has the timeout */
        rusm_client_deadline(call->target.client, 0);
    }
    status = status == 0 ? input_lines(options, fd, call_ask, call_idle, call) : status;
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    if (status == 0) {
        status = call_answers(call, 0);
    }
    return status == 0 && call->failed ? EXIT_FAILED : status;
}

/* ---- one message ---- */

static int call_one(struct call *call, size_t first)
{
    const struct options *options = call->options;
    struct rusm_why why = { 0 };
    size_t len, reply_len = 0;
    char *data = NULL;
    void *reply = NULL;
    int error, status = input_message(options, first, &data, &len);

    status = status == 0 ? target_process(options, &call->target) : status;
    if (status == 0) {
        error = rusm_client_call(call->target.client, call->target.process, call->target.global,
                                 data ? data : "", len, &reply, &reply_len, &why);
        status = error != 0   ? failure_report(options->cmd, error, &why)
                 : call->json ? call_json(reply, reply_len)
                              : call_print(reply, reply_len, options_has(options, "raw"));
    }
    free(reply);
    free(data);
    return status;
}

static int call_run(struct options *options)
{
    static const char *const words[] = { "NODE", "PROCESS", NULL };
    struct call call = { .options = options, .json = options_has(options, "json") };
    size_t first = options_has(options, "global") ? 0 : 2;
    int status = first == 0 ? 0 : options_words(options, words, SIZE_MAX);

    if (status == 0 && call.json && options_has(options, "raw")) {
        status = failure_usage(options->cmd, "give --json or --raw, not both");
    }
    if (status == 0 && options_has(options, "lines")) {
        status = options_has(options, "raw")
                     ? failure_usage(options->cmd, "give --lines or --raw, not both")
                     : call_lines(&call, first);
    } else if (status == 0) {
        status = options_has(options, "window")
                     ? failure_usage(options->cmd, "--window works only with --lines")
                     : call_one(&call, first);
    }
    rusm_client_close(call.target.client);
    return status;
}

static const struct cmd_option call_options[] = {
    { "lines", NULL, "each line of the input is a request of its own, each reply a line" },
    { "window", "N", "with --lines: at most so many requests without a reply [64]" },
    { "file", "FILE", "take the message from a file" },
    { "raw", NULL, "print the reply as it is, with no newline added" },
    OPTION_JSON,
    OPTION_GLOBAL,
    OPTION_VIA,
    OPTION_TIMEOUT,
    OPTION_END,
};

const struct cmd cmd_call = {
    .name = "call",
    .synopsis = "[--lines [--window N] | --raw] [--json] [--file FILE] [--timeout SECONDS] NODE "
                "PROCESS [MESSAGE ...]\n"
                "[--lines [--window N] | --raw] [--json] [--file FILE] [--timeout SECONDS] "
                "[--via NODE] --global NAME [MESSAGE ...]",
    .summary = "send a message to a process and print its reply",
    .options = call_options,
    .run = call_run,
};
