/* secret: see the header. Called by gateway/token and quic/identity. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"

static bool group_is_ours(gid_t group)
{
    int count = getgroups(0, NULL);
    gid_t *groups = count > 0 ? calloc((size_t)count, sizeof(*groups)) : NULL;
    bool ours = group == getegid();

    count = groups ? getgroups(count, groups) : 0;
    for (int i = 0; i < count && !ours; i++) {
        ours = groups[i] == group;
    }
    free(groups);
    return ours;
}

/* Returns whether an orchestrator may have mounted the file for us: root's, for a group of ours to
 * read. A root of our own with such a file in its own group has been careless, unless nobody can
 * write to it. */
static bool is_mounted(const struct stat *st)
{
    return st->st_uid == 0 && (st->st_mode & 037) == 0 && group_is_ours(st->st_gid) &&
           (geteuid() != 0 || st->st_gid != getegid() || !(st->st_mode & 0200));
}

static int check(const struct secret_kind *kind, const char *path, int fd, struct rusm_why *why)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return err_why(why, RUSM_EREFUSED,
                       "%s %s is not a regular file: give the path of a regular file", kind->name,
                       path);
    }
    if (is_mounted(&st)) {
        return 0;
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return err_why(why, RUSM_EREFUSED,
                       "%s %s belongs to another user: make a copy of your own. "
                       "Run: install -m 600 %s COPY",
                       kind->name, path, path);
    }
    if (st.st_mode & 077) {
        bool ours = st.st_uid == geteuid();
        return err_why(why, RUSM_EREFUSED, "%s %s can be %s by others. %s: chmod %s %s", kind->name,
                       path, st.st_mode & 022 ? "changed" : "read", ours ? "Run" : "Run as root",
                       ours ? "600" : "440", path);
    }
    return 0;
}

static int read_all(const struct secret_kind *kind, const char *path, int fd, char *text,
                    size_t cap, size_t *len, struct rusm_why *why)
{
    for (;;) {
        char one_more;
        ssize_t n = *len < cap ? read(fd, text + *len, cap - *len) : read(fd, &one_more, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_why(why, RUSM_EREFUSED, "%s %s cannot be read: %s", kind->name, path,
                           strerror(errno));
        }
        if (n == 0) {
            return 0;
        }
        if (*len == cap) {
            return err_why(why, RUSM_EMALFORMED, "%s %s is too large: is it the right file?",
                           kind->name, path);
        }
        *len += (size_t)n;
    }
}

int secret_read(const struct secret_kind *kind, const char *path, char *text, size_t cap,
                size_t *len, struct rusm_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block us */
    int error;

    *len = 0;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return err_why(why, RUSM_EREFUSED, "no %s at %s: %s", kind->name, path, kind->missing);
    }
    if (fd < 0 && errno == EACCES) {
        return err_why(
            why, RUSM_EREFUSED,
            "cannot read %s %s: %s. Make it a file of your own, mode 600, or one of root "
            "and a group of yours, mode 440",
            kind->name, path, strerror(errno));
    }
    if (fd < 0) {
        return err_why(why, RUSM_EREFUSED, "cannot read %s %s: %s", kind->name, path,
                       strerror(errno));
    }
    error = check(kind, path, fd, why);
    error = error ? error : read_all(kind, path, fd, text, cap, len, why);
    close(fd);
    return error;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool secret_changed(const char *path, struct secret_stamp *stamp)
{
    struct secret_stamp was = *stamp;
    struct stat st;

    *stamp = (struct secret_stamp){ 0 };
    if (stat(path, &st) == 0) {
        *stamp = (struct secret_stamp){ .device = st.st_dev,
                                        .inode = st.st_ino,
                                        .size = st.st_size,
                                        .modified = st.st_mtim,
                                        .changed = st.st_ctim };
    }
    return was.device != stamp->device || was.inode != stamp->inode || was.size != stamp->size ||
           !same_time(was.modified, stamp->modified) || !same_time(was.changed, stamp->changed);
}
