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

static int path_set(struct rundir *r, const char *base, struct rusm_why *why)
{
    char here[PATH_MAX] = "";
    size_t len = strlen(base);

    while (len > 1 && base[len - 1] == '/') {
        len--; /* with a slash at the end, lstat would follow a symlink */
    }
    if (base[0] != '/' && !getcwd(here, sizeof(here))) {
        return err_why(why, RUSM_EIO, "run folder %s: %s", base, strerror(errno));
    }
    int n =
        snprintf(r->path, sizeof(r->path), "%s%s%.*s", here, here[0] ? "/" : "", (int)len, base);
    if (n < 0 || (size_t)n >= sizeof(r->path)) {
        return err_why(why, RUSM_EINVAL, "the run folder's path is too long");
    }
    return 0;
}

/* Checks that a folder is ours alone. */
static int folder_check(const char *path, struct rusm_why *why)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        bool none = errno == ENOENT || errno == ENOTDIR;
        return err_why(why, none ? RUSM_ENOPROC : RUSM_EIO, "run folder %s: %s", path,
                       strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        return err_why(why, RUSM_EREFUSED, "run folder %s is %s: remove it, or set RUSM_RUNDIR",
                       path, S_ISLNK(st.st_mode) ? "a symbolic link" : "not a folder");
    }
    if (st.st_uid != geteuid()) {
        return err_why(why, RUSM_EREFUSED,
                       "run folder %s belongs to another user: set RUSM_RUNDIR to one of yours",
                       path);
    }
    if (st.st_mode & 077) {
        return err_why(why, RUSM_EREFUSED, "run folder %s is open to others: chmod 700 %s", path,
                       path);
    }
    return 0;
}

int rundir_check(const struct rundir *r, bool create, struct rusm_why *why)
{
    if (create && mkdir(r->path, 0700) != 0 && errno != EEXIST) {
        return err_why(why, RUSM_EIO, "cannot make the run folder %s: %s%s", r->path,
                       strerror(errno), rundir_files_cure(errno));
    }
    return folder_check(r->path, why);
}

/* ---- which folder ---- */

/* Where the run folder may be when it is not named, best first. A path that does not fit is left
 * out: "". */
struct places {
    char path[RUNDIR_PLACES][RUNDIR_PLACE_MAX];
};

enum { PLACE_RUN, PLACE_TMP, PLACE_USER, PLACE_XDG, PLACE_TMPDIR };

/* Is anything there, and is it ours? A symlink counts as what it is. */
enum owner { OWNER_NONE, OWNER_WE, OWNER_OTHER };

static enum owner owner_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) != 0 ? OWNER_NONE : st.st_uid == geteuid() ? OWNER_WE : OWNER_OTHER;
}

static void place_set(struct places *p, int place, const char *base, const char *format)
{
    unsigned long uid = geteuid();
    char tail[64];

    snprintf(tail, sizeof(tail), format, uid);
    int n = base && base[0] == '/' ? snprintf(p->path[place], RUNDIR_PLACE_MAX, "%s%s", base, tail)
                                   : -1;
    if (n < 0 || n >= RUNDIR_PLACE_MAX) {
        p->path[place][0] = '\0';
    }
}

static void places_set(struct places *p, const char *run, const char *tmp)
{
    place_set(p, PLACE_RUN, run, "/rusm-%lu");
    place_set(p, PLACE_TMP, tmp, "/rusm-%lu");
    place_set(p, PLACE_USER, run, "/user/%lu/rusm");
    place_set(p, PLACE_XDG, getenv("XDG_RUNTIME_DIR"), "/rusm");
    place_set(p, PLACE_TMPDIR, getenv("TMPDIR"), "/rusm-%lu");
}

/* Tries one of the places. Returns as rundir_check. */
static int place_try(struct rundir *r, const struct places *p, int place, bool create,
                     struct rusm_why *why)
{
    snprintf(r->path, sizeof(r->path), "%s", p->path[place]);
    return rundir_check(r, create, why);
}

static int place_choose(struct rundir *r, const struct places *p, bool create, struct rusm_why *why)
{
    enum owner run = owner_of(p->path[PLACE_RUN]);

    if (run != OWNER_NONE) {
        return place_try(r, p, PLACE_RUN, create, why); /* only root can have made it */
    }
    if (create && geteuid() == 0 && place_try(r, p, PLACE_RUN, true, NULL) == 0) {
        return 0;
    }
    int error = place_try(r, p, PLACE_TMP, create, why);
    if (error == 0 || owner_of(p->path[PLACE_TMP]) == OWNER_WE) {
        return error;
    }
    /* Anybody may have made that in /tmp. They must not keep us from running. */
    if (place_try(r, p, PLACE_USER, create, NULL) == 0) {
        return 0;
    }
    int named = error == RUSM_ENOPROC && geteuid() == 0 ? PLACE_RUN : PLACE_TMP;
    snprintf(r->path, sizeof(r->path), "%s", p->path[named]);
    return error;
}

static bool is_same(const char *a, const char *b)
{
    struct stat x, y;

    return lstat(a, &x) == 0 && lstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* Lists the other places that can be trusted. */
static void places_also(struct rundir *r, const struct places *p)
{
    for (int i = 0; i < RUNDIR_PLACES; i++) {
        bool known =
            !p->path[i][0] || folder_check(p->path[i], NULL) != 0 || is_same(p->path[i], r->path);
        for (unsigned k = 0; k < r->also_count && !known; k++) {
            known = is_same(p->path[i], r->also[k]);
        }
        if (!known) {
            memcpy(r->also[r->also_count++], p->path[i], RUNDIR_PLACE_MAX);
        }
    }
}

int rundir_open_under(struct rundir *r, const char *run, const char *tmp, bool create,
                      struct rusm_why *why)
{
    struct places places;

    *r = RUNDIR_NONE;
    places_set(&places, run, tmp);
    int error = place_choose(r, &places, create, why);
    if (error && (create || error != RUSM_ENOPROC)) {
        return error;
    }
    places_also(r, &places);
    return r->also_count > 0 ? 0 : error;
}

int rundir_open(struct rundir *r, const char *given, bool create, struct rusm_why *why)
{
    *r = RUNDIR_NONE;
    if (!given || !given[0]) {
        given = getenv("RUSM_RUNDIR");
    }
    if (!given || !given[0]) {
        return rundir_open_under(r, "/run", "/tmp", create, why);
    }
    int error = path_set(r, given, why);
    return error ? error : rundir_check(r, create, why);
}

void rundir_print(const struct rundir *r, char *text, size_t cap)
{
    size_t len = (size_t)snprintf(text, cap, "%s", r->path);

    for (unsigned i = 0; i < r->also_count && len < cap; i++) {
        len += (size_t)snprintf(text + len, cap - len, ", %s", r->also[i]);
    }
}
