/* exit_notice: signals to other nodes that may not be refused, as nobody is left who could try
 * again: the end of a process, an unlink, a withdrawn monitor, and answers in the name of nobody.
 * What the post hook says RUSM_BUSY to is kept here, in order for each pair of a process and an
 * address, and posted again when runtime_writable says so to all. One thread.
 *
 * What a node's signals may take is bounded: those of links and monitors by what these took before,
 * answers by LIMIT_EXIT_NOTICES. A node that takes no more, or that there is no memory for, is
 * given up, and its loss is the news then. */
#ifndef ACTOR_EXIT_NOTICE_H
#define ACTOR_EXIT_NOTICE_H

#include "actor/state.h"

void exit_notice_init(struct runtime *rt, uint64_t seed);
void exit_notice_fini(struct runtime *rt);

/* Posts it, now or later. Borrows. Lost only with the connection; to a other scheduler, without
 * memory to pass it on. */
void exit_notice_post(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                      uint64_t ref, const char *reason);
/* The same to a name on that node. */
void exit_notice_post_name(struct runtime *rt, enum rusm_kind kind, rusm_pid from, uint32_t node,
                           const char *name, uint64_t ref);
/* The same for what answers a request of `to`, which there may be any number of. */
void exit_notice_answer(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                        uint64_t ref, const char *reason);
/* Does something of that pair wait here? What is posted now would overtake it. */
bool exit_notice_waits(const struct runtime *rt, const struct post *post);
/* Posts again what waits: of each node until it is RUSM_BUSY. */
void exit_notice_retry(struct runtime *rt);
/* That node is gone: what is for it is dropped. */
void exit_notice_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);

/* Posts for self, behind the signals of its pair that wait, and notes when that is RUSM_BUSY.
 * Returns what runtime_post does, or RUSM_EINVAL if there is no such node. */
int process_post(struct rusm_process *self, const struct post *post);

#endif
