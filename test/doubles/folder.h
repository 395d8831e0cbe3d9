/* folder: gives each test a folder of its own, as the test's state, and removes it with all that is
 * in it. */
#ifndef DOUBLES_FOLDER_H
#define DOUBLES_FOLDER_H

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "doubles/scratch.h"

struct folder {
    char path[SCRATCH_MAX];
};

int folder_setup(void **state);

int folder_teardown(void **state);

/* Writes the path of a file in the folder to the caller's buffer, and returns the buffer. */
char *folder_path(const struct folder *f, const char *name, char path[256]);

/* Writes a file. Returns 0 or -1. */
int folder_write(const struct folder *f, const char *name, const void *data, size_t len);

#endif
