/* member_lock: the lock of what a node's schedulers share about its members. It is recursive, as
 * one connection may end or become ready within what is done about another one. It is taken before
 * the lock of the global names. Any scheduler's thread. */
#ifndef NODE_MEMBER_LOCK_H
#define NODE_MEMBER_LOCK_H

struct rusm_node;

/* Lock and unlock the members. They do nothing on a node with one scheduler. */
void member_lock(struct rusm_node *node);
void member_unlock(struct rusm_node *node);

#endif
