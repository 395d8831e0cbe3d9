/* help: usage, the list of commands, manual pages, and guesses at misspelt commands. */
#include "cmd.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define HELP_WIDTH 80

void help_overview(FILE *out, const struct cmd *const *commands)
{
    fputs("usage: rusm COMMAND [OPTIONS] [ARGS]\n"
          "       rusm help [COMMAND]\n"
          "       rusm --version\n\n"
          "Distributed Erlang for any program.\n\n"
          "commands:\n",
          out);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("\nTo start: 'rusm node --name london', then, in another terminal,\n"
          "'rusm send london greeter hello'. 'rusm help COMMAND' opens its manual page.\n",
          out);
}

/* Prints one form of the usage. Breaks the line between its parts, never inside brackets. */
static void help_form(FILE *out, const char *lead, const char *name, const char *form, size_t len)
{
    size_t indent = strlen(lead) + strlen("rusm ") + strlen(name), column = indent;
    const char *end = form + len;

    fprintf(out, "%srusm %s", lead, name);
    while (form < end) {
        const char *part = form;
        int depth = 0;
        while (form < end && (depth > 0 || *form != ' ')) {
            depth += *form == '[' ? 1 : *form == ']' ? -1 : 0;
            form++;
        }
        if (column + 1 + (size_t)(form - part) > HELP_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        fprintf(out, " %.*s", (int)(form - part), part);
        column += 1 + (size_t)(form - part);
        form += form < end;
    }
    putc('\n', out);
}

static int help_width(const struct cmd_option *option)
{
    return (int)strlen(option->name) + (option->value ? 1 + (int)strlen(option->value) : 0);
}

void help_command(FILE *out, const struct cmd *cmd)
{
    const char *form = cmd->synopsis, *lead = "usage: ";
    int width = (int)strlen("help");

    for (;;) {
        size_t len = strcspn(form, "\n");
        help_form(out, lead, cmd->name, form, len);
        if (form[len] == '\0') {
            break;
        }
        form += len + 1;
        lead = "       ";
    }
    fprintf(out, "\n%c%s.\n\noptions:\n", cmd->summary[0] - 'a' + 'A', cmd->summary + 1);
    for (const struct cmd_option *o = cmd->options; o->name; o++) {
        width = help_width(o) > width ? help_width(o) : width;
    }
    for (const struct cmd_option *o = cmd->options; o->name; o++) {
        fprintf(out, "  --%s%s%s%*s  %s\n", o->name, o->value ? " " : "", o->value ? o->value : "",
                width - help_width(o), "", o->help);
    }
    fprintf(out, "  --%-*s  %s\n", width, "help", "print this; 'rusm help' opens the manual page");
}

/* ---- the manual page ---- */

/* Runs man and drops its error messages. Returns whether it showed a page. */
static bool help_man(const char *flag, const char *page)
{
    const char *argv[] = { "man", flag ? flag : page, flag ? page : NULL, NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;

    fflush(stdout);
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return false;
    }
    if (posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawnp(&pid, "man", &actions, NULL, (char **)(uintptr_t)argv, environ) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return false;
    }
    posix_spawn_file_actions_destroy(&actions);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool help_page(const char *topic)
{
    char page[64], path[PATH_MAX + 80];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

    snprintf(page, sizeof(page), "rusm%s%s", topic ? "-" : "", topic ? topic : "");
    if (len > 0) {
        char *slash;
        path[len] = '\0';
        slash = strrchr(path, '/');
        if (slash) {
            /* Look beside the binary first: a build that is not installed shows its own page. */
            snprintf(slash, sizeof(path) - (size_t)(slash - path), "/man/%s.1", page);
            if (access(path, R_OK) == 0) {
                return help_man("-l", path);
            }
        }
    }
    return help_man(NULL, page);
}

/* ---- guesses ---- */

/* Returns how many letters must be inserted, dropped, changed or swapped with the next one. */
static size_t help_distance(const char *a, const char *b)
{
    enum { MAX = 16 };
    size_t d[MAX + 1][MAX + 1], n = strlen(a), m = strlen(b);

    if (n > MAX || m > MAX) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            size_t best = i + j;
            if (i > 0 && j > 0) {
                best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
                best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
                best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            }
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best) {
                best = d[i - 2][j - 2] + 1;
            }
            d[i][j] = best;
        }
    }
    return d[n][m];
}

/* Keeps in *least how far the word is from the name, if it is less. Returns whether it is. */
static bool help_nearer(const char *word, const char *name, size_t *least)
{
    size_t distance = help_distance(word, name);

    if (strlen(word) >= 2 && strncmp(name, word, strlen(word)) == 0) {
        distance = 1;
    }
    if (distance >= *least || distance >= strlen(word)) {
        return false;
    }
    *least = distance;
    return true;
}

const struct cmd *help_guess(const struct cmd *const *commands, const char *word)
{
    const struct cmd *guess = NULL;
    size_t least = 3;

    for (size_t i = 0; commands[i]; i++) {
        if (help_nearer(word, commands[i]->name, &least)) {
            guess = commands[i];
        }
    }
    return guess;
}

const char *help_guess_option(const struct cmd *cmd, const char *word)
{
    const char *guess = NULL;
    size_t least = 3;

    for (const struct cmd_option *option = cmd->options; option->name; option++) {
        if (help_nearer(word, option->name, &least)) {
            guess = option->name;
        }
    }
    return guess;
}
