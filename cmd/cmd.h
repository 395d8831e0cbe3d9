/* cmd.h: what the files of cmd/ share. A subcommand is one const struct cmd in the table of main.c
 * and one small file. cmd/ sees the library through rusm.h alone: any program can do what a command
 * can. Everything runs on the main thread, except the thread that signals.c starts. */
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
    EXIT_WARNINGS = 7, /* of diagnose, which found some */
    EXIT_ERRORS = 8,
};

struct options;

struct cmd_option {
    const char *name;  /* without the dashes */
    const char *value; /* the value's name in the help; NULL: the option is a flag */
    const char *help;  /* one line */
};

struct cmd {
    const char *name;
    const char *synopsis;                /* the words after "rusm NAME", one form a line */
    const char *summary;                 /* one line for the list of commands */
    const struct cmd_option *options;    /* ends with OPTION_END; the parser adds --help */
    int (*run)(struct options *options); /* returns the exit status */
};

/* The versions of clang-format format these lines differently. */
/* clang-format off */
#define OPTION_TIMEOUT { "timeout", "SECONDS", "wait at most this long; fractions are fine [5]" }
#define OPTION_JSON { "json", NULL, "print JSON, one object a line" }
#define OPTION_GLOBAL \
    { "global", "NAME", "the process with this global name, instead of NODE PROCESS" }
#define OPTION_VIA { "via", "NODE", "ask this node for the global name [any of the run folder]" }
#define OPTION_INTERVAL { "interval", "SECONDS", "ask the node this often; fractions are fine [1]" }
#define OPTION_COUNT { "count", "N", "end after this many refreshes [never]" }
#define OPTION_END { NULL, NULL, NULL }
/* clang-format on */

extern const struct cmd cmd_attach, cmd_bench, cmd_call, cmd_cert, cmd_completion, cmd_diagnose,
    cmd_kill, cmd_node, cmd_nodes, cmd_send, cmd_spawn, cmd_stop, cmd_top, cmd_trace, cmd_wait,
    cmd_whereis;

/* ---- options.c: the command line --------------------------------------------------------- */

struct option_given {
    const struct cmd_option *option;
    const char *value; /* NULL: the option is a flag */
    const char *where; /* "FILE:LINE" of an option from a file; else NULL */
};

struct options {
    const struct cmd *cmd;
    struct option_given *given; /* in the order given */
    size_t given_count;
    const char **word; /* the arguments that are not options */
    size_t word_count;
    bool help;   /* --help or -h was given */
    char **text; /* owns the texts of the entries above that are not in argv */
    size_t text_count;
};

/* If the options of a node ask for a log in JSON, makes errors in the other options JSON too. */
void options_json(const struct cmd *cmd, int argc, char **argv);
/* Sorts argv into options and words. Borrows argv until options_fini. Options may stand anywhere
 * before "--". Returns 0, or the exit status after a message. */
int options_parse(struct options *options, const struct cmd *cmd, int argc, char **argv);
/* Reads more options from a file, one a line: "name value", "name=value" or "name". "#" begins a
 * comment line. The options count as given before those of the command line. Returns 0 or the exit
 * status. */
int options_read(struct options *options, const char *path);
void options_fini(struct options *options);

bool options_has(const struct options *options, const char *name);
/* Return the last option of that name, which is the one that counts, and its value. NULL: not
 * given. */
const struct option_given *options_last(const struct options *options, const char *name);
const char *options_value(const struct options *options, const char *name);
/* Returns the next option of that name, or NULL at the end. Start with *cursor 0. */
const struct option_given *options_next(const struct options *options, const char *name,
                                        size_t *cursor);
/* Gives the option's number, or `fallback` if it was not given. Returns 0 or the exit status. */
int options_number(const struct options *options, const char *name, uint64_t min, uint64_t max,
                   uint64_t fallback, uint64_t *number);
/* Gives the option's seconds as milliseconds, or `fallback_ms` if it was not given. Returns 0 or
 * the exit status. */
int options_seconds(const struct options *options, const char *name, uint32_t fallback_ms,
                    uint32_t *ms);
/* Checks that there is a word for each of `names` (which ends with NULL), and that there are at
 * most `max` words. Returns 0 or the exit status. */
int options_words(const struct options *options, const char *const *names, size_t max);
/* Writes the option's place for a message into `text`: "--name" or "FILE:LINE: name". Returns
 * text. */
const char *options_where(const struct option_given *given, char *text, size_t cap);

/* ---- failure.c: one line on standard error, and the exit status -------------------------- */

/* Returns the exit status of an error (RUSM_*). */
int failure_status(int error);
/* Makes all lines about a node JSON from now on, as those of its log are, and that of a bug too. Or
 * makes them text. The environment keeps it: RUSM_LOG_FORMAT, which the user may set too. */
void failure_json(bool json);
bool failure_is_json(void);
/* Prints a line of a log in JSON. Returns false if it could not. */
bool failure_line(const char *node, const char *text);
/* Prints why the error `error` (RUSM_*) happened. `why` may be NULL or empty. Returns the exit
 * status. */
int failure_report(const struct cmd *cmd, int error, const struct rusm_why *why);
/* Prints the text and the command that shows the help. Returns EXIT_USAGE. */
int failure_usage(const struct cmd *cmd, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints the text. Returns `status`. */
int failure_say(const struct cmd *cmd, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- help.c: usage and manual pages ------------------------------------------------------ */

void help_overview(FILE *out, const struct cmd *const *commands);
void help_command(FILE *out, const struct cmd *cmd);
/* Shows the page rusm(1), or rusm-TOPIC(1), with man(1). Returns false if there is no page or no
 * man. */
bool help_page(const char *topic);
/* Returns the command that is most like a misspelt word, or NULL. */
const struct cmd *help_guess(const struct cmd *const *commands, const char *word);
/* Returns the command's option that is most like a misspelt one, without the dashes, or NULL. */
const char *help_guess_option(const struct cmd *cmd, const char *word);

/* ---- completion.c: what shells offer ------------------------------------------------------- */

/* Prints candidates for the last of the words behind "rusm", and perhaps other words: the shell
 * takes those that begin as the last one does. The line ":files" stands for files. Returns the exit
 * status. */
int completion_candidates(const struct cmd *const *commands, int count, char **words);

/* ---- output.c: tables -------------------------------------------------------------------- */

struct output {
    bool json;   /* prints one object a line, each at once */
    bool person; /* standard output is a terminal: print units */
    bool color;
    struct output_column *column;
    size_t columns;
    char **cell; /* row by row */
    size_t cells, cells_cap;
};

void output_init(struct output *out, bool json);
int output_row(void *output, const struct rusm_field *fields, size_t count); /* a rusm_row_fn */
/* Prints one row as JSON, on a line. Returns 0, RUSM_ENOMEM or RUSM_EIO. */
int output_object(FILE *to, const struct rusm_field *fields, size_t count);
void output_end(struct output *out); /* prints the gathered rows and frees them */
/* Prints one row as "NAME at ADDRESS, column value". This is the head line of attach. A
 * rusm_row_fn. */
int output_head(void *output, const struct rusm_field *fields, size_t count);
/* Returns a copy of a text from a node, without bytes that could control a terminal. Unless
 * `blanks`, replaces its blanks. The caller frees it. */
char *output_clean(const char *text, bool blanks);
/* Returns the text of a field in a table, which the caller frees. */
char *output_cell(const struct output *out, const struct rusm_field *field);
bool output_says(void); /* standard error is a terminal, so hints are useful */

/* ---- target.c: the node and process that a command is for -------------------------------- */

struct target {
    struct rusm_client *client; /* close it with rusm_client_close */
    const char *process;        /* NULL: the command names none */
    bool global;
    size_t rest; /* index of the first word behind the target */
};

/* Open the node that the words name, or that --global and --via name. All calls of the client end
 * within --timeout from here on. Return 0 or the exit status. */
int target_process(const struct options *options, struct target *target);
int target_node(const struct options *options, const char *node, struct rusm_client **client);
/* Opens the node that --via names, or else the first one known here that answers. */
int target_any(const struct options *options, struct rusm_client **client);

/* ---- watch: a node as it changes ---------------------------------------------------------- */

/* Shows a table of the node that the first word names, until the user ends it. by: the column that
 * it is sorted by; NULL: the usual one. Honours OPTION_INTERVAL, OPTION_COUNT, OPTION_JSON and
 * OPTION_TIMEOUT. Returns the exit status. */
int watch_run(const struct options *options, enum rusm_table table, const char *by);

/* ---- input.c: where a message comes from ------------------------------------------------- */

/* Opens --file, or else standard input, with a hint on a terminal. Gives *fd. Do not close it if it
 * is 0. */
int input_open(const struct options *options, int *fd);
/* Gives one message: the words from `first` on, joined by spaces, or else all of --file or of
 * standard input. The caller frees *data. Returns 0 or the exit status. */
int input_message(const struct options *options, size_t first, char **data, size_t *len);
/* Calls each(context, line, len) for every line of fd, without its newline. Calls idle(context)
 * when no more input is there for now, and then every second until there is. */
int input_lines(const struct options *options, int fd, int (*each)(void *, const char *, size_t),
                int (*idle)(void *), void *context);

/* ---- follow.c: the events of a node -------------------------------------------------------- */

/* Prints the events of the node as they happen, until a signal comes or nobody reads them. Returns
 * the exit status. */
int follow_events(const struct options *options, const char *node);
/* Prints what happens to the messages of a process, for so many milliseconds at most (0: no end).
 * Returns the exit status. */
int follow_trace(const struct options *options, struct rusm_client *client,
                 const struct rusm_trace *what, uint32_t seconds_ms);

/* ---- env.c: what the programs of a node get ---------------------------------------------- */

struct env {
    char **entry; /* "NAME=VALUE", then NULL; NULL: there are none */
    size_t count;
};

/* Reads the files of --env-file, then the variables of --env. Returns 0 or the exit status. In both
 * cases the caller calls env_free. */
int env_read(const struct options *options, struct env *env);
void env_free(struct env *env);

/* ---- detach.c: a node in the background -------------------------------------------------- */

struct detach {
    /* Leads to the parent. The parent prints what the child writes, and returns 0. If the child
     * closes the pipe without a word, it has failed. */
    int pipe;
    int terminal; /* what standard error was before the log; -1: still is */
};

/* Forks. Returns true in the parent, once the child is ready or has ended, and also if there is no
 * child. *status is the exit status then. Returns false in the child. The child has a session of
 * its own, no input, and no descriptors but standard output, standard error and the pipe. */
bool detach_start(const struct cmd *cmd, struct detach *detach, int *status);
/* Keeps the terminal, which standard error leads to now, for detach_say. */
void detach_keep(struct detach *detach);
/* Says on the terminal what is in the log too. */
void detach_say(const struct detach *detach, const struct cmd *cmd, const char *text);
/* Lets the parent print the line and end. */
void detach_ready(struct detach *detach, const char *line);

/* ---- cores.c: how many threads are of use here ------------------------------------------- */

/* Returns the least quota of CPU time of this process's control groups in cores, rounded up.
 * UINT64_MAX: there is none. Reads the files of /proc and /sys below `root`. */
uint64_t cores_quota(const char *root);
/* Returns the number of cores that this process may use, by its affinity and its quota: 1 to
 * `most`. */
uint64_t cores_usable(uint64_t most);

/* ---- reaper.c: who reaps orphans in a container ------------------------------------------ */

/* Forks if orphans become children of this process (PID 1, child subreaper). Returns true in the
 * parent, which reaps, once the node has ended. *status is the exit status then. Returns false
 * where the node is to run. */
bool reaper_start(const struct cmd *cmd, int *status);

/* ---- notify.c: what systemd is told ------------------------------------------------------ */

/* Makes the node tell that it runs and when it leaves, if somebody wants to know. */
void notify_watch(struct rusm_node_options *how);
/* Tells that the node is ready, or ready again, and where. */
void notify_ready(const struct rusm_node *node);
void notify_reloading(void);

/* ---- logfile.c: the files that a node writes to ------------------------------------------ */

#define LOGFILE_PATH 4096

struct logfile {
    char path[LOGFILE_PATH];
    int fd[3]; /* those that lead to it; the first is its own */
    size_t fds;
    bool complained; /* that it cannot be opened again */
};

struct logfiles {
    pthread_mutex_t lock;
    struct rusm_node *node; /* whose log takes what goes wrong; NULL: none */
    struct logfile log, output;
    uint64_t max; /* bytes of the log, until it is renamed; 0: any number */
};

/* No file is open yet. */
void logfile_init(struct logfiles *all, uint64_t max);
/* Opens one of the two files, to append to it. Returns 0, or the exit status after a message. */
int logfile_open(struct logfiles *all, struct logfile *file, const struct cmd *cmd,
                 const char *path);
/* Makes another descriptor lead to the open file: standard output or standard error. */
void logfile_lead(struct logfiles *all, struct logfile *file, int fd);
/* The node that logs what goes wrong from now on; NULL: none. */
void logfile_node(struct logfiles *all, struct rusm_node *node);
/* Opens the files again, by their paths. For struct signals. */
void logfile_reopen(void *logfiles);
/* If the log is larger than it may be, renames it to FILE.1 and opens it anew. Opens anew what was
 * removed. For struct signals. */
void logfile_look(void *logfiles);
void logfile_fini(struct logfiles *all);

/* ---- signals.c: the signals that a node gets --------------------------------------------- */

struct signals {
    sigset_t set;
    pthread_t thread;
    pthread_mutex_t lock;
    struct rusm_node *node;            /* NULL: not yet, or no longer */
    bool served;                       /* there was a node */
    char name[RUSM_NODE_NAME_MAX + 1]; /* its name */
    void (*reopen)(void *context);     /* at SIGHUP; NULL: the node leaves, as at SIGTERM */
    void (*look)(void *context);       /* every two seconds; NULL: nothing */
    void *context;
};

/* Blocks the signals in this thread and in all threads that it starts later. Ignores SIGPIPE. The
 * caller sets reopen, look and context after it. */
void signals_block(struct signals *signals);
/* Starts the thread that waits for signals, until signals_end. Before signals_node a signal ends
 * the program. Returns 0 or RUSM_ENOMEM. */
int signals_start(struct signals *signals);
/* The node that signals stop from now on; NULL: none. */
void signals_node(struct signals *signals, struct rusm_node *node);
void signals_end(struct signals *signals);

#endif
