/* limits: the limits of the queues between schedulers. Each says its reason and what happens when
 * it is met. `make limits` lists the limits of all rooms. */
#ifndef SCHED_LIMITS_H
#define SCHED_LIMITS_H

#include "rusm.h"

/* Schedulers of a node (--schedulers). Each needs a bit in a word. Above: RUSM_EINVAL. */
#define LIMIT_SCHEDULERS 64

/* Messages and bytes that one sender has sent to one process of another scheduler and that the
 * process has not taken. They are enough to keep both sides busy while the news of what was taken
 * is under way. They are little beside a mailbox, because each sender may have as many. One message
 * is always taken. Above: rusm_send returns RUSM_BUSY. */
#define LIMIT_CHANNEL_MESSAGES 256
#define LIMIT_CHANNEL_BYTES ((uint64_t)256 * 1024)

/* Channels of one scheduler that are kept while nothing is under way on them, for the next message
 * of the same sender to the same process. Above: the oldest is freed. */
#define LIMIT_CHANNELS_IDLE 1024

#endif
