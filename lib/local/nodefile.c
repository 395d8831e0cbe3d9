/* nodefile: see the header. */
#include "local/nodefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"

#define BLANK " \t\r\n"

int nodefile_path(const char *identity, char *path, size_t cap)
{
    const char *slash = strrchr(identity, '/');
    int n = snprintf(path, cap, "%.*snodes", slash ? (int)(slash - identity + 1) : 0, identity);

    return n >= 0 && (size_t)n < cap ? 0 : RUSM_EINVAL;
}

/* Decodes a line. Returns 1 if it is an entry, 0 if it is empty, or RUSM_EMALFORMED. */
static int line_decode(char *line, size_t len, struct nodefile_entry *out)
{
    char *save = NULL;

    if (strlen(line) != len) {
        return RUSM_EMALFORMED; /* it contains a NUL */
    }
    line[strcspn(line, "#")] = '\0';
    const char *name = strtok_r(line, BLANK, &save), *address = strtok_r(NULL, BLANK, &save);
    if (!name) {
        return 0;
    }
    if (!address || strtok_r(NULL, BLANK, &save) || !id_node_name_ok(name, strlen(name)) ||
        !id_host_port_ok(address, strlen(address))) {
        return RUSM_EMALFORMED;
    }
    snprintf(out->name, sizeof(out->name), "%s", name);
    snprintf(out->address, sizeof(out->address), "%s", address);
    return 1;
}

static int lines_read(FILE *f, const char *path, struct nodefile_entry **list, size_t *count,
                      struct rusm_why *why)
{
    char *line = NULL;
    size_t line_cap = 0, cap = 0, number = 0;
    ssize_t len;
    int got = 0;

    while (got >= 0 && (len = getline(&line, &line_cap, f)) >= 0) {
        number++;
        if (*count == cap) {
            cap = cap ? 2 * cap : 16;
            struct nodefile_entry *more = realloc(*list, cap * sizeof(**list));
            if (!more) {
                got = RUSM_ENOMEM;
                break;
            }
            *list = more;
        }
        got = line_decode(line, (size_t)len, &(*list)[*count]);
        if (got < 0) {
            err_why(why, got, "%s, line %zu: write NAME HOST:PORT", path, number);
        }
        *count += got > 0;
    }
    free(line);
    if (got >= 0 && ferror(f)) {
        got = err_why(why, RUSM_EIO, "cannot read %s: %s", path, strerror(errno));
    }
    return got < 0 ? got : 0;
}

int nodefile_read(const char *path, struct nodefile_entry **out, size_t *count,
                  struct rusm_why *why)
{
    struct nodefile_entry *list = NULL;
    size_t n = 0;
    FILE *f = fopen(path, "re");

    *out = NULL;
    *count = 0;
    if (!f) {
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : err_why(why, RUSM_EIO, "cannot read %s: %s", path, strerror(errno));
    }
    int error = lines_read(f, path, &list, &n, why);
    fclose(f);
    if (error) {
        free(list);
        return error;
    }
    *out = list;
    *count = n;
    return 0;
}
