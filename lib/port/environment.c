/* environment: see the header. A program that runs for a node must not depend on who started the
 * node, or from which shell, and must not see secrets that are not meant for it. So it inherits few
 * variables, and gets others only when it is said. Any thread. */
#include "port/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"

/* The variables that a program inherits from the node, with all LC_*: whom it runs for, its
 * language, and where the rusm command finds this node. */
static const char *const environment_names[] = {
    "PATH", "HOME",   "USER",        "LOGNAME",       "SHELL",           "LANG",
    "TZ",   "TMPDIR", "RUSM_RUNDIR", "RUSM_IDENTITY", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"
};

/* The variables that the node sets for each program. The guard finds programs by RUSM_PID. */
static const char *const environment_own[] = { "RUSM_NODE", "RUSM_PID" };

static bool environment_among(const char *const *names, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool environment_wanted(const char *entry)
{
    size_t len = strcspn(entry, "=");

    if (entry[len] == '\0') {
        return false;
    }
    return environment_among(environment_names,
                             sizeof(environment_names) / sizeof(*environment_names), entry, len) ||
           (len > 3 && memcmp(entry, "LC_", 3) == 0);
}

int environment_check(const char *const *more, struct rusm_why *why)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    for (; more && *more; more++) {
        size_t len = strcspn(*more, "=");
        if (len == 0 || strspn(*more, letters) != len || (**more >= '0' && **more <= '9')) {
            return err_why(why, RUSM_EINVAL,
                           "'%.*s' is not the name of a variable: "
                           "use letters, digits and _, and no digit first",
                           (int)(len < 64 ? len : 64), *more);
        }
        if ((*more)[len] == '\0') {
            return err_why(why, RUSM_EINVAL, "the variable '%.64s' has no value: write NAME=VALUE",
                           *more);
        }
        if (environment_among(environment_own, sizeof(environment_own) / sizeof(*environment_own),
                              *more, len)) {
            return err_why(why, RUSM_EINVAL, "the node sets %.*s for each program itself", (int)len,
                           *more);
        }
    }
    return 0;
}

/* Adds an entry, or replaces the one with its name. Takes the entry, NULL too. Returns 0 or
 * RUSM_ENOMEM. */
static int environment_add(struct environment *e, char *entry)
{
    size_t len = entry ? strcspn(entry, "=") + 1 : 0;
    char **grown;

    for (size_t i = 0; entry && i < e->count; i++) {
        if (strncmp(e->entry[i], entry, len) == 0) {
            free(e->entry[i]);
            e->entry[i] = entry;
            return 0;
        }
    }
    grown = entry ? realloc(e->entry, (e->count + 3) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(entry);
        return RUSM_ENOMEM;
    }
    e->entry = grown;
    e->entry[e->count++] = entry;
    e->entry[e->count] = e->entry[e->count + 1] = NULL;
    return 0;
}

static int environment_pair(struct environment *e, const char *name, const char *value)
{
    size_t len = strlen(name), rest = strlen(value) + 1;
    char *entry = malloc(len + 1 + rest);

    if (entry) {
        memcpy(entry, name, len);
        entry[len] = '=';
        memcpy(entry + len + 1, value, rest);
    }
    return environment_add(e, entry);
}

int environment_init(struct environment *e, const char *node, const char *const *more)
{
    *e = (struct environment){ 0 };
    int error = environment_pair(e, "PATH", "/usr/local/bin:/usr/bin:/bin");
    for (char **one = environ; one && *one && !error; one++) {
        if (environment_wanted(*one)) {
            error = environment_add(e, strdup(*one));
        }
    }
    error = error ? error : environment_pair(e, "RUSM_NODE", node);
    error = error ? error : environment_pair(e, "TERM", "dumb"); /* no colours on a pty */
    error = error ? error : environment_pair(e, "PYTHONUNBUFFERED", "1");
    for (; more && *more && !error; more++) {
        error = environment_add(e, strdup(*more));
    }
    return error;
}

void environment_fini(struct environment *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->entry[i]);
    }
    free(e->entry);
    *e = (struct environment){ 0 };
}
