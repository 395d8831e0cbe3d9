/* farewell: signals to other nodes that may not be refused, as nobody is left who could try again:
 * the end of a process, an unlink, a withdrawn monitor. What the post hook says RUSM_BUSY to is kept
 * here, in order, and posted again when runtime_writable says so. One thread. */
#ifndef ACTOR_FAREWELL_H
#define ACTOR_FAREWELL_H

#include "actor/state.h"

/* Posts it, now or later. Borrows. Lost only with the connection, or without memory to keep it. */
void farewell_post(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                   uint64_t ref, const char *reason);
/* The same to a name on that node. */
void farewell_post_name(struct runtime *rt, enum rusm_kind kind, rusm_pid from, uint32_t node,
                        const char *name, uint64_t ref);
/* Does something of that process wait here? What it posts now would overtake that. */
bool farewell_waits(const struct runtime *rt, rusm_pid from);
/* Posts again what is of that process; serial 0: of all. */
void farewell_retry(struct runtime *rt, rusm_pid from);
/* That node is gone: what is for it is dropped. */
void farewell_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation);
void farewell_fini(struct runtime *rt);

#endif
