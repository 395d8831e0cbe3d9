/* guard: a small process beside the node that knows the groups of its programs, and kills them when
 * the node is gone, however that ended, and what has left these groups too. Made with the first
 * program, again if it should die or read nothing. */
#ifndef PORT_GUARD_H
#define PORT_GUARD_H

#include <sys/types.h>

struct port_host;
struct port_watch;

struct guard {
    int fd; /* to tell it of groups; does not block; -1: there is none */
    int pidfd;
    pid_t pid;
    struct port_watch *death;
};

void guard_init(struct guard *g);
/* There is one: 0, or the errno of what failed. */
int guard_ready(struct port_host *h);
/* It could not be told of a program (EPIPE of launch_start): there is one that can be. So too. */
int guard_mend(struct port_host *h);
/* That group has ended; its program is not one of the host's any more. */
void guard_forget(struct port_host *h, pid_t group);
/* It ends, when it has killed what is left. */
void guard_fini(struct port_host *h);

#endif
