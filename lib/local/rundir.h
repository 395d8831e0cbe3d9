/* rundir: the run folder, by which nodes of one machine and the commands find each other without a
 * daemon: NAME.json tells about a node, and a lock on NAME.lock, held for life, that it lives.
 * Blocking file calls; at start, at stop and in clients only. */
#ifndef LOCAL_RUNDIR_H
#define LOCAL_RUNDIR_H

#include <stdbool.h>
#include "rusm.h"

/* What NAME.json says. */
struct rundir_entry {
    char name[RUSM_NODE_NAME_MAX + 1];
    char address[300];    /* HOST:PORT to dial */
    char fingerprint[65]; /* of its cluster certificate */
    uint32_t incarnation;
    int64_t os_pid;
    bool alive; /* its lock is held */
};

struct rundir {
    char path[3072];
    char name[RUSM_NODE_NAME_MAX + 1]; /* whose lock we hold; "" none */
    int lock_fd;                       /* -1: none */
};

/* Finds the folder (given, else $RUSM_RUNDIR, else $XDG_RUNTIME_DIR/rusm, else a private folder
 * rusm-UID under $TMPDIR or /tmp), makes it if `create` (0700), and checks it: a folder, no
 * symlink, ours, 0700. RUSM_EREFUSED (why: the cure), RUSM_EIO; RUSM_ENOPROC: not there and not to
 * be made. */
int rundir_open(struct rundir *r, const char *given, bool create, struct rusm_why *why);
/* Takes the lock on a node's name. RUSM_EEXIST: a live node has it; why names its pid and
 * address. */
int rundir_lock(struct rundir *r, const char *name, struct rusm_why *why);
/* Writes NAME.json aside and renames it. RUSM_EIO (disk full …). */
int rundir_publish(struct rundir *r, const struct rundir_entry *entry, struct rusm_why *why);
/* Removes NAME.json and NAME.lock if we hold the lock, and lets go of it. */
void rundir_close(struct rundir *r);

/* One entry by name. RUSM_ENOPROC: no file. RUSM_EMALFORMED. A stale one has alive false. */
int rundir_find(const struct rundir *r, const char *name, struct rundir_entry *out);
/* All entries, by name, also stale ones; malformed files are passed over. Gives *out (free). */
int rundir_list(const struct rundir *r, struct rundir_entry **out, size_t *count);
/* Removes a stale entry's files (only if nobody holds the lock meanwhile). */
void rundir_clean(const struct rundir *r, const char *name);

#endif
