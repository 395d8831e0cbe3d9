/* post: messages that the program's own threads send to processes (rusm_node_post). They wait in a
 * queue for each target, so that a full mailbox holds back only what is posted to it. A process of
 * the node's on scheduler 0 sends them, as any process would. posts_* and post_tick: scheduler 0's
 * thread. */
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
    pthread_mutex_t lock; /* for all that follows, but for what scheduler 0 alone has */
    struct map targets; /* struct post_target; made with the first message, freed after the last */
    struct list due;    /* targets with messages that scheduler 0 has not tried to send */
    size_t bytes;       /* of all messages */
    atomic_bool wanted; /* `due` is not empty, and scheduler 0 does not know yet */
    struct list full;   /* scheduler 0: targets that said RUSM_BUSY */
    uint64_t serial;    /* scheduler 0: of the process that sends; 0: none yet */
    struct rusm_behaviour behaviour;
};

void posts_init(struct posts *p);
/* Frees what still waits, and returns how many messages that were. When no thread posts any
 * more. */
size_t posts_fini(struct posts *p);
/* Wakes the process that sends if there is something new. */
void post_tick(struct rusm_node *node);

#endif
