/* link: pairs of processes that end together, as Erlang's links. Two processes have at most one
 * link, which both ends see. Between nodes each side keeps its own half. An unlink is answered
 * (UNLINKED). Until the answer comes the half stays and is deaf: an exit signal that crossed the
 * unlink has no effect, and a new link is not taken for the old one (Erlang distribution protocol,
 * Link Protocol). One thread. */
#ifndef ACTOR_LINK_H
#define ACTOR_LINK_H

#include "actor/state.h"

void link_slab_init(struct runtime *rt);
/* Links self and `to`. If nobody is there, self gets an exit signal (noproc, noconnection). Returns
 * 0, or, without a link, RUSM_EINVAL if there is no such node, RUSM_ELIMIT, RUSM_ENOMEM or what
 * process_post returns. */
int link_make(struct rusm_process *self, rusm_pid to);
/* Unlinks self and `other`: no exit signal of that link takes effect after this. Returns 0, or
 * RUSM_ENOPROC if there was no link. */
int link_cut(struct rusm_process *self, rusm_pid other);
/* Ends a link that another scheduler could not make: p gets an exit signal with that reason. */
void link_refused(struct rusm_process *p, rusm_pid other, const char *reason);
/* Returns how many links p has. */
uint64_t link_count(const struct rusm_process *p);
/* Calls `each` with up to `most` of the processes that p is linked with. */
void link_each(const struct rusm_process *p, size_t most,
               void (*each)(void *context, rusm_pid other), void *context);
/* Takes note of an exit signal of a linked process. Returns whether p must react to it. The link is
 * gone then. */
bool link_told(struct rusm_process *p, rusm_pid other);
/* Tells all linked processes that p has ended, with p->reason. */
void link_ended(struct rusm_process *p);
/* Take a LINK, UNLINK and UNLINKED of another node. link_asked returns 0, RUSM_ELIMIT or
 * RUSM_ENOMEM; `other` was told of an error. */
int link_asked(struct rusm_process *p, rusm_pid other);
void link_undone(struct rusm_process *p, rusm_pid other, uint64_t ref);
void link_confirmed(struct rusm_process *p, rusm_pid other, uint64_t ref);
/* Gives exit signal noconnection to all who are linked with a process on that node. */
void link_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);

#endif
