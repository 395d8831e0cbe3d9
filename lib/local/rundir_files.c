/* rundir_files: see the header. A lock is an open file description lock. The kernel releases it
 * however the process ends, and a forked child keeps it with its copy of the descriptor. */
#include "local/rundir_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "base/id.h"

void rundir_files_path(const char *folder, const char *prefix, const char *name, const char *suffix,
                       char path[RUNDIR_FILES_PATH])
{
    snprintf(path, RUNDIR_FILES_PATH, "%s/%s%s%s", folder, prefix, name, suffix);
}

bool rundir_files_name_ok(const char *name)
{
    return id_node_name_ok(name, strlen(name));
}

bool rundir_files_same(int fd, const char *path)
{
    struct stat open, there;

    return fd >= 0 && fstat(fd, &open) == 0 && lstat(path, &there) == 0 &&
           open.st_ino == there.st_ino && open.st_dev == there.st_dev;
}

static int write_all(int fd, const char *text, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0 && errno != EINTR) {
            return RUSM_EIO;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int rundir_files_write(const char *path, const char *aside, const char *text, size_t len)
{
    /* A full disk may show itself only when the file is closed. So a second descriptor is kept. */
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int kept = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int result = kept < 0 ? RUSM_EIO : write_all(fd, text, len), error = errno;

    if (fd >= 0 && close(fd) != 0 && result == 0) {
        result = RUSM_EIO;
        error = errno;
    }
    if (result == 0 && rename(aside, path) != 0) {
        result = RUSM_EIO;
        error = errno;
    }
    if (result == 0) {
        return kept;
    }
    if (kept >= 0) {
        close(kept);
    }
    if (fd >= 0) {
        unlink(aside);
    }
    errno = error;
    return result;
}

ssize_t rundir_files_read(const char *path, char *text, size_t cap)
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

int rundir_files_lock(const char *path)
{
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
        if (rundir_files_same(fd, path)) {
            return fd;
        }
        close(fd);
    }
}

bool rundir_files_locked(const char *path)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        return false;
    }
    bool held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

const char *rundir_files_cure(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT: return ": make room on its disk, or set RUSM_RUNDIR to a folder elsewhere";
    case EROFS:
    case EACCES:
    case EPERM:
    case ENOENT:
    case ENOTDIR: return ": set RUSM_RUNDIR to a folder that you can write";
    case ENOLCK:
    case EOPNOTSUPP: return ": set RUSM_RUNDIR to a folder on a disk of this machine";
    case ELOOP:
    case EISDIR: return ": remove it";
    case EMFILE:
    case ENFILE: return ": allow more open files (ulimit -n)";
    default: return "";
    }
}
