/* main: the rusm command: finds the subcommand in the table, parses its options, runs it. */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cmd *const commands[] = {
    &cmd_node,     &cmd_stop,  &cmd_nodes, &cmd_whereis,    &cmd_wait, &cmd_send,
    &cmd_call,     &cmd_spawn, &cmd_kill,  &cmd_attach,     &cmd_top,  &cmd_trace,
    &cmd_diagnose, &cmd_bench, &cmd_cert,  &cmd_completion, NULL,
};

static const struct cmd *main_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int main_unknown(const char *name)
{
    const struct cmd *guess = help_guess(commands, name);

    if (guess) {
        return failure_usage(NULL, "unknown command '%s', did you mean '%s'?", name, guess->name);
    }
    return failure_usage(NULL, "unknown command '%s'", name);
}

static int main_help(int argc, char **argv)
{
    const struct cmd *cmd;

    if (argc > 1) {
        return failure_usage(NULL, "help: unexpected argument '%s'", argv[1]);
    }
    if (argc == 0 || argv[0][0] == '-' || strcmp(argv[0], "help") == 0) {
        help_overview(stdout, commands);
        return EXIT_DONE;
    }
    if (strcmp(argv[0], "rusm") == 0) {
        if (!help_page(NULL)) {
            help_overview(stdout, commands);
        }
        return EXIT_DONE;
    }
    cmd = main_find(argv[0]);
    if (!cmd) {
        return main_unknown(argv[0]);
    }
    if (!help_page(cmd->name)) {
        help_command(stdout, cmd);
    }
    return EXIT_DONE;
}

static int main_run(const struct cmd *cmd, int argc, char **argv)
{
    struct options options;
    int status;

    options_json(cmd, argc, argv);
    status = options_parse(&options, cmd, argc, argv);

    if (status == 0 && options.help) {
        help_command(stdout, cmd);
    } else if (status == 0) {
        status = cmd->run(&options);
    }
    options_fini(&options);
    return status;
}

static int main_dispatch(int argc, char **argv)
{
    const struct cmd *cmd;

    if (argc < 2) {
        help_overview(stderr, commands);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("rusm " RUSM_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_overview(stdout, commands);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--complete") == 0) {
        return completion_candidates(commands, argc - 2, argv + 2);
    }
    if (strcmp(argv[1], "help") == 0) {
        return main_help(argc - 2, argv + 2);
    }
    if (argv[1][0] == '-') {
        return failure_usage(NULL, "unknown option '%s'", argv[1]);
    }
    cmd = main_find(argv[1]);
    return cmd ? main_run(cmd, argc - 2, argv + 2) : main_unknown(argv[1]);
}

int main(int argc, char **argv)
{
    int status, fd;

    /* Our caller may have closed some of the descriptors 0, 1 and 2. Fill them, so that no socket
     * of ours becomes one of them. */
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
    status = main_dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        int code = failure_say(NULL, EXIT_FAILED, "cannot write the output: %s", strerror(errno));
        status = status == EXIT_DONE ? code : status;
    }
    return status;
}
