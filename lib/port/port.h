/* port: behaviours from outside the program, named by a SPEC "KIND:TEXT". Each kind is a row in the
 * table of port.c and a file of its own. The node opens them before it runs, or on its thread while
 * it runs. In that case, reading files may hold it up. */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include "base/list.h"
#include "rusm.h"

/* An open behaviour. Its kind embeds this in a struct with whatever else it needs. */
struct port {
    struct list link; /* in ports.all */
    struct ports *ports;
    const struct port_kind *kind;
    const struct rusm_behaviour *behaviour; /* valid until close */
    char *spec;
};

struct port_kind {
    const char *prefix;
    const char *after; /* one of these bytes must follow the prefix */
    /* Opens the text after the prefix. text begins with one of the bytes of `after`. Gives *port,
     * with its behaviour set. close frees it. Returns 0 or an error. */
    int (*open)(const char *text, struct port **port, struct rusm_why *why);
    void (*close)(struct port *port);
};

extern const struct port_kind port_library; /* lib:FILE.so[:BEHAVIOUR] */
extern const struct port_kind port_exec;    /* exec:COMMAND and its variants: exec.h */

struct port_host;

/* The open behaviours of one node, one for each SPEC. */
struct ports {
    struct list all;
    /* Returns the host of the scheduler that runs the process. */
    struct port_host *(*host)(const struct rusm_process *self);
};

void ports_init(struct ports *ports, struct port_host *(*host)(const struct rusm_process *self));
/* Closes all. The last process of these behaviours must have ended. */
void ports_fini(struct ports *ports);
/* Returns the kind of a SPEC, or NULL if it names none of these kinds. */
const struct port_kind *port_kind_of(const char *spec);
/* Gives the behaviour of a SPEC, which must have a kind. Opens it the first time. It is valid until
 * ports_fini. Returns 0, RUSM_EIO, RUSM_EMALFORMED, RUSM_ENOSPAWNABLE, RUSM_EINVAL or RUSM_ENOMEM.
 * `why` says more. */
int ports_find(struct ports *ports, const char *spec, const struct rusm_behaviour **behaviour,
               struct rusm_why *why);

#endif
