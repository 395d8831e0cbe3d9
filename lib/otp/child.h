/* child: what a supervisor's children are, as struct rusm_child of rusm.h says it: checked and
 * copied. Any thread. */
#ifndef OTP_CHILD_H
#define OTP_CHILD_H

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

#endif
