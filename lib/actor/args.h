/* args: the arguments of a spawn, copied for one that happens later or elsewhere. Any thread. */
#ifndef ACTOR_ARGS_H
#define ACTOR_ARGS_H

#include "rusm.h"

/* Copies them. Returns 0 or RUSM_ENOMEM; args_fini in any case. */
int args_copy(struct rusm_args *to, const struct rusm_args *from);
/* Frees a copy. */
void args_fini(struct rusm_args *args);

#endif
