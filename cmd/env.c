/* env: the environment that --env and --env-file give to the programs of a node. */
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENV_BLANK " \t"

static int env_memory(const struct options *options)
{
    return failure_report(options->cmd, RUSM_ENOMEM, NULL);
}

/* Adds NAME=VALUE, or NAME with the value that it has here. `where` is for a message. Returns 0 or
 * the exit status. */
static int env_add(const struct options *options, struct env *env, const char *where,
                   const char *text)
{
    const char *value = strchr(text, '=') ? "" : getenv(text);
    char **grown;
    int len;

    if (!value) {
        return failure_say(options->cmd, EXIT_USAGE,
                           "%s: the variable '%s' is not set here: set it, or write %s=VALUE",
                           where, text, text);
    }
    grown = reallocarray(env->entry, env->count + 2, sizeof(*grown));
    if (!grown) {
        return env_memory(options);
    }
    env->entry = grown;
    env->entry[env->count + 1] = NULL;
    len = asprintf(&env->entry[env->count], strchr(text, '=') ? "%s%s" : "%s=%s", text, value);
    if (len < 0) {
        env->entry[env->count] = NULL;
        return env_memory(options);
    }
    env->count++;
    return 0;
}

/* Takes a line of a file, without its newline. */
static int env_line(const struct options *options, struct env *env, const char *where, char *line,
                    size_t len)
{
    if (strlen(line) != len) {
        return failure_say(options->cmd, EXIT_USAGE,
                           "%s contains a NUL byte: it must be a text file", where);
    }
    if (len > 0 && line[len - 1] == '\r') {
        line[len - 1] = '\0';
    }
    line += strspn(line, ENV_BLANK);
    if (line[0] == '\0' || line[0] == '#') {
        return 0;
    }
    size_t name = strcspn(line, "=" ENV_BLANK);
    if (name == 0 || line[name] != '=') {
        return failure_say(options->cmd, EXIT_USAGE, "%s: not NAME=VALUE", where);
    }
    return env_add(options, env, where, line);
}

static int env_file(const struct options *options, struct env *env, const char *path)
{
    size_t number = 0, cap = 0;
    char *line = NULL, where[4200];
    FILE *file = fopen(path, "re");
    ssize_t len;
    int status = 0;

    while (file && status == 0 && (len = getline(&line, &cap, file)) >= 0) {
        snprintf(where, sizeof(where), "%s:%zu", path, ++number);
        if (len > 0 && line[len - 1] == '\n') {
            line[--len] = '\0';
        }
        status = env_line(options, env, where, line, (size_t)len);
    }
    if (status == 0 && (!file || ferror(file))) {
        status =
            failure_say(options->cmd, EXIT_FAILED, "cannot read '%s': %s", path, strerror(errno));
    }
    free(line);
    if (file) {
        fclose(file);
    }
    return status;
}

int env_read(const struct options *options, struct env *env)
{
    const struct option_given *given;
    char where[4300];
    size_t cursor = 0;
    int status = 0;

    *env = (struct env){ 0 };
    while (status == 0 && (given = options_next(options, "env-file", &cursor))) {
        status = env_file(options, env, given->value);
    }
    cursor = 0;
    while (status == 0 && (given = options_next(options, "env", &cursor))) {
        status = env_add(options, env, options_where(given, where, sizeof(where)), given->value);
    }
    return status;
}

void env_free(struct env *env)
{
    for (size_t i = 0; i < env->count; i++) {
        free(env->entry[i]);
    }
    free(env->entry);
    *env = (struct env){ 0 };
}
