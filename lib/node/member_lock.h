/* member_lock: the lock of what the schedulers of a node share of its members. It is recursive, as
 * one connection may end or become ready within what is done about another. It is taken before that
 * of the global names. Any scheduler's thread. */
#ifndef NODE_MEMBER_LOCK_H
#define NODE_MEMBER_LOCK_H

struct rusm_node;

/* Do nothing on a node with one scheduler. */
void member_lock(struct rusm_node *node);
void member_unlock(struct rusm_node *node);

#endif
