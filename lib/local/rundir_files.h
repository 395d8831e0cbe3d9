/* rundir_files: the single files of a run folder: written whole or not at all, read with care, and
 * locked. For the other files of rundir. The calls block. Any thread, no shared
 * state. */
#ifndef LOCAL_RUNDIR_FILES_H
#define LOCAL_RUNDIR_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "local/rundir.h"

#define RUNDIR_FILES_PATH (RUNDIR_PATH_MAX + RUSM_NODE_NAME_MAX + 16)

/* Makes FOLDER/PREFIX NAME SUFFIX. */
void rundir_files_path(const char *folder, const char *prefix, const char *name, const char *suffix,
                       char path[RUNDIR_FILES_PATH]);
/* Returns whether the name may be a node's. */
bool rundir_files_name_ok(const char *name);
/* Returns whether the file at PATH is the one that FD has open. */
bool rundir_files_same(int fd, const char *path);
/* Writes a file under the name `aside` and renames it. Returns its descriptor, or RUSM_EIO with
 * errno set. */
int rundir_files_write(const char *path, const char *aside, const char *text, size_t len);
/* Reads a file. Returns the number of bytes, RUSM_ENOPROC if there is no file, or RUSM_EMALFORMED
 * if it is too long, not a regular file or not readable. */
ssize_t rundir_files_read(const char *path, char *text, size_t cap);
/* Takes the lock on a file, which it makes if need be. Returns the descriptor, RUSM_EEXIST if
 * somebody holds it, or RUSM_EIO with errno set. */
int rundir_files_lock(const char *path);
/* Returns whether anybody holds the lock. Asks without taking it, so as not to get in the way of a
 * node that starts. */
bool rundir_files_locked(const char *path);
/* Returns what can be done about an error of the system, as the end of a message, or "". */
const char *rundir_files_cure(int error);

#endif
