/* secret: reads a file that holds a secret, and refuses it if others can read or change it. One
 * rule for all such files. The functions block on the file. Any thread. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "rusm.h"

struct secret_kind {
    const char *name;    /* such as "token" */
    const char *missing; /* what to do if there is no file */
};

/* Reads a file of at most `cap` bytes. It must be a regular file, or a symbolic link to one, and
 *   - belong to us, and nobody else may read or write it; or
 *   - belong to root, and of others only one of our groups may read it, as an orchestrator mounts a
 *     secret. If we are root, such a file is read-only or has another group than our own.
 * Gives the length in *len. Returns 0, RUSM_EREFUSED, or RUSM_EMALFORMED if the file is longer.
 * The text says what to do. */
int secret_read(const struct secret_kind *kind, const char *path, char *text, size_t cap,
                size_t *len, struct rusm_why *why);

/* What a file was when somebody looked at it. All zero: there was none. */
struct secret_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

/* Looks at the file, or the one that a symbolic link leads to by now. Returns whether it is another
 * one than the stamp's, or has changed, and sets the stamp to what it is now. */
bool secret_changed(const char *path, struct secret_stamp *stamp);

#endif
