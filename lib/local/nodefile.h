/* nodefile: the `nodes` file beside the identity. It lists nodes that are not in the run folder,
 * one on each line:
 *
 *     NAME HOST:PORT     # a comment, to the end of the line
 *
 * People write it and clients read it. The file calls block. Any thread. */
#ifndef LOCAL_NODEFILE_H
#define LOCAL_NODEFILE_H

#include <stddef.h>
#include "base/id.h"
#include "rusm.h"

struct nodefile_entry {
    char name[RUSM_NODE_NAME_MAX + 1];
    char address[ID_HOST_PORT_MAX + 1];
};

/* Makes the path of the file beside the identity file IDENTITY. Returns 0, or RUSM_EINVAL if the
 * path is too long. */
int nodefile_path(const char *identity, char *path, size_t cap);
/* Reads the file. If there is none, the list is empty. Gives *out, in the file's order, and the
 * caller frees it. Returns 0, RUSM_EMALFORMED (the text names the line), RUSM_EIO or
 * RUSM_ENOMEM. */
int nodefile_read(const char *path, struct nodefile_entry **out, size_t *count,
                  struct rusm_why *why);

#endif
