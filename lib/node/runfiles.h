/* runfiles: the run folder of a node that runs, on a helper thread, as its file system may be slow
 * or hang. The thread does one job after the other. The scheduler that asked for a job gets the
 * answer in its tick. Without an answer, nothing waits. */
#ifndef NODE_RUNFILES_H
#define NODE_RUNFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "local/rundir.h"

struct runfiles;
struct runfiles_job;
struct rusm_node;
struct scheduler;

/* Takes an answer, which it borrows. Called on the thread of the scheduler that asked, under
 * members_lock. */
typedef void runfiles_done_fn(struct runfiles_job *job);

struct runfiles_job {
    struct list link;
    struct scheduler *scheduler; /* that asked */
    void (*work)(struct runfiles_job *job, struct rundir *rundir);
    runfiles_done_fn *done;
    void *user;
    uint32_t incarnation; /* the caller's own */
    /* runfiles_keep: our own entry. runfiles_find: the name, and the entry that was found. */
    struct rundir_entry entry;
    struct rundir_entry *list; /* runfiles_scan: list[0..count) */
    size_t count;
    int result; /* as of rundir_keep, rundir_find or rundir_list */
    struct rusm_why why;
};

/* Returns NULL without memory. */
struct runfiles *runfiles_new(unsigned schedulers);
/* Returns what was opened. Once the thread runs, it is the thread's, but for its path. */
struct rundir *runfiles_rundir(struct runfiles *f);
const char *runfiles_path(const struct runfiles *f);
/* Starts the thread. Returns 0 or RUSM_EIO. */
int runfiles_start(struct runfiles *f);
/* From now on there are no answers. Waits for nothing. NULL is fine. */
void runfiles_end(struct runfiles *f);
/* Closes the run folder and frees F. Returns false if it hangs: the thread frees F, whenever it
 * comes back. NULL is fine. */
bool runfiles_free(struct runfiles *f);

/* These ask. They return 0, RUSM_ENOMEM, or RUSM_ELIMIT if too much waits already. Any thread. */
int runfiles_keep(struct scheduler *s, const struct rundir_entry *own, runfiles_done_fn *done);
int runfiles_scan(struct scheduler *s, runfiles_done_fn *done);
int runfiles_find(struct scheduler *s, const char *name, uint32_t incarnation,
                  runfiles_done_fn *done, void *user);
/* Takes the answers that have come for this scheduler. */
void runfiles_collect(struct scheduler *s);

/* Reads all entries, as rundir_list, and removes those of nodes that were killed. Blocks: for a
 * node that starts. */
int runfiles_read(const struct rundir *rundir, struct rundir_entry **list, size_t *count);

#endif
