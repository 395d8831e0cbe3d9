/* child: a supervisor's children as struct rusm_child of rusm.h gives them, checked and copied. Any
 * thread. */
#ifndef OTP_CHILD_H
#define OTP_CHILD_H

#include "rusm.h"

/* Check a supervisor or a child, with all supervisors inside. Return 0, RUSM_EINVAL or RUSM_ELIMIT.
 * RUSM_EINVAL: no behaviour and no supervisor, or both; an unknown strategy or restart; more
 * restarts than LIMIT_RESTARTS; a name that is not a process's name. RUSM_ELIMIT: too many children
 * or arguments. */
int child_check_all(const struct rusm_supervisor *supervisor);
int child_check(const struct rusm_child *child);
/* Copies a child, with all that rusm.h says is copied. Returns 0 or RUSM_ENOMEM. Call child_fini in
 * both cases. */
int child_copy(struct rusm_child *to, const struct rusm_child *from);
void child_fini(struct rusm_child *child);
/* Returns a text for people: the child's name, or its behaviour's. */
const char *child_title(const struct rusm_child *child);

#endif
