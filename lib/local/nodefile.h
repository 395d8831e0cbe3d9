/* nodefile: the `nodes` file beside the identity: nodes that are not in the run folder, a line
 * each:
 *
 *     NAME HOST:PORT     # a comment, to the line's end
 *
 * Written by people, read by clients. A blocking file call; any thread. */
#ifndef LOCAL_NODEFILE_H
#define LOCAL_NODEFILE_H

#include <stddef.h>
#include "base/id.h"
#include "rusm.h"

struct nodefile_entry {
    char name[RUSM_NODE_NAME_MAX + 1];
    char address[ID_HOST_PORT_MAX + 1];
};

/* The path of the file beside that identity file. 0 or RUSM_EINVAL (too long). */
int nodefile_path(const char *identity, char *path, size_t cap);
/* Reads it; no such file is an empty one. Gives *out (free), in the file's order. RUSM_EMALFORMED:
 * why names the line; RUSM_EIO, RUSM_ENOMEM. */
int nodefile_read(const char *path, struct nodefile_entry **out, size_t *count,
                  struct rusm_why *why);

#endif
