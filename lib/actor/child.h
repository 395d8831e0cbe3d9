/* child: what a supervisor's children are, as struct rusm_child of rusm.h says it: checked and copied.
 * Any thread. */
#ifndef ACTOR_CHILD_H
#define ACTOR_CHILD_H

#include "rusm.h"

/* RUSM_EINVAL: no behaviour, an unknown strategy or restart, more restarts than are counted, a name
 * that is none. RUSM_ELIMIT: too many children or arguments. With all supervisors within. */
int child_check_all(const struct rusm_supervisor *supervisor);
int child_check(const struct rusm_child *child);
/* With all that is meant to be copied; child_fini in any case. RUSM_ENOMEM. */
int child_copy(struct rusm_child *to, const struct rusm_child *from);
void child_fini(struct rusm_child *child);
/* For people: its name, or its behaviour's. */
const char *child_title(const struct rusm_child *child);

/* Copies of the arguments, and their end (in any case). RUSM_ENOMEM. */
int child_args_copy(struct rusm_args *to, const struct rusm_args *from);
void child_args_fini(struct rusm_args *args);

#endif
