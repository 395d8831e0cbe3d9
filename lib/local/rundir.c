/* rundir: entries. See the header. rundir_open.c finds the folder, and rundir_lock.c tells who has
 * a name. A node calls this when it starts and stops, every few seconds, and when it looks for
 * other nodes. Clients call it too. Any thread, no shared state. */
#include "local/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/id.h"
#include "local/rundir_files.h"

#define ENTRY_MAX 8192 /* bytes of a NAME.json; ours have about 250 */

/* Makes the text of an entry, which the caller frees. Returns NULL without memory. */
static char *entry_encode(const struct rundir_entry *entry)
{
    char incarnation[9];

    snprintf(incarnation, sizeof(incarnation), "%x", entry->incarnation);
    json_t *json = json_pack("{s:s, s:s, s:I, s:s, s:s}", "name", entry->name, "address",
                             entry->address, "os_pid", (json_int_t)entry->os_pid, "incarnation",
                             incarnation, "fingerprint", entry->fingerprint);
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    return text;
}

int rundir_publish(struct rundir *r, const struct rundir_entry *entry, struct rusm_why *why)
{
    char path[RUNDIR_FILES_PATH], aside[RUNDIR_FILES_PATH];
    char *text = entry_encode(entry);

    if (!text) {
        return RUSM_ENOMEM;
    }
    rundir_files_path(r->path, ".", entry->name, ".new", aside);
    rundir_files_path(r->path, "", entry->name, ".json", path);
    int fd = rundir_files_write(path, aside, text, strlen(text));
    if (fd < 0) {
        fd = err_why(why, fd, "cannot write %s: %s%s", path, strerror(errno),
                     rundir_files_cure(errno));
    } else {
        if (r->json_fd >= 0) {
            close(r->json_fd);
        }
        r->json_fd = fd;
        r->json_size = (int64_t)strlen(text);
        fd = 0;
    }
    free(text);
    return fd;
}

void rundir_write(int fd, const struct rundir_entry *entry)
{
    char *text = entry_encode(entry);

    if (text && ftruncate(fd, 0) == 0) {
        (void)!pwrite(fd, text, strlen(text), 0);
    }
    free(text);
}

static bool hex_only(const char *text, size_t least, size_t most)
{
    size_t len = strspn(text, "0123456789abcdef");

    return text[len] == '\0' && len >= least && len <= most;
}

static int entry_decode(const char *text, size_t len, const char *name, struct rundir_entry *out)
{
    const char *said, *address, *incarnation, *fingerprint;
    json_int_t os_pid;
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    int error = RUSM_EMALFORMED;

    if (json &&
        json_unpack(json, "{s:s, s:s, s:I, s:s, s:s}", "name", &said, "address", &address, "os_pid",
                    &os_pid, "incarnation", &incarnation, "fingerprint", &fingerprint) == 0 &&
        strcmp(said, name) == 0 && id_host_port_ok(address, strlen(address)) && os_pid > 0 &&
        os_pid <= INT_MAX && hex_only(incarnation, 1, 8) && hex_only(fingerprint, 64, 64)) {
        *out = (struct rundir_entry){ .os_pid = os_pid };
        snprintf(out->name, sizeof(out->name), "%s", name);
        snprintf(out->address, sizeof(out->address), "%s", address);
        snprintf(out->fingerprint, sizeof(out->fingerprint), "%s", fingerprint);
        out->incarnation = (uint32_t)strtoul(incarnation, NULL, 16);
        error = out->incarnation != 0 ? 0 : RUSM_EMALFORMED;
    }
    json_decref(json);
    return error;
}

int rundir_read(const char *path, const char *name, struct rundir_entry *out)
{
    char text[ENTRY_MAX];
    ssize_t len = rundir_files_read(path, text, sizeof(text));

    return len < 0 ? (int)len : entry_decode(text, (size_t)len, name, out);
}

int rundir_find_in(const char *folder, const char *name, struct rundir_entry *out)
{
    char path[RUNDIR_FILES_PATH];

    if (!rundir_files_name_ok(name)) {
        return RUSM_ENOPROC;
    }
    rundir_files_path(folder, "", name, ".json", path);
    int error = rundir_read(path, name, out);
    if (!error) {
        rundir_files_path(folder, "", name, ".lock", path);
        out->alive = rundir_files_locked(path);
    }
    return error;
}

int rundir_find(const struct rundir *r, const char *name, struct rundir_entry *out)
{
    struct rundir_entry other;
    int error = rundir_find_in(r->path, name, out);

    for (unsigned i = 0; i < r->also_count && (error || !out->alive); i++) {
        int got = rundir_find_in(r->also[i], name, &other);
        if (got == 0 && (error || other.alive)) {
            *out = other;
            error = 0;
        }
    }
    return error;
}

/* Copies the NAME of NAME.json. Returns false if the file has another kind of name. */
static bool entry_name(const char *file, char name[RUSM_NODE_NAME_MAX + 1])
{
    static const char suffix[] = ".json";
    size_t len = strlen(file), tail = sizeof(suffix) - 1;

    if (len <= tail || strcmp(file + len - tail, suffix) != 0 ||
        !id_node_name_ok(file, len - tail)) {
        return false;
    }
    memcpy(name, file, len - tail);
    name[len - tail] = '\0';
    return true;
}

/* By name; a live one first. */
static int entry_order(const void *a, const void *b)
{
    const struct rundir_entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : (int)y->alive - (int)x->alive;
}

/* What rundir_list has read so far. */
struct entries {
    struct rundir_entry *list;
    size_t count, cap;
};

/* Reads a folder. There may be none. */
static int entries_read(struct entries *e, const char *folder)
{
    char name[RUSM_NODE_NAME_MAX + 1];
    DIR *dir = opendir(folder);
    int error = 0;

    if (!dir) {
        return errno == ENOENT ? 0 : RUSM_EIO;
    }
    for (struct dirent *d = readdir(dir); d && !error; d = readdir(dir)) {
        if (!entry_name(d->d_name, name)) {
            continue;
        }
        if (e->count == e->cap) {
            size_t cap = e->cap ? 2 * e->cap : 16;
            struct rundir_entry *more = realloc(e->list, cap * sizeof(*more));
            if (!more) {
                error = RUSM_ENOMEM;
                continue;
            }
            e->list = more;
            e->cap = cap;
        }
        e->count += rundir_find_in(folder, name, &e->list[e->count]) == 0;
    }
    closedir(dir);
    return error;
}

/* Sorts the entries, and drops stale ones of a name that comes before them. */
static void entries_sort(struct entries *e)
{
    size_t kept = 0;

    if (e->count > 0) {
        qsort(e->list, e->count, sizeof(*e->list), entry_order);
    }
    for (size_t i = 0; i < e->count; i++) {
        const struct rundir_entry *entry = &e->list[i];
        if (kept > 0 && !entry->alive && strcmp(e->list[kept - 1].name, entry->name) == 0) {
            continue;
        }
        e->list[kept++] = *entry;
    }
    e->count = kept;
}

int rundir_list(const struct rundir *r, struct rundir_entry **out, size_t *count)
{
    struct entries e = { .list = NULL };
    int error = entries_read(&e, r->path);

    for (unsigned i = 0; i < r->also_count && !error; i++) {
        error = entries_read(&e, r->also[i]);
    }
    *out = NULL;
    *count = 0;
    if (error) {
        free(e.list);
        return error;
    }
    entries_sort(&e);
    *out = e.list;
    *count = e.count;
    return 0;
}
