/* post: messages that the program's own threads send to processes (rusm_node_post). They wait in a
 * queue for each target, so that a full mailbox holds back only what is posted to it. A process of
 * the node on scheduler 0 sends them, as any process would. posts_* and post_tick are called on
 * scheduler 0's thread. */
#ifndef NODE_POST_H
#define NODE_POST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "rusm.h"

struct posts {
    pthread_mutex_t lock; /* for all below, except what only scheduler 0 uses */
    struct map targets;   /* struct post_target; each lives from its first message to its last */
    struct list due;      /* targets whose messages scheduler 0 has not tried to send */
    size_t bytes;         /* that all messages count */
    atomic_bool wanted;   /* `due` is not empty, and scheduler 0 does not know it yet */
    struct list full;     /* of scheduler 0: targets that said RUSM_BUSY */
    uint64_t serial;      /* of scheduler 0: the sending process's; 0: none yet */
    struct rusm_behaviour behaviour;
};

void posts_init(struct posts *p);
/* Frees the messages that still wait. Returns how many they were. No thread may post any more. */
size_t posts_fini(struct posts *p);
/* Wakes the process that sends, if there is something new. Starts it if there is none. */
void post_tick(struct rusm_node *node);

#endif
