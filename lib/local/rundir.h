/* rundir: the run folder. It lets the nodes of one machine and the commands find each other without
 * a daemon. NAME.json describes a node. A lock on NAME.lock, which the node holds as long as it
 * runs, says that it is alive. The file calls block. They are made at start, at stop and in
 * clients, and every few seconds a node looks whether its files are still there. */
#ifndef LOCAL_RUNDIR_H
#define LOCAL_RUNDIR_H

#include <stdbool.h>
#include <stdint.h>
#include "rusm.h"

#define RUNDIR_PATH_MAX 3072
#define RUNDIR_PLACES 5 /* where the run folder may be, see rundir_open */
#define RUNDIR_PLACE_MAX 512

/* The content of NAME.json. */
struct rundir_entry {
    char name[RUSM_NODE_NAME_MAX + 1];
    char address[300];    /* HOST:PORT to dial */
    char fingerprint[65]; /* of its cluster certificate */
    uint32_t incarnation;
    int64_t os_pid;
    bool alive; /* its lock is held */
};

struct rundir {
    char path[RUNDIR_PATH_MAX];
    char also[RUNDIR_PLACES][RUNDIR_PLACE_MAX]; /* other folders that are read, but not written */
    unsigned also_count;
    char name[RUSM_NODE_NAME_MAX + 1]; /* the node whose lock we hold; "": none */
    int lock_fd;                       /* -1: none */
    int json_fd;                       /* the NAME.json that we wrote, to know it again; -1: none */
    int64_t json_size;                 /* its bytes */
    int twin_fd;                       /* the lock of a node that waits for its name; -1: none */
};

#define RUNDIR_NONE                                 \
    (struct rundir)                                 \
    {                                               \
        .lock_fd = -1, .json_fd = -1, .twin_fd = -1 \
    }

/* Finds the folder: GIVEN, else $RUSM_RUNDIR, else /run/rusm-UID if it is there or root can make
 * it, else /tmp/rusm-UID, else /run/user/UID/rusm, if /tmp/rusm-UID cannot be made or somebody else
 * has made it. The last one comes and goes with the user's logins. So the rule does not ask for a
 * login: what cron starts, a shell finds. Unless the folder was named, the others of these are read
 * too, and so are $XDG_RUNTIME_DIR/rusm and $TMPDIR/rusm-UID, where earlier versions put it.
 *
 * Makes the folder with mode 0700 if `create`. Checks that it is a folder and no symlink, that it
 * is ours, and that its mode is 0700; others that are not so are not read. Returns 0, RUSM_EREFUSED
 * if a check fails (the text says what to do), RUSM_EIO, RUSM_EINVAL if the path is too long, or
 * RUSM_ENOPROC if there is no folder and `create` is false. */
int rundir_open(struct rundir *r, const char *given, bool create, struct rusm_why *why);
/* The same when nothing is given, with other folders for /run and /tmp. */
int rundir_open_under(struct rundir *r, const char *run, const char *tmp, bool create,
                      struct rusm_why *why);
/* Prints the folders that are read, with commas. */
void rundir_print(const struct rundir *r, char *text, size_t cap);
/* Checks the folder of an opened rundir again, and makes it if `create`. Returns as rundir_open. */
int rundir_check(const struct rundir *r, bool create, struct rusm_why *why);
/* Takes the lock on a node's name. Returns 0, RUSM_EINVAL if it is not a valid name, RUSM_EEXIST if
 * a live node has it, here or in one of the other folders (the text has its pid and address), or
 * RUSM_EIO. */
int rundir_lock(struct rundir *r, const char *name, struct rusm_why *why);
/* Writes NAME.json under another name and renames it. Returns 0, RUSM_EIO (disk full, ...) or
 * RUSM_ENOMEM. */
int rundir_publish(struct rundir *r, const struct rundir_entry *entry, struct rusm_why *why);
/* Looks whether the files of a node that has published ENTRY are still there, and writes them
 * again if they are not. Returns 0 if all is well, 1 if it has written them, RUSM_EEXIST if a
 * second node of the name runs (the text tells each of the two which the other is), or an error of
 * rundir_open or rundir_publish. It may be called again after each of them. */
int rundir_keep(struct rundir *r, const struct rundir_entry *entry, struct rusm_why *why);
/* Removes NAME.json and NAME.lock, unless they are another node's by now, and releases the lock, if
 * we hold it. */
void rundir_close(struct rundir *r);

/* Finds one entry by name: a live one, else any. It is stale if `alive` is false. Returns 0,
 * RUSM_ENOPROC if there is no file, or RUSM_EMALFORMED. */
int rundir_find(const struct rundir *r, const char *name, struct rundir_entry *out);
/* The same in one folder. */
int rundir_find_in(const char *folder, const char *name, struct rundir_entry *out);
/* Reads an entry from a file, without `alive`. Returns as rundir_find. */
int rundir_read(const char *path, const char *name, struct rundir_entry *out);
/* Overwrites an open file with an entry. If that fails, rundir_read says so later. */
void rundir_write(int fd, const struct rundir_entry *entry);
/* Gives *out, all entries sorted by name, stale ones too, and the caller frees it. Skips malformed
 * files, and stale ones of a name that is listed already. Returns 0, RUSM_EIO or RUSM_ENOMEM. */
int rundir_list(const struct rundir *r, struct rundir_entry **out, size_t *count);
/* Removes the files of a stale entry, unless somebody holds the lock by now. */
void rundir_clean(const struct rundir *r, const char *name);

#endif
