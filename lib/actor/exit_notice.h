/* exit_notice: signals to other nodes that nobody could try to send again: the end of a process, an
 * unlink, a withdrawn monitor, and answers to requests of other nodes. If the post hook says
 * RUSM_BUSY to a signal, the signal is kept here, in order for each pair of a process and an
 * address. It is posted again when runtime_writable tells all.
 *
 * What a node's signals may take is bounded. For links and monitors the bound is what these took
 * before, for answers it is LIMIT_EXIT_NOTICES. If a node takes no more, or there is no memory for
 * its signals, this node closes the connection. The processes there then hear of the lost
 * connection instead of the signals. */
#ifndef ACTOR_EXIT_NOTICE_H
#define ACTOR_EXIT_NOTICE_H

#include "actor/state.h"

void exit_notice_init(struct runtime *rt, uint64_t seed);
void exit_notice_fini(struct runtime *rt);

/* Posts a signal, now or later. Borrows reason. The signal is lost only with the connection, or, if
 * it is for another scheduler, when there is no memory to pass it on. */
void exit_notice_post(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                      uint64_t ref, const char *reason);
/* Does what exit_notice_post does, for a name on that node. */
void exit_notice_post_name(struct runtime *rt, enum rusm_kind kind, rusm_pid from, uint32_t node,
                           const char *name, uint64_t ref);
/* Does what exit_notice_post does, for an answer to a request of `to`. A node may cause any number
 * of these, so they count towards LIMIT_EXIT_NOTICES. */
void exit_notice_answer(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                        uint64_t ref, const char *reason);
/* Returns whether a signal of the post's pair waits here. A post of that pair would overtake it
 * now. */
bool exit_notice_waits(const struct runtime *rt, const struct post *post);
/* Posts the waiting signals again, those of each node until one is RUSM_BUSY. */
void exit_notice_retry(struct runtime *rt);
/* Drops the signals for that node, which is lost. */
void exit_notice_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation);

/* Posts for self, unless signals of the same pair still wait. Those come first: then it is
 * RUSM_BUSY. Notes in self when it is RUSM_BUSY. Returns what runtime_post does, or RUSM_EINVAL if
 * there is no such node. */
int process_post(struct rusm_process *self, const struct post *post);

#endif
