/* client_aim: finds the process that an operation is for: turns a name, pid or global name into the
 * client of its node and its address there. On the caller's thread. */
#ifndef CLIENT_CLIENT_AIM_H
#define CLIENT_CLIENT_AIM_H

#include "client/client.h"

#define CLIENT_AIM_TEXT 384 /* the longest text for errors: 'NAME' on NODE */

struct client_aim {
    struct rusm_client *at;     /* the client of its node */
    struct target to;           /* borrows its name from the text given to client_aim_find */
    char text[CLIENT_AIM_TEXT]; /* 'greeter' on london; 17@london */
};

/* Finds the process. For a global name it asks the node for the owner. A process of another node is
 * reached there, by a connection of its own. Returns 0, RUSM_EINVAL (neither a name nor a pid), or
 * an error of the request or connection. */
int client_aim_find(struct rusm_client *c, const char *process, bool global, struct client_aim *aim,
                    uint64_t deadline_ns, struct rusm_why *why);

#endif
