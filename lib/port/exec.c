/* exec: see the header. On the node's thread; port.c calls it. */
#include "port/exec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "port/limits.h"
#include "port/worker.h"

static const struct framing *const exec_framings[] = { &framing_lines, &framing_len,
                                                       &framing_json };

static const struct framing *exec_framing(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(exec_framings) / sizeof(*exec_framings); i++) {
        if (strlen(exec_framings[i]->word) == len &&
            memcmp(exec_framings[i]->word, word, len) == 0) {
            return exec_framings[i];
        }
    }
    return NULL;
}

/* Parses +WORD: a framing, or a terminal (pty) instead of pipes. */
static int exec_word(const char *word, size_t len, struct exec *e, struct rusm_why *why)
{
    const struct framing *framing = exec_framing(word, len);

    if (framing) {
        e->framing = framing;
        return 0;
    }
    if (len == 3 && memcmp(word, "pty", 3) == 0) {
        e->pty = true;
        return 0;
    }
    return err_why(why, RUSM_EINVAL, "exec+%.*s is unknown: write exec+json, exec+len or exec+pty",
                   (int)len, word);
}

/* Parses *COUNT: the number of programs. */
static int exec_count(const char *text, size_t len, struct exec *e, struct rusm_why *why)
{
    unsigned count = 0;

    for (size_t i = 0; i < len && count <= LIMIT_POOL; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return err_why(why, RUSM_EINVAL, "exec*%.*s: write a number of programs after the *",
                           (int)len, text);
        }
        count = count * 10 + (unsigned)(text[i] - '0');
    }
    if (count < 1 || count > LIMIT_POOL) {
        return err_why(why, RUSM_EINVAL, "exec*%.*s: a pool must have 1 to %d programs", (int)len,
                       text, LIMIT_POOL);
    }
    e->count = count;
    return 0;
}

/* Returns whether a word only prepares the program that a later word names: a variable for it, a
 * command that runs another one, or an option of that. */
static bool exec_prepares(const char *word, size_t len)
{
    static const char *const before[] = { "exec", "env", "stdbuf" };

    for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
        if (strlen(before[i]) == len && memcmp(before[i], word, len) == 0) {
            return true;
        }
    }
    return word[0] == '-' || memchr(word, '=', len);
}

/* Sets the name to the program's word without its folder, as a person would call it. */
static void exec_name(struct exec *e, const char *command)
{
    static const char blank[] = " \t\n", ends[] = " \t\n;|&<>()";
    size_t len, next;

    command += strspn(command, blank);
    while ((len = strcspn(command, ends)), (next = strspn(command + len, blank)) > 0 &&
                                               exec_prepares(command, len) &&
                                               strcspn(command + len + next, ends) > 0) {
        command += len + next;
    }
    for (size_t i = 0; i < len; i++) {
        if (command[i] == '/' && i + 1 < len) {
            command += i + 1;
            len -= i + 1;
            i = (size_t)-1;
        }
    }
    snprintf(e->name, sizeof(e->name), "exec:%.*s", (int)(len < 32 ? len : 32), command);
}

int exec_parse(const char *text, struct exec *out, const char **command, struct rusm_why *why)
{
    int error = 0;

    *out = (struct exec){ .framing = &framing_lines, .count = 1 };
    while (!error && *text && *text != ':') {
        size_t len = strcspn(text + 1, "+*:");
        error =
            *text == '+' ? exec_word(text + 1, len, out, why) : exec_count(text + 1, len, out, why);
        text += 1 + len;
    }
    if (error) {
        return error;
    }
    if (*text != ':' || !text[1 + strspn(text + 1, " \t\n")]) {
        return err_why(why, RUSM_EINVAL, "no command: write exec:COMMAND");
    }
    *command = text + 1;
    exec_name(out, *command);
    return 0;
}

static void exec_close(struct port *port)
{
    struct exec *e = container_of(port, struct exec, port);

    free(e->command);
    free(e);
}

static int exec_open(const char *text, struct port **port, struct rusm_why *why)
{
    struct exec *e = calloc(1, sizeof(*e)), parsed;
    const char *command;
    int error = e ? exec_parse(text, &parsed, &command, why) : RUSM_ENOMEM;

    if (!error) {
        *e = parsed;
        e->command = strdup(command);
        error = e->command ? 0 : RUSM_ENOMEM;
    }
    if (error) {
        free(e);
        return error == RUSM_ENOMEM ? err_why(why, error, "no memory") : error;
    }
    e->behaviour = (struct rusm_behaviour){ .name = e->name,
                                            .init = worker_init,
                                            .receive = worker_receive,
                                            .stop = worker_stop,
                                            .context = e };
    e->port.behaviour = &e->behaviour;
    *port = &e->port;
    return 0;
}

const struct port_kind port_exec = {
    .prefix = "exec", .after = ":+*", .open = exec_open, .close = exec_close
};
