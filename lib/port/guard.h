/* guard: a small process beside the node that knows the groups of its programs, and kills them when
 * the node is gone, however that ended. Made with the first program, again if it should die. */
#ifndef PORT_GUARD_H
#define PORT_GUARD_H

#include <sys/types.h>

struct port_host;
struct port_watch;

struct guard {
    int fd; /* to tell it of groups; -1: there is none */
    int pidfd;
    struct port_watch *death;
};

void guard_init(struct guard *g);
/* There is one: 0, or the errno of what failed. */
int guard_ready(struct port_host *h);
/* That group has ended. */
void guard_forget(struct port_host *h, pid_t group);
/* It ends, when it has killed what it still knows. */
void guard_fini(struct port_host *h);

#endif
