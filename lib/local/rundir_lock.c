/* rundir_lock: who has a node's name. A node is alive as long as it holds the lock on NAME.lock.
 * Somebody may remove the files under it (a cleaner of old files, an operator), and then a second
 * node of the name can start. So a node looks at its files from time to time and writes them again.
 * If a second node has the name by then, the first one waits with the lock on .NAME.twin, where the
 * second one sees it. See rundir.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/err.h"
#include "local/rundir.h"
#include "local/rundir_files.h"

#define LOCK_TRIES 10 /* another process that cleans up holds a lock only for a moment */
#define LOCK_PAUSE_NS 2000000

/* The files of a node, by their paths. */
struct files {
    char json[RUNDIR_FILES_PATH], lock[RUNDIR_FILES_PATH], twin[RUNDIR_FILES_PATH];
};

static void files_of(const char *folder, const char *name, struct files *f)
{
    rundir_files_path(folder, "", name, ".json", f->json);
    rundir_files_path(folder, "", name, ".lock", f->lock);
    rundir_files_path(folder, ".", name, ".twin", f->twin);
}

/* Removes the files of a node whose lock we hold. The lock file goes last, so that nobody sees the
 * entry without a lock. */
static void files_remove(const struct files *f)
{
    unlink(f->json);
    unlink(f->lock);
}

static int lock_patiently(const char *path)
{
    const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
    int fd = rundir_files_lock(path);

    for (int tries = 1; fd == RUSM_EEXIST && tries < LOCK_TRIES; tries++) {
        nanosleep(&pause, NULL);
        fd = rundir_files_lock(path);
    }
    return fd;
}

static int lock_failed(const char *path, struct rusm_why *why)
{
    return err_why(why, RUSM_EIO, "cannot lock %s: %s%s", path, strerror(errno),
                   rundir_files_cure(errno));
}

static int name_taken(const char *name, const struct rundir_entry *by, struct rusm_why *why)
{
    return err_why(why, RUSM_EEXIST,
                   "a node '%s' is running already (process %lld at %s): choose another name, "
                   "or stop it with 'rusm stop %s' or 'kill %lld'",
                   name, (long long)by->os_pid, by->address, name, (long long)by->os_pid);
}

/* Does a node in one of the other folders have the name? */
static int name_free(const struct rundir *r, const char *name, struct rusm_why *why)
{
    struct rundir_entry other;

    for (unsigned i = 0; i < r->also_count; i++) {
        if (rundir_find_in(r->also[i], name, &other) == 0 && other.alive) {
            return name_taken(name, &other, why);
        }
    }
    return 0;
}

int rundir_lock(struct rundir *r, const char *name, struct rusm_why *why)
{
    struct files f;
    struct rundir_entry other;

    if (!rundir_files_name_ok(name)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a node's name", name);
    }
    int error = name_free(r, name, why);
    if (error) {
        return error;
    }
    files_of(r->path, name, &f);
    int fd = lock_patiently(f.lock);
    if (fd == RUSM_EEXIST) {
        if (rundir_find_in(r->path, name, &other) != 0) {
            return err_why(why, RUSM_EEXIST,
                           "a node '%s' is starting already in %s: choose another name, or try "
                           "again when it has started",
                           name, r->path);
        }
        return name_taken(name, &other, why);
    }
    if (fd < 0) {
        return lock_failed(f.lock, why);
    }
    /* A node of this name may have left its entry behind. Nobody must take it for ours. */
    unlink(f.json);
    r->lock_fd = fd;
    snprintf(r->name, sizeof(r->name), "%s", name);
    return 0;
}

static void twin_end(struct rundir *r, const struct files *f)
{
    if (r->twin_fd >= 0) {
        if (rundir_files_same(r->twin_fd, f->twin)) {
            unlink(f->twin);
        }
        close(r->twin_fd);
        r->twin_fd = -1;
    }
}

void rundir_close(struct rundir *r)
{
    struct files f;

    if (r->lock_fd >= 0) {
        /* What is there now may be another node's, which has our name because our files were
         * removed. */
        files_of(r->path, r->name, &f);
        bool own = rundir_files_same(r->lock_fd, f.lock);
        if (own || rundir_files_same(r->json_fd, f.json)) {
            unlink(f.json);
        }
        if (own) {
            unlink(f.lock);
        }
        twin_end(r, &f);
        close(r->lock_fd);
    }
    if (r->json_fd >= 0) {
        close(r->json_fd);
    }
    r->lock_fd = r->json_fd = -1;
    r->name[0] = '\0';
}

static void clean_in(const char *folder, const char *name)
{
    struct files f;

    files_of(folder, name, &f);
    if (access(f.json, F_OK) != 0 && access(f.lock, F_OK) != 0) {
        return;
    }
    int fd = rundir_files_lock(f.lock);
    if (fd >= 0) {
        files_remove(&f);
        close(fd);
    }
}

void rundir_clean(const struct rundir *r, const char *name)
{
    if (!rundir_files_name_ok(name)) {
        return;
    }
    clean_in(r->path, name);
    for (unsigned i = 0; i < r->also_count; i++) {
        clean_in(r->also[i], name);
    }
}

/* ---- while the node runs ---- */

/* Another node has our name. Waits for its end where it sees us, and tells which node it is. */
static int twin_wait(struct rundir *r, const struct files *f, const struct rundir_entry *entry,
                     struct rusm_why *why)
{
    struct rundir_entry other;

    if (rundir_find_in(r->path, r->name, &other) != 0 || !other.alive ||
        other.incarnation == entry->incarnation) {
        return 0; /* it has not published itself yet, or it only cleans up: we look again */
    }
    if (!rundir_files_same(r->twin_fd, f->twin)) {
        twin_end(r, f);
        int fd = rundir_files_lock(f->twin);
        r->twin_fd = fd >= 0 ? fd : -1;
        if (fd >= 0) {
            rundir_write(fd, entry);
        }
    }
    return err_why(why, RUSM_EEXIST,
                   "a second node '%s' runs (process %lld at %s): our files in the run folder %s "
                   "were removed, and it took the name: stop one of the two, this one with 'kill "
                   "%lld'",
                   r->name, (long long)other.os_pid, other.address, r->path,
                   (long long)entry->os_pid);
}

/* We have the name. Does another node of the name wait for it? */
static int twin_look(const struct rundir *r, const struct files *f, struct rusm_why *why)
{
    struct rundir_entry other;

    if (access(f->twin, F_OK) != 0) {
        return 0;
    }
    if (!rundir_files_locked(f->twin)) {
        unlink(f->twin); /* its node was killed */
        return 0;
    }
    if (rundir_read(f->twin, r->name, &other) != 0) {
        return 0; /* half written: we look again */
    }
    return err_why(why, RUSM_EEXIST,
                   "a second node '%s' runs (process %lld at %s): its files in the run folder %s "
                   "were removed, so that this one could start: stop one of the two, that one "
                   "with 'kill %lld'",
                   r->name, (long long)other.os_pid, other.address, r->path,
                   (long long)other.os_pid);
}

/* Returns whether NAME.json is as we wrote it. */
static bool json_kept(const struct rundir *r, const struct files *f)
{
    struct stat st;

    return rundir_files_same(r->json_fd, f->json) && fstat(r->json_fd, &st) == 0 &&
           st.st_size == r->json_size;
}

int rundir_keep(struct rundir *r, const struct rundir_entry *entry, struct rusm_why *why)
{
    struct files f;

    if (r->lock_fd < 0) {
        return RUSM_EINVAL;
    }
    files_of(r->path, r->name, &f);
    if (!rundir_files_same(r->lock_fd, f.lock)) {
        int error = rundir_check(r, true, why);
        if (error) {
            return error;
        }
        int fd = rundir_files_lock(f.lock);
        if (fd == RUSM_EEXIST) {
            return twin_wait(r, &f, entry, why);
        }
        if (fd < 0) {
            return lock_failed(f.lock, why);
        }
        close(r->lock_fd);
        r->lock_fd = fd;
        twin_end(r, &f);
    } else if (json_kept(r, &f)) {
        return twin_look(r, &f, why);
    }
    int error = rundir_publish(r, entry, why);
    return error ? error : 1;
}
