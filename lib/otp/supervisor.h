/* supervisor: a process that starts others, is linked with them, and starts them again when they
 * end (rusm.h, Supervisors). Also the node's own, whose children come one by one and are each
 * counted for themselves. One thread. */
#ifndef OTP_SUPERVISOR_H
#define OTP_SUPERVISOR_H

#include "actor/runtime.h"

/* Starts one with its children. parent: whose exit signal stops it, and who is linked with it;
 * serial 0: none, as of a signal from outside. each: one child that is restarted too often is given
 * up, the rest goes on. RUSM_EINIT and what rusm_supervise says; why may be NULL. */
int supervisor_start(struct runtime *rt, const struct rusm_supervisor *options, bool each,
                     rusm_pid parent, rusm_pid *pid, struct rusm_why *why, uint64_t now_ns);
/* Starts one more child at the end of its list. RUSM_ENOPROC: no such supervisor. RUSM_ECLOSED: it
 * is ending. Else as above, RUSM_EEXIST (the name is taken) among them; then the child is not in
 * the list. */
int supervisor_add(struct runtime *rt, uint64_t supervisor, const struct rusm_child *child,
                   rusm_pid *pid, struct rusm_why *why, uint64_t now_ns);

#endif
