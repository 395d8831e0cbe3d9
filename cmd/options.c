/* options: the only parser of command lines, and of the file that --config names. The table of a
 * command says which options there are. The command decides how many may be given and what they
 * mean. */
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *options_grow(void *array, size_t count, size_t size)
{
    void *grown = reallocarray(array, count, size);

    if (!grown) {
        exit(failure_say(NULL, EXIT_FAILED, "%s", rusm_strerror(RUSM_ENOMEM)));
    }
    return grown;
}

static const struct cmd_option *options_find(const struct cmd *cmd, const char *name, size_t len)
{
    for (const struct cmd_option *o = cmd->options; o->name; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

static void options_add(struct options *options, struct option_given given)
{
    options->given = options_grow(options->given, options->given_count + 1, sizeof(given));
    options->given[options->given_count++] = given;
}

static int options_unknown(const struct cmd *cmd, const char *arg, const char *equals)
{
    char word[64] = "";
    const char *guess;

    if (strncmp(arg, "--", 2) == 0) {
        snprintf(word, sizeof(word), "%.*s", equals ? (int)(equals - arg - 2) : 63, arg + 2);
    }
    guess = help_guess_option(cmd, word);
    return failure_usage(cmd, "unknown option '%.*s'%s%s%s",
                         equals && arg[1] == '-' ? (int)(equals - arg) : (int)strlen(arg), arg,
                         guess ? ", did you mean '--" : "", guess ? guess : "", guess ? "'?" : "");
}

/* Takes the option argv[*at] and its value, which may be the next argument. */
static int options_take(struct options *options, int argc, char **argv, int *at)
{
    const char *arg = argv[*at];
    const char *name = arg + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    struct option_given given = { 0 };

    if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0) {
        options->help = true;
        return 0;
    }
    given.option = strncmp(arg, "--", 2) == 0 ? options_find(options->cmd, name, len) : NULL;
    if (!given.option) {
        return options_unknown(options->cmd, arg, equals);
    }
    if (!given.option->value) {
        if (equals) {
            return failure_usage(options->cmd, "option '--%s' takes no value", given.option->name);
        }
    } else if (equals) {
        given.value = equals + 1;
    } else if (*at + 1 < argc) {
        given.value = argv[++*at];
    } else {
        return failure_usage(options->cmd, "option '--%s' needs a value: %s", given.option->name,
                             given.option->value);
    }
    options_add(options, given);
    return 0;
}

void options_json(const struct cmd *cmd, int argc, char **argv)
{
    static const char option[] = "--log-format=json";
    const size_t name_len = sizeof("--log-format") - 1;

    if (strcmp(cmd->name, "node") != 0) {
        return;
    }
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], option) == 0 ||
            (i + 1 < argc && strncmp(argv[i], option, name_len) == 0 && !argv[i][name_len] &&
             strcmp(argv[i + 1], option + name_len + 1) == 0)) {
            failure_json(true);
        }
    }
}

int options_parse(struct options *options, const struct cmd *cmd, int argc, char **argv)
{
    bool words_only = false;

    *options = (struct options){ .cmd = cmd };
    options->word = options_grow(NULL, (size_t)argc + 1, sizeof(*options->word));
    for (int i = 0; i < argc; i++) {
        if (words_only || argv[i][0] != '-' || argv[i][1] == '\0') {
            options->word[options->word_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            words_only = true;
        } else {
            int status = options_take(options, argc, argv, &i);
            if (status != 0) {
                return status;
            }
        }
    }
    return 0;
}

/* ---- the file ---- */

/* Copies a text. The copy lives as long as the options. */
static const char *options_keep(struct options *options, const char *text)
{
    char *copy = strdup(text);

    options->text = options_grow(options->text, options->text_count + 1, sizeof(*options->text));
    if (!copy) {
        exit(failure_say(NULL, EXIT_FAILED, "%s", rusm_strerror(RUSM_ENOMEM)));
    }
    options->text[options->text_count++] = copy;
    return copy;
}

static int options_line(struct options *options, const char *where, char *line)
{
    static const char blank[] = " \t\r\n";
    struct option_given given = { .where = where };
    size_t len, end = strlen(line);

    while (end > 0 && strchr(blank, line[end - 1])) {
        line[--end] = '\0';
    }
    line += strspn(line, blank);
    if (line[0] == '\0' || line[0] == '#') {
        return 0;
    }
    len = strcspn(line, " \t=");
    given.option = options_find(options->cmd, line, len);
    if (!given.option || strcmp(given.option->name, "config") == 0) {
        return failure_say(options->cmd, EXIT_USAGE, "%s: unknown option '%.*s'", where, (int)len,
                           line);
    }
    line += len;
    line += strspn(line, " \t");
    if (*line == '=') {
        line++;
        line += strspn(line, " \t");
    }
    if (given.option->value && *line == '\0') {
        return failure_say(options->cmd, EXIT_USAGE, "%s: option '%s' needs a value: %s", where,
                           given.option->name, given.option->value);
    }
    if (!given.option->value && *line != '\0') {
        return failure_say(options->cmd, EXIT_USAGE, "%s: option '%s' takes no value", where,
                           given.option->name);
    }
    given.value = given.option->value ? options_keep(options, line) : NULL;
    options_add(options, given);
    return 0;
}

int options_read(struct options *options, const char *path)
{
    struct option_given *later = options->given;
    size_t later_count = options->given_count, number = 0, cap = 0;
    char *line = NULL;
    int status = 0;
    FILE *file = fopen(path, "re");

    if (!file) {
        return failure_say(options->cmd, EXIT_FAILED, "cannot read '%s': %s", path,
                           strerror(errno));
    }
    options->given = NULL;
    options->given_count = 0;
    while (status == 0 && getline(&line, &cap, file) >= 0) {
        char where[4200];
        snprintf(where, sizeof(where), "%s:%zu", path, ++number);
        status = options_line(options, options_keep(options, where), line);
    }
    if (status == 0 && ferror(file)) {
        status =
            failure_say(options->cmd, EXIT_FAILED, "cannot read '%s': %s", path, strerror(errno));
    }
    for (size_t i = 0; i < later_count; i++) {
        options_add(options, later[i]);
    }
    free(later);
    free(line);
    fclose(file);
    return status;
}

void options_fini(struct options *options)
{
    for (size_t i = 0; i < options->text_count; i++) {
        free(options->text[i]);
    }
    free(options->text);
    free(options->word);
    free(options->given);
    *options = (struct options){ 0 };
}

/* ---- what was given ---- */

const struct option_given *options_next(const struct options *options, const char *name,
                                        size_t *cursor)
{
    while (*cursor < options->given_count) {
        const struct option_given *given = &options->given[(*cursor)++];
        if (strcmp(given->option->name, name) == 0) {
            return given;
        }
    }
    return NULL;
}

const struct option_given *options_last(const struct options *options, const char *name)
{
    const struct option_given *given, *last = NULL;
    size_t cursor = 0;

    while ((given = options_next(options, name, &cursor))) {
        last = given;
    }
    return last;
}

bool options_has(const struct options *options, const char *name)
{
    return options_last(options, name) != NULL;
}

const char *options_value(const struct options *options, const char *name)
{
    const struct option_given *last = options_last(options, name);

    return last ? last->value : NULL;
}

const char *options_where(const struct option_given *given, char *text, size_t cap)
{
    if (given->where) {
        snprintf(text, cap, "%s: %s", given->where, given->option->name);
    } else {
        snprintf(text, cap, "--%s", given->option->name);
    }
    return text;
}

int options_number(const struct options *options, const char *name, uint64_t min, uint64_t max,
                   uint64_t fallback, uint64_t *number)
{
    const struct option_given *given = options_last(options, name);
    char where[4300], *end;

    *number = fallback;
    if (!given) {
        return 0;
    }
    errno = 0;
    *number = strtoull(given->value, &end, 10);
    if (errno != 0 || given->value[0] < '0' || given->value[0] > '9' || *end != '\0' ||
        *number < min || *number > max) {
        return failure_say(options->cmd, EXIT_USAGE,
                           "%s: '%s' is not a whole number from %llu to %llu",
                           options_where(given, where, sizeof(where)), given->value,
                           (unsigned long long)min, (unsigned long long)max);
    }
    return 0;
}

int options_seconds(const struct options *options, const char *name, uint32_t fallback_ms,
                    uint32_t *ms)
{
    const struct option_given *given = options_last(options, name);
    char where[4300];
    double seconds;

    *ms = fallback_ms;
    if (!given) {
        return 0;
    }
    seconds = strtod(given->value, NULL);
    if (given->value[0] == '\0' || strspn(given->value, "0123456789.") != strlen(given->value) ||
        !(seconds >= 0.001 && seconds <= 1000000)) {
        return failure_say(options->cmd, EXIT_USAGE,
                           "%s: '%s' is not a number of seconds from 0.001 to 1000000",
                           options_where(given, where, sizeof(where)), given->value);
    }
    *ms = (uint32_t)(seconds * 1000 + 0.5);
    return 0;
}

int options_words(const struct options *options, const char *const *names, size_t max)
{
    for (size_t i = 0; names[i]; i++) {
        if (i >= options->word_count) {
            return failure_usage(options->cmd, "%s is missing", names[i]);
        }
    }
    if (options->word_count > max) {
        return failure_usage(options->cmd, "unexpected argument '%s'", options->word[max]);
    }
    return 0;
}
