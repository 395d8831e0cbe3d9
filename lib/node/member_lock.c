/* member_lock: see the header. */
#include "node/member_lock.h"

#include "node/node.h"

void member_lock(struct rusm_node *node)
{
    if (node->scheduler_count > 1) {
        pthread_mutex_lock(&node->members_lock);
    }
}

void member_unlock(struct rusm_node *node)
{
    if (node->scheduler_count > 1) {
        pthread_mutex_unlock(&node->members_lock);
    }
}
