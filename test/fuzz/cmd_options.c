/* fuzz: the command line and the configuration file of `rusm node` (cmd/options.c, cmd/node.c), up
 * to the node that they ask for. This file has the functions of a node, of --detach and of signals
 * that the command calls, so nothing is started.
 *
 * The input: a byte that says what fails (1 the node, 2 teaching, 4 booting; 16: HTTP is served),
 * the arguments, a line each, then a NUL and the file that --config names. */
#include "../cmd/cmd.h"
#include "base/err.h"
#include "base/must.h"
#include "doubles/fuzz.h"

struct rusm_node {
    uint8_t fails;
};

static struct rusm_node the_node;

/* ---- the node that is asked for -------------------------------------------------------------- */

int rusm_node_new(struct rusm_node **node, const struct rusm_node_options *options,
                  struct rusm_why *why)
{
    must(options->name && options->identity_create);
    must(options->log_level <= RUSM_LOG_DEBUG);
    must(options->mailbox_bytes <= (uint64_t)1 << 40);
    must(options->idle_timeout_ms <= 1000000000);
    must(options->forget_ms <= 1000000000);
    for (size_t i = 0; i < options->join_count; i++) {
        must(options->join[i]);
    }
    if (the_node.fails & 1) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a node's name", options->name);
    }
    *node = &the_node;
    return 0;
}

int rusm_node_teach_spec(struct rusm_node *node, const char *name, const char *spec,
                         struct rusm_why *why)
{
    must(name[0] != '\0' && spec);
    return node->fails & 2 ? err_why(why, RUSM_EINVAL, "no such SPEC '%s' of %s", spec, name) : 0;
}

int rusm_node_boot(struct rusm_node *node, const struct rusm_boot *boot, struct rusm_why *why)
{
    must(boot->name[0] != '\0' && boot->arg_count <= RUSM_ARGS_MAX);
    for (size_t i = 0; i < boot->arg_count; i++) {
        must(boot->args[i][0] != '\0' && !strpbrk(boot->args[i], " \t"));
    }
    return node->fails & 4 ? err_why(why, RUSM_EINIT, "init of '%s' failed", boot->name) : 0;
}

int rusm_node_run(struct rusm_node *node)
{
    must(node == &the_node);
    return 0;
}

void rusm_node_free(struct rusm_node *node)
{
    must(node == &the_node);
}

const char *rusm_node_name(const struct rusm_node *node)
{
    return node ? "london" : NULL;
}

const char *rusm_node_address(const struct rusm_node *node)
{
    return node ? "127.0.0.1:4000" : NULL;
}

const char *rusm_node_http_tcp(const struct rusm_node *node)
{
    return node->fails & 16 ? "127.0.0.1:8080" : NULL;
}

int rusm_node_settle(struct rusm_node *node, uint32_t ms, struct rusm_why *why)
{
    must(node && ms > 0 && why);
    return node->fails & 32 ? RUSM_EEXIST : 0;
}

void rusm_node_log(struct rusm_node *node, enum rusm_log_level level, const char *text)
{
    must(node && level <= RUSM_LOG_DEBUG && text);
}

void rusm_node_stop(struct rusm_node *node)
{
    must(node);
}

const char *rusm_node_rundir(const struct rusm_node *node)
{
    return node ? "/nowhere" : NULL;
}

const char *rusm_node_identity_path(const struct rusm_node *node)
{
    return node ? "/nowhere/cluster.pem" : NULL;
}

const char *rusm_node_fingerprint(const struct rusm_node *node)
{
    return node ? "0123456789abcdef0123456789abcdef" : NULL;
}

bool rusm_node_identity_made(const struct rusm_node *node)
{
    return node->fails & 8;
}

bool detach_start(const struct cmd *cmd, struct detach *detach, int *status)
{
    must(cmd && detach);
    *status = EXIT_DONE;
    return true;
}

void detach_keep(struct detach *detach)
{
    must(detach);
}

void detach_say(const struct detach *detach, const struct cmd *cmd, const char *text)
{
    must(detach && cmd && text);
}

void detach_ready(struct detach *detach, const char *line)
{
    must(detach && line);
}

bool reaper_start(const struct cmd *cmd, int *status)
{
    must(cmd && status);
    return false;
}

void signals_block(struct signals *signals)
{
    must(signals);
}

int signals_start(struct signals *signals)
{
    (void)signals;
    return 0;
}

void signals_node(struct signals *signals, struct rusm_node *node)
{
    (void)signals, (void)node;
}

void signals_end(struct signals *signals)
{
    must(signals);
}

/* ---- the input ------------------------------------------------------------------------------- */

#define ARGS_MAX 64

/* Cuts the text into arguments. */
static int argv_of(char *text, char **argv)
{
    int argc = 0;

    for (char *line = text; line && argc < ARGS_MAX; argc++) {
        argv[argc] = strsep(&line, "\n");
    }
    argv[argc] = NULL;
    return argc;
}

/* Checks what the accessors say about each given option. */
static void look(const struct options *options)
{
    for (size_t i = 0; i < options->given_count; i++) {
        const struct option_given *given = &options->given[i];
        const char *name = given->option->name;
        char where[4300];
        uint64_t number;
        uint32_t ms;

        must(options_has(options, name) && !given->option->value == !given->value);
        must(strlen(options_where(given, where, sizeof(where))) >= strlen(name));
        if (given->value && options_number(options, name, 1, 1000, 7, &number) == 0) {
            must(number >= 1 && number <= 1000);
        }
        if (given->value && options_seconds(options, name, 7, &ms) == 0) {
            must(ms >= 1 && ms <= 1000000000);
        }
    }
    options_words(options, (const char *const[]){ "NODE", "PROCESS", NULL }, 3);
}

static void run(char **argv, int argc, const char *config)
{
    struct options options;

    int status = options_parse(&options, &cmd_node, argc, argv);
    must(status == 0 || status == EXIT_USAGE);
    if (status == 0) {
        for (size_t i = 0; i < options.given_count; i++) {
            if (strcmp(options.given[i].option->name, "config") == 0) {
                options.given[i].value = config;
            }
        }
        look(&options);
        if (options.help) {
            help_command(stdout, &cmd_node);
        }
    }
    if (status == 0 && !options.help && !options_has(&options, "log-file")) {
        status = options_read(&options, config);
        must(status == 0 || status == EXIT_USAGE);
        look(&options);
        if (status == 0 && !options_has(&options, "log-file")) {
            status = cmd_node.run(&options);
            must(status >= EXIT_DONE && status <= EXIT_BUSY);
        }
    }
    options_fini(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    FILE *said_before = stderr, *out_before = stdout;
    char *text = NULL, *said, *out, *argv[ARGS_MAX + 1];
    size_t said_len, out_len;

    if (len == 0) {
        return 0;
    }
    the_node.fails = data[0];
    text = calloc(1, len);
    must(text);
    memcpy(text, data + 1, len - 1);
    size_t words = strlen(text), rest = words + 1 < len - 1 ? words + 2 : len;
    struct fuzz_file config = fuzz_file_make(data + rest, len - rest);
    stderr = open_memstream(&said, &said_len);
    stdout = open_memstream(&out, &out_len);
    must(stderr && stdout);
    run(argv, argv_of(text, argv), config.path);
    fclose(stderr);
    fclose(stdout);
    stderr = said_before;
    stdout = out_before;
    /* All messages are lines that begin with our name. */
    for (char *at = said; *at;) {
        size_t line = strcspn(at, "\n");
        must(strncmp(at, "rusm: ", 6) == 0 && at[line] == '\n');
        fuzz_line_ok(at, line);
        at += line + 1;
    }
    must(strlen(said) == said_len);
    free(said);
    free(out);
    free(text);
    close(config.fd);
    return 0;
}
