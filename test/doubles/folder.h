/* folder: a folder of its own for each test, as its state; removed with all that is in it. */
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

/* The path of a file in it, in the caller's buffer. */
char *folder_path(const struct folder *f, const char *name, char path[256]);

/* Writes a file. 0 or -1. */
int folder_write(const struct folder *f, const char *name, const void *data, size_t len);

#endif
