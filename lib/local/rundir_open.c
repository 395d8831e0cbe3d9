/* rundir_open: finds the run folder and checks that it can be trusted. See rundir.h. Any thread. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "local/rundir.h"
#include "local/rundir_files.h"

static int path_set(struct rundir *r, const char *base, const char *tail, struct rusm_why *why)
{
    char here[PATH_MAX] = "";
    size_t len = strlen(base);

    while (len > 1 && base[len - 1] == '/') {
        len--; /* with a slash at the end, lstat would follow a symlink */
    }
    if (base[0] != '/' && !getcwd(here, sizeof(here))) {
        return err_why(why, RUSM_EIO, "run folder %s: %s", base, strerror(errno));
    }
    int n = snprintf(r->path, sizeof(r->path), "%s%s%.*s%s", here, here[0] ? "/" : "", (int)len,
                     base, tail);
    if (n < 0 || (size_t)n >= sizeof(r->path)) {
        return err_why(why, RUSM_EINVAL, "the run folder's path is too long");
    }
    return 0;
}

static int path_find(struct rundir *r, const char *given, struct rusm_why *why)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
    char tail[32];

    if (!given || !given[0]) {
        given = getenv("RUSM_RUNDIR");
    }
    if (given && given[0]) {
        return path_set(r, given, "", why);
    }
    if (runtime && runtime[0] == '/') {
        return path_set(r, runtime, "/rusm", why);
    }
    snprintf(tail, sizeof(tail), "/rusm-%lu", (unsigned long)geteuid());
    return path_set(r, tmp && tmp[0] == '/' ? tmp : "/tmp", tail, why);
}

int rundir_check(const struct rundir *r, bool create, struct rusm_why *why)
{
    struct stat st;

    if (create && mkdir(r->path, 0700) != 0 && errno != EEXIST) {
        return err_why(why, RUSM_EIO, "cannot make the run folder %s: %s%s", r->path,
                       strerror(errno), rundir_files_cure(errno));
    }
    if (lstat(r->path, &st) != 0) {
        bool none = errno == ENOENT || errno == ENOTDIR;
        return err_why(why, none ? RUSM_ENOPROC : RUSM_EIO, "run folder %s: %s", r->path,
                       strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        return err_why(why, RUSM_EREFUSED, "run folder %s is %s: remove it, or set RUSM_RUNDIR",
                       r->path, S_ISLNK(st.st_mode) ? "a symbolic link" : "not a folder");
    }
    if (st.st_uid != geteuid()) {
        return err_why(why, RUSM_EREFUSED,
                       "run folder %s belongs to another user: set RUSM_RUNDIR to one of yours",
                       r->path);
    }
    if (st.st_mode & 077) {
        return err_why(why, RUSM_EREFUSED, "run folder %s is open to others: chmod 700 %s", r->path,
                       r->path);
    }
    return 0;
}

int rundir_open(struct rundir *r, const char *given, bool create, struct rusm_why *why)
{
    *r = RUNDIR_NONE;
    int error = path_find(r, given, why);
    return error ? error : rundir_check(r, create, why);
}
