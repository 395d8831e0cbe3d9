/* args: copies the arguments of a spawn, for a spawn that happens later or elsewhere. Any
 * thread. */
#ifndef ACTOR_ARGS_H
#define ACTOR_ARGS_H

#include "rusm.h"

/* Copies the arguments. Returns 0 or RUSM_ENOMEM. Call args_fini in both cases. */
int args_copy(struct rusm_args *to, const struct rusm_args *from);
/* Frees a copy. */
void args_fini(struct rusm_args *args);

#endif
