/* limits: the maxima of the queues between schedulers, each with its reason and what happens when
 * it is met. `make limits` lists those of all rooms. */
#ifndef SCHED_LIMITS_H
#define SCHED_LIMITS_H

#include "rusm.h"

/* Schedulers of a node (--schedulers): a bit each in a word. */
#define LIMIT_SCHEDULERS 64

/* Messages and bytes of one sender to one process of a other scheduler that it has not taken,
 * above which rusm_send says RUSM_BUSY: enough to keep both busy while the news of what was taken
 * is under way, and little beside a mailbox, as each sender may have so many. One message is
 * always taken. */
#define LIMIT_CHANNEL_MESSAGES 256
#define LIMIT_CHANNEL_BYTES ((uint64_t)256 * 1024)

/* Pairs of a sender and a process of another scheduler that are remembered while nothing is under
 * way. */
#define LIMIT_CHANNELS_IDLE 1024

#endif
