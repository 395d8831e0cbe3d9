/* port: behaviours from outside the program, named by a SPEC "KIND:TEXT". Each kind is a row in the
 * table of port.c and a file of its own. The node asks for them before it runs, or on its thread
 * while it does: reading files may then hold it up. */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include "base/list.h"
#include "rusm.h"

/* One that was opened; what its kind needs besides stands around it. */
struct port {
    struct list link; /* in ports.all */
    struct ports *ports;
    const struct port_kind *kind;
    const struct rusm_behaviour *behaviour; /* valid until close */
    char *spec;
};

struct port_kind {
    const char *prefix;
    const char *after; /* what must follow it: one of these */
    /* Opens what stands after the prefix, that byte included. Gives *port, its behaviour set, for
     * close to free. */
    int (*open)(const char *text, struct port **port, struct rusm_why *why);
    void (*close)(struct port *port);
};

extern const struct port_kind port_library; /* lib:FILE.so[:BEHAVIOUR] */
extern const struct port_kind port_exec;    /* exec:COMMAND, and more: exec.c */

struct port_host;

/* Those of one node: one a SPEC. */
struct ports {
    struct list all;
    /* What a process of ours finds on the thread that runs it. */
    struct port_host *(*host)(const struct rusm_process *self);
};

void ports_init(struct ports *ports, struct port_host *(*host)(const struct rusm_process *self));
/* After the last process of theirs has ended. */
void ports_fini(struct ports *ports);
/* The kind of a SPEC; NULL: it names none of ours. */
const struct port_kind *port_kind_of(const char *spec);
/* The behaviour of a SPEC that has a kind, opened the first time: valid until ports_fini. RUSM_EIO,
 * RUSM_EMALFORMED, RUSM_ENOSPAWNABLE, RUSM_EINVAL, RUSM_ENOMEM: `why` says more. */
int ports_find(struct ports *ports, const char *spec, const struct rusm_behaviour **behaviour,
               struct rusm_why *why);

#endif
