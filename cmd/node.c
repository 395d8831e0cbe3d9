/* node: runs a node on the main thread until it is told to leave. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NODE_BLANK " \t"
#define NODE_LOG_MAX ((uint64_t)16 << 20)
#define NODE_SPIN_US 50 /* the library's default; here 0 means never */
#define NODE_SCHEDULERS_MAX 64
#define NODE_SETTLE_MS 2000 /* another node of the name has a second to say that it lives */

/* Spawnables of every node. */
static const char *const node_builtins[] = {
    "echo", "greeter", "sink", "crash", "relay", "bounce"
};

/* ---- what the node is taught and starts ---- */

/* Splits the NAME=SPEC of an option. Gives *name, which the caller frees. *spec points into it.
 * Returns 0 or the exit status. */
static int node_pair(const struct options *options, const struct option_given *given, char **name,
                     char **spec)
{
    char where[4300], *equals;

    *name = strdup(given->value);
    if (!*name) {
        return failure_report(options->cmd, RUSM_ENOMEM, NULL);
    }
    equals = strchr(*name, '=');
    if (!equals || equals == *name || equals[1 + strspn(equals + 1, NODE_BLANK)] == '\0') {
        free(*name);
        return failure_say(options->cmd, EXIT_USAGE, "%s: '%s' is not %s",
                           options_where(given, where, sizeof(where)), given->value,
                           given->option->value);
    }
    *equals = '\0';
    *spec = equals + 1;
    return 0;
}

/* Finds badly written options before anything is started. */
static int node_pairs_check(const struct options *options)
{
    for (size_t i = 0; i < options->given_count; i++) {
        const struct option_given *given = &options->given[i];
        if (given->option->value && strncmp(given->option->value, "NAME=SPEC", 9) == 0) {
            char *name, *spec;
            int status = node_pair(options, given, &name, &spec);
            if (status != 0) {
                return status;
            }
            free(name);
        }
    }
    return 0;
}

/* Prints what failed, with the line if the option came from a file. */
static int node_report(const struct options *options, const struct option_given *given, int error,
                       const struct rusm_why *why)
{
    struct rusm_why whole;
    char where[4300];

    if (!given->where) {
        return failure_report(options->cmd, error, why);
    }
    snprintf(whole.text, sizeof(whole.text), "%.200s: %.300s",
             options_where(given, where, sizeof(where)),
             why->text[0] ? why->text : rusm_strerror(error));
    return failure_report(options->cmd, error, &whole);
}

static int node_teach(const struct options *options, struct rusm_node *node)
{
    const struct option_given *given;
    struct rusm_why why = { 0 };
    size_t cursor = 0;
    int error;

    while ((given = options_next(options, "spawnable", &cursor))) {
        char *name, *spec;
        int status = node_pair(options, given, &name, &spec);
        if (status != 0) {
            return status;
        }
        error = rusm_node_teach_spec(node, name, spec, &why);
        free(name);
        if (error != 0) {
            return node_report(options, given, error, &why);
        }
    }
    for (size_t i = 0; i < sizeof(node_builtins) / sizeof(node_builtins[0]); i++) {
        error = rusm_node_teach_spec(node, node_builtins[i], node_builtins[i], &why);
        if (error != 0 && error != RUSM_EEXIST) { /* the user may have taken the name */
            return failure_report(options->cmd, error, &why);
        }
    }
    return 0;
}

/* Returns whether it is exec:COMMAND, exec+json:COMMAND and the like. Then all after the colon is
 * the command, with its blanks. */
static bool node_is_exec(const char *spec)
{
    return strncmp(spec, "exec", 4) == 0 && spec[4] && strchr(":+*", spec[4]);
}

/* Starts "NAME=SPEC[ ARG...]". */
static int node_boot_one(const struct options *options, struct rusm_node *node,
                         const struct option_given *given)
{
    const char *args[RUSM_ARGS_MAX];
    struct rusm_boot boot = { .args = args };
    struct rusm_why why = { 0 };
    char *name, *spec, *save = NULL, *arg = NULL;
    int error, status = node_pair(options, given, &name, &spec);

    if (status != 0) {
        return status;
    }
    boot.name = name;
    boot.global = strcmp(given->option->name, "boot-global") == 0;
    spec += strspn(spec, NODE_BLANK);
    boot.spawnable = node_is_exec(spec) ? spec : strtok_r(spec, NODE_BLANK, &save);
    while (save && (arg = strtok_r(NULL, NODE_BLANK, &save))) {
        if (boot.arg_count == RUSM_ARGS_MAX) {
            snprintf(why.text, sizeof(why.text), "more than %d arguments", RUSM_ARGS_MAX);
            break;
        }
        args[boot.arg_count++] = arg;
    }
    error = arg ? RUSM_EINVAL : rusm_node_boot(node, &boot, &why);
    free(name);
    return error == 0 ? 0 : node_report(options, given, error, &why);
}

static int node_boot(const struct options *options, struct rusm_node *node)
{
    static const struct rusm_boot greeter = { .name = "greeter", .spawnable = "greeter" };
    struct rusm_why why = { 0 };
    bool any = false;
    int error = 0;

    for (size_t i = 0; i < options->given_count; i++) {
        const struct option_given *given = &options->given[i];
        if (strncmp(given->option->name, "boot", 4) == 0) { /* also boot-global, in order */
            int status = node_boot_one(options, node, given);
            if (status != 0) {
                return status;
            }
            any = true;
        }
    }
    error = any ? 0 : rusm_node_boot(node, &greeter, &why);
    return error == 0 ? 0 : failure_report(options->cmd, error, &why);
}

/* ---- options ---- */

/* Gives the index of the option's value in `names`, which ends with NULL, or `fallback` if it was
 * not given. Returns 0 or the exit status. */
static int node_choice(const struct options *options, const char *name, const char *const *names,
                       const char *said, unsigned fallback, unsigned *choice)
{
    const struct option_given *given = options_last(options, name);
    char where[4300];

    *choice = fallback;
    if (!given) {
        return 0;
    }
    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(given->value, names[i]) == 0) {
            *choice = i;
            return 0;
        }
    }
    return failure_say(options->cmd, EXIT_USAGE, "%s: '%s' is not %s",
                       options_where(given, where, sizeof(where)), given->value, said);
}

static int node_restarts(const struct options *options, enum rusm_restarts *restarts)
{
    static const char *const names[] = { "backoff", "give-up", "exit", NULL };
    unsigned choice;
    int status = node_choice(options, "restart", names, "backoff, give-up or exit",
                             RUSM_RESTARTS_BACKOFF, &choice);

    *restarts = (enum rusm_restarts)choice;
    return status;
}

static int node_log(const struct options *options, struct rusm_node_options *how)
{
    static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
    static const char *const formats[] = { "text", "json", NULL };
    unsigned level, format = RUSM_LOG_TEXT;
    int status = node_choice(options, "log-level", levels, "error, warn, info or debug",
                             RUSM_LOG_WARN, &level);

    status = status ? status
                    : node_choice(options, "log-format", formats, "text or json",
                                  failure_is_json() ? RUSM_LOG_JSON : RUSM_LOG_TEXT, &format);
    how->log_level = (enum rusm_log_level)level;
    how->log_format = (enum rusm_log_format)format;
    return status;
}

/* Gathers the values of an option in `values`. Returns how many there are. */
static size_t node_values(const struct options *options, const char *name, const char **values)
{
    const struct option_given *given;
    size_t cursor = 0, count = 0;

    while ((given = options_next(options, name, &cursor))) {
        values[count++] = given->value;
    }
    return count;
}

/* `values` has room for the values of all options. */
static int node_options(const struct options *options, const char **values,
                        struct rusm_node_options *how)
{
    uint64_t mailbox, spin, packet = 0, schedulers = 0;
    int status;

    *how = (struct rusm_node_options){
        .name = options_value(options, "name"),
        .listen = options_value(options, "listen"),
        .advertise = options_value(options, "advertise"),
        .join = values,
        .join_count = node_values(options, "join", values),
        .log_fd = STDERR_FILENO,
        .output_fd = STDOUT_FILENO,
        .identity_create = true,
        .name_overflow = true,
        .http = options_has(options, "http"),
        .http_token = options_value(options, "http-token"),
        .http_tcp = options_value(options, "http-tcp"),
    };
    how->http_proxy = values + how->join_count;
    how->http_proxy_count = node_values(options, "http-proxy", values + how->join_count);
    if (!how->name) {
        return failure_usage(options->cmd, "--name is missing");
    }
    status = node_pairs_check(options);
    if (status != 0) {
        return status;
    }
    status = options_number(options, "mailbox", 1, UINT32_MAX, 0, &mailbox);
    how->mailbox_messages = (uint32_t)mailbox;
    status = status ? status
                    : options_number(options, "mailbox-bytes", 1, (uint64_t)1 << 40, 0,
                                     &how->mailbox_bytes);
    status = status ? status : options_seconds(options, "idle-timeout", 0, &how->idle_timeout_ms);
    status = status ? status : options_seconds(options, "forget", 0, &how->forget_ms);
    status = status ? status : options_number(options, "spin", 0, 1000000, NODE_SPIN_US, &spin);
    if (status == 0) {
        how->spin_us = spin > 0 ? (int32_t)spin : -1;
    }
    status = status ? status
                    : options_number(options, "max-packet", RUSM_PACKET_MIN, RUSM_PACKET_MAX, 0,
                                     &packet);
    how->max_packet = (uint32_t)packet;
    status = status ? status
                    : options_number(options, "schedulers", 1, NODE_SCHEDULERS_MAX,
                                     cores_usable(NODE_SCHEDULERS_MAX), &schedulers);
    how->schedulers = (uint32_t)schedulers;
    status = status ? status : node_restarts(options, &how->restarts);
    return status ? status : node_log(options, how);
}

/* ---- running ---- */

struct serving {
    const struct options *options;
    struct rusm_node_options how;
    struct signals signals;
    struct logfiles files;
    struct detach detach;
    bool detached;
};

/* Opens the files that are given. A detached node logs to the terminal until it is ready. */
static int node_files(struct serving *s)
{
    const char *log = s->detached ? NULL : options_value(s->options, "log-file");
    const char *output = options_value(s->options, "output");
    int status = log ? logfile_open(&s->files, &s->files.log, s->options->cmd, log) : 0;

    if (status == 0 && log) {
        s->how.log_fd = s->files.log.fd[0];
    }
    if (status == 0 && output) {
        status = logfile_open(&s->files, &s->files.output, s->options->cmd, output);
        s->how.output_fd = s->files.output.fd[0];
    }
    return status;
}

/* Makes all that a detached node writes from now on go to its log, and what is printed to --output
 * if that is given. Without --log-file, the log is in the run folder. */
static int node_leave_terminal(struct serving *s, const struct rusm_node *node)
{
    struct logfiles *files = &s->files;
    const char *given = options_value(s->options, "log-file");
    char path[LOGFILE_PATH];
    int status;

    snprintf(path, sizeof(path), "%s/%s.log", rusm_node_rundir(node), rusm_node_name(node));
    status = logfile_open(files, &files->log, s->options->cmd, given ? given : path);
    if (status == 0) {
        fflush(stdout);
        logfile_lead(files, files->output.fds > 0 ? &files->output : &files->log, STDOUT_FILENO);
        logfile_lead(files, &files->log, STDERR_FILENO);
    }
    return status;
}

/* Raises the soft limit of descriptors to the hard one: a connection, a watch or a program costs
 * some. Programs get the limit that the node was started with, as some of them use select(2). */
static void node_descriptors(struct rusm_node_options *how)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        how->exec_descriptors = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Says once that there is a new identity: in the log, if that is JSON for whoever reads standard
 * error. */
static void node_greet(const struct serving *s, struct rusm_node *node)
{
    char text[LOGFILE_PATH + 256];

    if (!rusm_node_identity_made(node)) {
        return;
    }
    snprintf(text, sizeof(text),
             "made the cluster's identity %s (fingerprint %.16s...); copy it to another machine, "
             "mode 0600, to admit that machine",
             rusm_node_identity_path(node), rusm_node_fingerprint(node));
    if (s->how.log_format == RUSM_LOG_JSON && s->how.log_fd == STDERR_FILENO && !s->detached) {
        rusm_node_log(node, RUSM_LOG_WARN, text);
    } else {
        fprintf(stderr, "rusm: %s: %s\n", s->options->cmd->name, text);
    }
}

/* Lets a detached node leave the terminal for its log. Then waits a moment for the other nodes'
 * verdict: a node whose name is taken must not look as if it were one of the cluster. */
static int node_settle(struct serving *s, struct rusm_node *node)
{
    struct rusm_why why = { "" };
    int status = 0;

    if (s->detached) {
        detach_keep(&s->detach);
        status = node_leave_terminal(s, node);
    }
    int error = status == 0 ? rusm_node_settle(node, NODE_SETTLE_MS, &why) : 0;
    if (s->detached && why.text[0]) {
        detach_say(&s->detach, s->options->cmd, why.text);
    }
    if (error != 0) {
        status = s->detached ? EXIT_FAILED : failure_report(s->options->cmd, error, &why);
        rusm_node_stop(node); /* and the run lets it leave in order */
        rusm_node_run(node);
    }
    return status;
}

/* Says that the node is ready. A detached node says it to its parent. */
static void node_ready(struct serving *s, struct rusm_node *node)
{
    const char *http = rusm_node_http_tcp(node);
    char line[512];

    snprintf(line, sizeof(line), "%s ready at %s\n%s%s%s%s", rusm_node_name(node),
             rusm_node_address(node), http ? rusm_node_name(node) : "",
             http ? " serves HTTP at http://" : "", http ? http : "", http ? "/\n" : "");
    if (s->detached) {
        detach_ready(&s->detach, line);
    } else {
        fputs(line, stdout);
        fflush(stdout);
    }
}

static int node_serve(struct serving *s)
{
    struct rusm_why why = { 0 };
    struct rusm_node *node = NULL;
    int error = rusm_node_new(&node, &s->how, &why), status;

    if (error != 0) {
        return failure_report(s->options->cmd, error, &why);
    }
    logfile_node(&s->files, node);
    node_greet(s, node);
    status = node_teach(s->options, node);
    status = status ? status : node_boot(s->options, node);
    if (status == 0) {
        signals_node(&s->signals, node);
        status = node_settle(s, node);
    }
    if (status == 0) {
        node_ready(s, node);
        notify_ready(node);
        error = rusm_node_run(node);
        status = error == 0 ? EXIT_DONE
                 : error == RUSM_EINIT
                     ? failure_say(s->options->cmd, EXIT_FAILED,
                                   "left, because a process of --boot ended too often: see the log")
                     : failure_report(s->options->cmd, error, NULL);
    }
    signals_node(&s->signals, NULL);
    logfile_node(&s->files, NULL);
    rusm_node_free(node);
    return status;
}

/* Takes signals and serves, until the node has left. */
static int node_signals(struct serving *s)
{
    bool log = s->detached || options_has(s->options, "log-file");
    int status;

    signals_block(&s->signals);
    if (log || s->files.output.fds > 0) {
        s->signals.reopen = logfile_reopen;
        s->signals.look = logfile_look;
    }
    s->signals.context = &s->files;
    if (signals_start(&s->signals) != 0) {
        return failure_report(s->options->cmd, RUSM_ENOMEM, NULL);
    }
    status = node_serve(s);
    signals_end(&s->signals);
    return status;
}

static int node_start(struct options *options, const char **values, const struct env *env)
{
    struct serving s = { .options = options, .detached = options_has(options, "detach") };
    uint64_t log_max = 0;
    int status = node_options(options, values, &s.how);

    s.how.env = (const char *const *)env->entry;
    node_descriptors(&s.how);
    notify_watch(&s.how);
    status = status ? status
                    : options_number(options, "log-max", 0, UINT64_MAX / 2, NODE_LOG_MAX, &log_max);
    if (status != 0 || (s.detached && detach_start(options->cmd, &s.detach, &status))) {
        return status;
    }
    logfile_init(&s.files, log_max);
    status = node_files(&s);
    status = status ? status : node_signals(&s);
    logfile_fini(&s.files);
    return status;
}

static int node_run(struct options *options)
{
    const char *config = options_value(options, "config"), **values;
    int status = options_words(options, (const char *const[]){ NULL }, 0);
    struct env env;

    status = status == 0 && config ? options_read(options, config) : status;
    const char *format = options_value(options, "log-format");
    if (format) {
        failure_json(strcmp(format, "json") == 0);
    }
    if (status != 0 || (!options_has(options, "detach") && reaper_start(options->cmd, &status))) {
        return status;
    }
    values = calloc(options->given_count + 1, sizeof(*values));
    if (!values) {
        return failure_report(options->cmd, RUSM_ENOMEM, NULL);
    }
    status = env_read(options, &env);
    status = status ? status : node_start(options, values, &env);
    env_free(&env);
    free(values);
    return status;
}

static const struct cmd_option node_table[] = {
    { "name", "NAME", "the node's name" },
    { "listen", "ADDR:PORT", "where to listen [127.0.0.1:0, a free port]" },
    { "advertise", "HOST:PORT", "the address that peers are told [the one they see]" },
    { "join", "[NODE@]HOST:PORT", "nodes to connect to, for ever; or srv:NAME; may be repeated" },
    { "boot", "NAME=SPEC[ ARG...]", "a process to start and register here; may be repeated" },
    { "boot-global", "NAME=SPEC[ ARG...]", "the same, with a global name" },
    { "restart", "POLICY",
      "if a booted process keeps failing: backoff, give-up or exit [backoff]" },
    { "spawnable", "NAME=SPEC",
      "teach the node a behaviour, built in or lib:FILE.so[:BEHAVIOUR]; may be repeated" },
    { "env", "NAME[=VALUE]", "a variable for programs of exec:; may be repeated" },
    { "env-file", "FILE", "more variables for them, NAME=VALUE a line; may be repeated" },
    { "mailbox", "N", "messages that a mailbox holds [1024]" },
    { "mailbox-bytes", "N", "bytes that a mailbox holds [4194304]" },
    { "idle-timeout", "SECONDS", "a peer silent for so long is lost [10]" },
    { "forget", "SECONDS", "a peer away for so long, not named by --join, is forgotten [86400]" },
    { "schedulers", "N", "threads that run processes, 1 to 64 [the cores it may use]" },
    { "spin", "MICROSECONDS", "look for messages so long before sleeping; 0: never [50]" },
    { "max-packet", "BYTES", "the longest packet tried [8952, for jumbo frames]" },
    { "http", NULL, "serve HTTP/3 too, on the same port: rusm-http(7)" },
    { "http-token", "FILE", "the token of HTTP clients without certificate" },
    { "http-tcp", "ADDR:PORT", "serve HTTP/1.1 over TCP too, for those who have the token" },
    { "http-proxy", "ADDRESS[/BITS]",
      "a proxy that tells who the client is (X-Forwarded-For); may be repeated" },
    { "log-level", "LEVEL", "error, warn, info or debug [warn]" },
    { "log-format", "FORMAT", "text, or json: an object a line [text]" },
    { "log-file", "FILE", "where the log goes [standard error]" },
    { "log-max", "BYTES", "a larger log is renamed to FILE.1; 0: never [16777216]" },
    { "output", "FILE", "where processes print [standard output; detached: the log]" },
    { "detach", NULL, "return when ready, the node runs on; log to NAME.log in the run folder" },
    { "config", "FILE", "read more of these options from a file, one a line" },
    OPTION_END,
};

const struct cmd cmd_node = {
    .name = "node",
    .synopsis = "--name NAME [--listen ADDR:PORT] [--advertise HOST:PORT] "
                "[--join [NODE@]HOST:PORT] [--boot NAME=SPEC[ ARG...]] "
                "[--boot-global NAME=SPEC[ ARG...]] [--restart POLICY] [--spawnable NAME=SPEC] "
                "[--env NAME[=VALUE]] [--env-file FILE] [--mailbox N] "
                "[--mailbox-bytes N] [--idle-timeout SECONDS] [--forget SECONDS] [--schedulers N] "
                "[--spin MICROSECONDS] "
                "[--max-packet BYTES] [--http] [--http-token FILE] [--http-tcp ADDR:PORT] "
                "[--http-proxy ADDRESS[/BITS]] "
                "[--log-level LEVEL] [--log-format FORMAT] [--log-file FILE] "
                "[--log-max BYTES] [--output FILE] [--detach] [--config FILE]",
    .summary = "run a node",
    .options = node_table,
    .run = node_run,
};
