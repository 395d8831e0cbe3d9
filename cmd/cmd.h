/* cmd.h: what the files of cmd/ share. A subcommand is one const struct cmd in the table of main.c
 * and one small file. cmd/ sees the library through rusm.h alone: what a command can do, any
 * program can. All of it runs on the main thread but the one that signals.c starts. */
#ifndef CMD_H
#define CMD_H

#include "rusm.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

/* Exit status. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NO_NODE = 3,
    EXIT_NO_PROCESS = 4,
    EXIT_REFUSED = 5,
    EXIT_BUSY = 6,
};

struct options;

struct cmd_option {
    const char *name;  /* without the dashes */
    const char *value; /* what its value is called in the help; NULL: a flag */
    const char *help;  /* one line */
};

struct cmd {
    const char *name;
    const char *synopsis;                /* what follows "rusm NAME"; one form a line */
    const char *summary;                 /* one line for the list of commands */
    const struct cmd_option *options;    /* ends with OPTION_END; --help comes by itself */
    int (*run)(struct options *options); /* returns the exit status */
};

/* The versions of clang-format differ about these. */
/* clang-format off */
#define OPTION_TIMEOUT { "timeout", "SECONDS", "wait at most this long; fractions are fine [5]" }
#define OPTION_JSON { "json", NULL, "print JSON, one object a line" }
#define OPTION_GLOBAL \
    { "global", "NAME", "the process with this global name, instead of NODE PROCESS" }
#define OPTION_VIA { "via", "NODE", "ask this node for the global name [any of the run folder]" }
#define OPTION_END { NULL, NULL, NULL }
/* clang-format on */

extern const struct cmd cmd_attach, cmd_bench, cmd_call, cmd_cert, cmd_kill, cmd_node, cmd_nodes,
    cmd_send, cmd_spawn, cmd_stop, cmd_whereis;

/* ---- options.c: what stands on the command line --------------------------------------------- */

struct option_given {
    const struct cmd_option *option;
    const char *value; /* NULL for a flag */
    const char *where; /* "FILE:LINE" when it comes from a file; else NULL */
};

struct options {
    const struct cmd *cmd;
    struct option_given *given; /* in the order given */
    size_t given_count;
    const char **word; /* the arguments that are no options */
    size_t word_count;
    bool help;   /* --help or -h was among them */
    char **text; /* texts that the entries above point into, when not argv's */
    size_t text_count;
};

/* Sorts argv (borrowed until options_fini) into options and words. Returns 0, or the exit status
 * after a message. Options may stand anywhere before "--". */
int options_parse(struct options *options, const struct cmd *cmd, int argc, char **argv);
/* Reads more options from a file, one a line: "name value", "name=value", "name"; # comments.
 * They count as given before those of the command line. Returns 0 or the exit status. */
int options_read(struct options *options, const char *path);
void options_fini(struct options *options);

bool options_has(const struct options *options, const char *name);
/* The last of one name, which counts; or NULL. And its value. */
const struct option_given *options_last(const struct options *options, const char *name);
const char *options_value(const struct options *options, const char *name);
/* Walks over all of one name: start with *cursor 0; NULL at the end. */
const struct option_given *options_next(const struct options *options, const char *name,
                                        size_t *cursor);
/* Cores that this process may run on, at most so many. */
uint64_t options_cores(uint64_t most);
/* The option's number, or `fallback`. Returns 0 or the exit status. */
int options_number(const struct options *options, const char *name, uint64_t min, uint64_t max,
                   uint64_t fallback, uint64_t *number);
/* The option's seconds as milliseconds, or `fallback_ms`. Returns 0 or the exit status. */
int options_seconds(const struct options *options, const char *name, uint32_t fallback_ms,
                    uint32_t *ms);
/* Checks that there are at least as many words as `names` (ends with NULL) and at most `max`. */
int options_words(const struct options *options, const char *const *names, size_t max);
/* "--name", or "FILE:LINE: name", for messages; in `text`. */
const char *options_where(const struct option_given *given, char *text, size_t cap);

/* ---- failure.c: one line on standard error, and the exit status ------------------------------ */

/* Says why `error` (RUSM_*) came about; why may be NULL or empty. Returns the exit status. */
int failure_report(const struct cmd *cmd, int error, const struct rusm_why *why);
/* Says the text and where to read on. Returns EXIT_USAGE. */
int failure_usage(const struct cmd *cmd, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Says the text. Returns `status`. */
int failure_say(const struct cmd *cmd, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- help.c
 * ----------------------------------------------------------------------------------- */

void help_overview(FILE *out, const struct cmd *const *commands);
void help_command(FILE *out, const struct cmd *cmd);
/* Shows the page rusm[-TOPIC](1) with man(1). False when there is no page or no man. */
bool help_page(const char *topic);
/* The command most like a misspelt word, or NULL. */
const struct cmd *help_guess(const struct cmd *const *commands, const char *word);

/* ---- output.c: tables
 * ------------------------------------------------------------------------- */

struct output {
    bool json;   /* one object a line, at once */
    bool person; /* standard output is a terminal: units */
    bool color;
    struct output_column *column;
    size_t columns;
    char **cell; /* row by row */
    size_t cells, cells_cap;
};

void output_init(struct output *out, bool json);
int output_row(void *output, const struct rusm_field *fields, size_t count); /* a rusm_row_fn */
void output_end(struct output *out); /* prints what was gathered and frees it */
/* One row as "NAME at ADDRESS, column value", the head line of attach; a rusm_row_fn. */
int output_head(void *output, const struct rusm_field *fields, size_t count);
bool output_says(void); /* whether standard error is a terminal, where hints are of use */

/* ---- target.c: who a command is for
 * ------------------------------------------------------------ */

struct target {
    struct rusm_client *client; /* rusm_client_close */
    const char *process;        /* NULL when the command names none */
    bool global;
    size_t rest; /* index of the first word that is not part of the target */
};

/* Opens the node that the words or --global and --via name; honours --timeout. Returns 0 or the
 * exit status. */
int target_process(const struct options *options, struct target *target);
int target_node(const struct options *options, const char *node, struct rusm_client **client);
/* The node named by --via, or any that answers of those known here. */
int target_any(const struct options *options, struct rusm_client **client);

/* ---- input.c: where a message comes from
 * -------------------------------------------------------- */

/* Opens --file, or standard input (with a hint on a terminal). Gives *fd; 0 is not to be closed. */
int input_open(const struct options *options, int *fd);
/* One message: the words from `first` on joined by a space, else all of --file or of standard
 * input. Gives *data (free). Returns 0 or the exit status. */
int input_message(const struct options *options, size_t first, char **data, size_t *len);
/* Calls each(context, line, len) for every line of fd, without its newline, and idle(context) when
 * the input has nothing more for now and every second while it has not. */
int input_lines(const struct options *options, int fd, int (*each)(void *, const char *, size_t),
                int (*idle)(void *), void *context);

/* ---- detach.c: a node in the background
 * -------------------------------------------------------- */

struct detach {
    int pipe; /* to the parent: what it prints before it returns 0; closed without: failed */
};

/* Forks. True in the parent, once the child is ready or has ended, and when there is no child:
 * *status is then the exit status. False in the child, in a session of its own, with no input and
 * no descriptors but standard output, standard error and the pipe. */
bool detach_start(const struct cmd *cmd, struct detach *detach, int *status);
/* Turns output and error into `log`, then lets the parent print the line and end. */
void detach_ready(struct detach *detach, const char *line, int log);

/* ---- signals.c: what makes a node leave
 * ---------------------------------------------------------- */

struct signals {
    sigset_t set;
    pthread_t thread;
    struct rusm_node *node;
};

/* Blocks the signals in this thread and all that it will start; ignores SIGPIPE. */
void signals_block(struct signals *signals);
/* Starts the thread that stops the node when a signal comes, until signals_end. 0 or an error. */
int signals_start(struct signals *signals, struct rusm_node *node);
void signals_end(struct signals *signals);

#endif
