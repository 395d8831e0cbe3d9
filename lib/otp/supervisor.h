/* supervisor: a process that starts others, is linked with them, and starts them again when they
 * end (rusm.h, Supervisors). The node has one too: its children are added one by one, and a keeper
 * decides for each of them apart. One thread. */
#ifndef OTP_SUPERVISOR_H
#define OTP_SUPERVISOR_H

#include "actor/runtime.h"
#include "otp/keeper.h"

/* Starts a supervisor with its children. parent is linked with it, and an exit signal of parent
 * stops it. If parent's serial is 0, there is no link, and an exit signal from outside stops it.
 * keep: it is the node's own (keeper.h); it is one for one. NULL: it is not. Returns 0,
 * RUSM_EINIT or what rusm_supervise does. why may be NULL. */
int supervisor_start(struct runtime *rt, const struct rusm_supervisor *options,
                     const struct keeper_options *keep, rusm_pid parent, rusm_pid *pid,
                     struct rusm_why *why, uint64_t now_ns);
/* Starts one more child at the end of the supervisor's list. Returns 0, RUSM_ENOPROC if there is no
 * such supervisor, RUSM_ECLOSED if it is ending, RUSM_EEXIST if the name is taken, or what
 * supervisor_start does. After an error the child is not in the list. If a keeper is to try the
 * child again that could not be started, the function returns 0, and *pid has no serial. */
int supervisor_add(struct runtime *rt, uint64_t supervisor, const struct rusm_child *child,
                   rusm_pid *pid, struct rusm_why *why, uint64_t now_ns);

#endif
