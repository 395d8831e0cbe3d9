/* address: whom a process means by a name on a node, or by an address in text. One thread. */
#ifndef ACTOR_ADDRESS_H
#define ACTOR_ADDRESS_H

#include "actor/state.h"

/* An address in text, resolved: a process of ours, or where it is to be posted to. */
struct address {
    struct rusm_process *here; /* NULL: elsewhere, or nobody */
    uint32_t node;             /* 0: on this node; RUSM_GLOBAL */
    rusm_pid pid;              /* serial 0: by name */
    const char *name;          /* borrowed from the text */
    size_t name_len;
};
/* RUSM_EINVAL: not an address; RUSM_ELIMIT, RUSM_ENOMEM. */
int address_parse(struct rusm_process *self, const char *text, struct address *out);
/* Resolves a name on a node (0: here; RUSM_GLOBAL), as far as it can without asking. Borrows
 * name. */
void address_named(struct rusm_process *self, uint32_t node, const char *name, struct address *out);
/* Gives the pid that an address means now. Returns 0, RUSM_ENOPROC if nobody here has the name,
 * RUSM_ENOCONN if only the other node knows who has it, or RUSM_EINVAL if it is not a name or a
 * node. */
int address_pid(struct rusm_process *self, const struct address *to, rusm_pid *pid);

#endif
