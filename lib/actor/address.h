/* address: resolves a name on a node, or an address in text, to a process or to where a post for it
 * goes. One thread. */
#ifndef ACTOR_ADDRESS_H
#define ACTOR_ADDRESS_H

#include "actor/state.h"

/* A resolved address: a process of this runtime, or where to post. */
struct address {
    struct rusm_process *here; /* NULL: it is elsewhere, or nobody has the name */
    uint32_t node;             /* 0: this node; or RUSM_GLOBAL */
    rusm_pid pid;              /* serial 0: by name */
    const char *name;          /* borrowed from the text */
    size_t name_len;
};
/* Resolves an address in text. Returns 0, RUSM_EINVAL if it is not an address, RUSM_ELIMIT if the
 * node has too many node names, or RUSM_ENOMEM. */
int address_parse(struct rusm_process *self, const char *text, struct address *out);
/* Resolves a name on a node (0: this node, or RUSM_GLOBAL), as far as this node can without asking
 * another. Borrows name. */
void address_named(struct rusm_process *self, uint32_t node, const char *name, struct address *out);
/* Gives the pid that an address means now. Returns 0, RUSM_ENOPROC if nobody here has the name,
 * RUSM_ENOCONN if only the other node knows who has it, or RUSM_EINVAL if it is not a name or a
 * node. */
int address_pid(struct rusm_process *self, const struct address *to, rusm_pid *pid);

#endif
