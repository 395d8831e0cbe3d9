/* exec: the SPEC exec[+FRAMING][+pty][*COUNT]:COMMAND, taken apart. */
#ifndef PORT_EXEC_H
#define PORT_EXEC_H

#include "port/port.h"

#define WORKER_RESTARTS 3 /* of a pool's programs in 5 s, as with what a node boots */

struct framing;

struct exec {
    struct port port;
    struct rusm_behaviour behaviour;
    const struct framing *framing;
    bool pty;
    unsigned count; /* of programs */
    char name[40];  /* exec:tr, for attach and the log */
    char *command;  /* all after the colon; for sh -c */
};

/* Takes a SPEC's text behind "exec" apart; the command stays in it. 0 or RUSM_EINVAL. */
int exec_parse(const char *text, struct exec *out, const char **command, struct rusm_why *why);

#endif
