/* send: what the process side of rusm.h shares about sending. One thread. */
#ifndef ACTOR_SEND_H
#define ACTOR_SEND_H

#include "actor/state.h"

/* RUSM_ETOOLARGE, RUSM_EINVAL (no data, but a length) or 0. */
int send_check(const void *data, size_t len);
/* Puts a copy into target's mailbox. A reply is always taken if it was asked for, and dropped if not.
 * RUSM_ENOPROC (target is NULL), RUSM_BUSY, RUSM_ENOMEM. */
int send_here(struct rusm_process *self, struct rusm_process *target, enum rusm_kind kind,
              uint64_t ref, const void *data, size_t len);

/* An address in text, resolved: a process of ours, or where it is to be posted to. */
struct send_address {
    struct rusm_process *here; /* NULL: elsewhere, or nobody */
    uint32_t node;             /* 0: on this node; RUSM_GLOBAL */
    rusm_pid pid;              /* serial 0: by name */
    const char *name;          /* borrowed from the text */
    size_t name_len;
};
/* RUSM_EINVAL: not an address; RUSM_ELIMIT, RUSM_ENOMEM. */
int send_address(struct rusm_process *self, const char *text, struct send_address *out);
/* Resolves a name on a node (0: here; RUSM_GLOBAL), as far as it can without asking. Borrows name. */
void send_named(struct rusm_process *self, uint32_t node, const char *name,
                struct send_address *out);
/* Gives the pid that an address means now. Returns 0, RUSM_ENOPROC if nobody here has the name, RUSM_ENOCONN
 * if only the other node knows who has it, or RUSM_EINVAL if it is not a name or a node. */
int send_pid_of(struct rusm_process *self, const struct send_address *to, rusm_pid *pid);

#endif
