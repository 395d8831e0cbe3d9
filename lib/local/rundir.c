/* rundir: entries and locks. See the header. rundir_open.c finds the folder. A node calls this when
 * it starts and stops and when it looks for other nodes. Clients call it too. Any thread, no shared
 * state. A node is alive as long as its lock is held. It is an open file description lock. The
 * kernel releases it however the process ends, and a forked child keeps it with its copy of the
 * descriptor. */
#include "local/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/err.h"
#include "base/id.h"

#define ENTRY_MAX 8192 /* bytes of a NAME.json; ours have about 250 */
#define LOCK_TRIES 10  /* another process that cleans up holds a lock only for a moment */
#define LOCK_PAUSE_NS 2000000
#define FILE_PATH_MAX (sizeof(((struct rundir *)0)->path) + RUSM_NODE_NAME_MAX + 16)

static void file_path(const struct rundir *r, const char *prefix, const char *name,
                      const char *suffix, char path[FILE_PATH_MAX])
{
    snprintf(path, FILE_PATH_MAX, "%s/%s%s%s", r->path, prefix, name, suffix);
}

/* ---- locks ---- */

static bool name_ok(const char *name)
{
    return id_node_name_ok(name, strlen(name));
}

/* Does anybody hold the lock? Asks without taking it, so as not to get in the way of a node that
 * starts. */
static bool lock_held(const struct rundir *r, const char *name)
{
    char path[FILE_PATH_MAX];
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    file_path(r, "", name, ".lock", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    bool held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

/* Takes the lock. Returns the descriptor, RUSM_EEXIST if somebody holds it, or RUSM_EIO with errno
 * set. */
static int lock_take(const struct rundir *r, const char *name)
{
    char path[FILE_PATH_MAX];
    struct stat locked, there;

    file_path(r, "", name, ".lock", path);
    for (;;) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0) {
            return RUSM_EIO;
        }
        if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
            int error = errno;
            close(fd);
            errno = error;
            return error == EAGAIN || error == EACCES ? RUSM_EEXIST : RUSM_EIO;
        }
        /* The last holder may have removed the file between our open and our lock. */
        if (fstat(fd, &locked) == 0 && stat(path, &there) == 0 && locked.st_ino == there.st_ino &&
            locked.st_dev == there.st_dev) {
            return fd;
        }
        close(fd);
    }
}

/* Removes the files of a node whose lock we hold. The lock file goes last, so that nobody sees the
 * entry without a lock. */
static void files_remove(const struct rundir *r, const char *name)
{
    char path[FILE_PATH_MAX];

    file_path(r, "", name, ".json", path);
    unlink(path);
    file_path(r, "", name, ".lock", path);
    unlink(path);
}

int rundir_lock(struct rundir *r, const char *name, struct rusm_why *why)
{
    const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
    char path[FILE_PATH_MAX];
    struct rundir_entry other;

    if (!name_ok(name)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a node's name", name);
    }
    int fd = lock_take(r, name);
    for (int tries = 1; fd == RUSM_EEXIST && tries < LOCK_TRIES; tries++) {
        nanosleep(&pause, NULL);
        fd = lock_take(r, name);
    }
    if (fd == RUSM_EEXIST) {
        if (rundir_find(r, name, &other) != 0) {
            return err_why(why, RUSM_EEXIST, "a node '%s' is starting or running already", name);
        }
        return err_why(why, RUSM_EEXIST,
                       "a node '%s' is running already (process %lld at %s): choose another name, "
                       "or stop it with 'rusm stop %s'",
                       name, (long long)other.os_pid, other.address, name);
    }
    if (fd < 0) {
        return err_why(why, fd, "cannot lock %s/%s.lock: %s", r->path, name, strerror(errno));
    }
    /* A node of this name may have left its entry behind. Nobody must take it for ours. */
    file_path(r, "", name, ".json", path);
    unlink(path);
    r->lock_fd = fd;
    snprintf(r->name, sizeof(r->name), "%s", name);
    return 0;
}

void rundir_close(struct rundir *r)
{
    if (r->lock_fd >= 0) {
        files_remove(r, r->name);
        close(r->lock_fd);
    }
    r->lock_fd = -1;
    r->name[0] = '\0';
}

void rundir_clean(const struct rundir *r, const char *name)
{
    int fd = name_ok(name) ? lock_take(r, name) : RUSM_EINVAL;

    if (fd >= 0) {
        files_remove(r, name);
        close(fd);
    }
}

/* ---- entries ---- */

static int file_write(const char *path, const char *text, size_t len)
{
    size_t done = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return RUSM_EIO;
    }
    while (done < len) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    int error = errno;
    /* Only close may report a full disk. */
    int closed = close(fd);
    if (done < len) {
        errno = error;
    }
    return done == len && closed == 0 ? 0 : RUSM_EIO;
}

int rundir_publish(struct rundir *r, const struct rundir_entry *entry, struct rusm_why *why)
{
    char path[FILE_PATH_MAX], aside[FILE_PATH_MAX], incarnation[9];

    snprintf(incarnation, sizeof(incarnation), "%x", entry->incarnation);
    json_t *json = json_pack("{s:s, s:s, s:I, s:s, s:s}", "name", entry->name, "address",
                             entry->address, "os_pid", (json_int_t)entry->os_pid, "incarnation",
                             incarnation, "fingerprint", entry->fingerprint);
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    if (!text) {
        return RUSM_ENOMEM;
    }
    file_path(r, ".", entry->name, ".new", aside);
    file_path(r, "", entry->name, ".json", path);
    int error = file_write(aside, text, strlen(text));
    if (!error && rename(aside, path) != 0) {
        error = RUSM_EIO;
    }
    if (error) {
        error = err_why(why, error, "cannot write %s: %s", path, strerror(errno));
        unlink(aside);
    }
    free(text);
    return error;
}

/* Reads a file. Returns the number of bytes, RUSM_ENOPROC if there is no file, or RUSM_EMALFORMED
 * if it is too long, not a regular file or not readable. */
static ssize_t file_read(const char *path, char *text, size_t cap)
{
    struct stat st;
    size_t len = 0;
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        return errno == ENOENT ? RUSM_ENOPROC : RUSM_EMALFORMED;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        n = -1;
        errno = EINVAL;
    }
    while (n > 0 && len < cap) {
        n = read(fd, text + len, cap - len);
        if (n < 0 && errno == EINTR) {
            n = 1;
        } else if (n > 0) {
            len += (size_t)n;
        }
    }
    close(fd);
    return n == 0 ? (ssize_t)len : RUSM_EMALFORMED;
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

int rundir_find(const struct rundir *r, const char *name, struct rundir_entry *out)
{
    char path[FILE_PATH_MAX], text[ENTRY_MAX];

    if (!name_ok(name)) {
        return RUSM_ENOPROC;
    }
    file_path(r, "", name, ".json", path);
    ssize_t len = file_read(path, text, sizeof(text));
    if (len < 0) {
        return (int)len;
    }
    int error = entry_decode(text, (size_t)len, name, out);
    if (!error) {
        out->alive = lock_held(r, name);
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

static int entry_order(const void *a, const void *b)
{
    const struct rundir_entry *x = a, *y = b;

    return strcmp(x->name, y->name);
}

int rundir_list(const struct rundir *r, struct rundir_entry **out, size_t *count)
{
    struct rundir_entry *list = NULL;
    size_t n = 0, cap = 0;
    char name[RUSM_NODE_NAME_MAX + 1];
    int error = 0;
    DIR *dir = opendir(r->path);

    *out = NULL;
    *count = 0;
    if (!dir) {
        return RUSM_EIO;
    }
    for (struct dirent *d = readdir(dir); d; d = readdir(dir)) {
        if (!entry_name(d->d_name, name)) {
            continue;
        }
        if (n == cap) {
            cap = cap ? 2 * cap : 16;
            struct rundir_entry *more = realloc(list, cap * sizeof(*list));
            if (!more) {
                error = RUSM_ENOMEM;
                break;
            }
            list = more;
        }
        if (rundir_find(r, name, &list[n]) == 0) {
            n++;
        }
    }
    closedir(dir);
    if (error) {
        free(list);
        return error;
    }
    if (n > 0) {
        qsort(list, n, sizeof(*list), entry_order);
    }
    *out = list;
    *count = n;
    return 0;
}
