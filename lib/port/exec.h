/* exec: parses the SPEC exec[+FRAMING][+pty][*COUNT]:COMMAND. */
#ifndef PORT_EXEC_H
#define PORT_EXEC_H

#include "port/port.h"

#define WORKER_RESTARTS 3 /* of a pool's programs in 5 s, as for processes that a node boots */

struct framing;

struct exec {
    struct port port;
    struct rusm_behaviour behaviour;
    const struct framing *framing;
    bool pty;
    unsigned count; /* number of programs */
    char name[40];  /* such as exec:tr, for attach and the log */
    char *command;  /* everything after the colon, for sh -c */
};

/* Parses the text of a SPEC after "exec". *command then points into text; out->command is not set.
 * Returns 0 or RUSM_EINVAL. */
int exec_parse(const char *text, struct exec *out, const char **command, struct rusm_why *why);

#endif
