/* link: pairs of processes that end together, as Erlang's links: at most one between two processes,
 * the same seen from either end. Between nodes each side keeps its own half; an unlink is answered
 * (UNLINKED), and until then the half stays, deaf, so that an exit signal that crossed it has no
 * effect and a link made again is not taken for the old one (Erlang distribution protocol, Link
 * Protocol). One thread. */
#ifndef ACTOR_LINK_H
#define ACTOR_LINK_H

#include "actor/state.h"

void link_slab_init(struct runtime *rt);
/* self and `to` are linked. Nobody there: self gets an exit signal (noproc, noconnection).
 * RUSM_EINVAL (no such node), RUSM_ELIMIT, RUSM_ENOMEM, or what `post` says: then there is none. */
int link_make(struct rusm_process *self, rusm_pid to);
/* No exit signal of that link any more. RUSM_ENOPROC: there was none. */
int link_cut(struct rusm_process *self, rusm_pid other);
/* The request for it came to nothing, by another scheduler: an exit signal with that reason. */
void link_refused(struct rusm_process *p, rusm_pid other, const char *reason);
/* How many p has. */
uint64_t link_count(const struct rusm_process *p);
/* An exit signal of a linked process has come: whether p is to mind it. The link is gone then. */
bool link_told(struct rusm_process *p, rusm_pid other);
/* p has ended, with p->reason: all linked processes are told. */
void link_ended(struct rusm_process *p);
/* LINK, UNLINK and UNLINKED of another node. 0, RUSM_ELIMIT, RUSM_ENOMEM: `other` was told so. */
int link_asked(struct rusm_process *p, rusm_pid other);
void link_undone(struct rusm_process *p, rusm_pid other, uint64_t ref);
void link_confirmed(struct rusm_process *p, rusm_pid other, uint64_t ref);
/* Exit signal noconnection for all who are linked there. */
void link_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);

#endif
