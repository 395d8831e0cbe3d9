/* guard: a small OS process that knows the process groups of the node's programs. When the node is
 * gone, however it ended, the guard kills these groups, and also the processes that have left them.
 * The node starts the guard with the first program, and replaces it if it dies or stops reading. */
#ifndef PORT_GUARD_H
#define PORT_GUARD_H

#include <sys/types.h>

struct port_host;
struct port_watch;

struct guard {
    int fd; /* tells it of groups; does not block; -1: there is no guard */
    int pidfd;
    pid_t pid;
    struct port_watch *death;
};

void guard_init(struct guard *g);
/* Starts the guard if there is none. Returns 0, or the errno of what failed. */
int guard_ready(struct port_host *h);
/* Call it if launch_start returned EPIPE: the guard could not be told of a program. Waits a moment
 * for the guard to read, or replaces it. Returns 0 if the guard takes news again, or an errno. */
int guard_mend(struct port_host *h);
/* Tells the guard that a group has ended. Its program must not be in the host's list any more. */
void guard_forget(struct port_host *h, pid_t group);
/* Ends the guard and waits for it. The guard first kills what is left. */
void guard_fini(struct port_host *h);

#endif
