/* environment: the variables that the programs of a node get: a clean default, and what the owner
 * of the node adds. Called by host.c, and by the node when it checks its options. */
#ifndef PORT_ENVIRONMENT_H
#define PORT_ENVIRONMENT_H

#include <stddef.h>
#include "rusm.h"

struct environment {
    char **entry; /* "NAME=VALUE", NULL, and room for one more */
    size_t count;
};

/* Checks entries that the owner of a node adds, which end with NULL. NULL: none. Returns 0, or
 * RUSM_EINVAL if one has no name that a shell can use, or a name that the node sets for each
 * program. */
int environment_check(const char *const *more, struct rusm_why *why);
/* Makes the environment of a node's programs: what they inherit from this process, what the node
 * sets, and `more`. An entry of `more` replaces an earlier one with its name. Returns 0 or
 * RUSM_ENOMEM. In both cases the caller calls environment_fini. */
int environment_init(struct environment *e, const char *node, const char *const *more);
void environment_fini(struct environment *e);

#endif
