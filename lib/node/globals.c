/* globals: the registry, as the processes of all schedulers use it. It is scheduler 0's, who gossips it;
 * the others claim, withdraw and look up behind the same lock, which one scheduler alone does not
 * take. A process that never had a global name does not ask. */
#include <string.h>

#include "node/node.h"

void globals_lock(struct rusm_node *node)
{
    if (node->schedulers > 1)
        pthread_mutex_lock(&node->registry_lock);
}

void globals_unlock(struct rusm_node *node)
{
    if (node->schedulers > 1)
        pthread_mutex_unlock(&node->registry_lock);
}

/* There may be something to gossip, which scheduler 0 does in its next turn. */
static void globals_changed(struct rusm_node *node, int error)
{
    globals_unlock(node);
    if (!error && node->schedulers > 1)
        loop_wake(&node->loop);
}

int globals_claim(struct rusm_node *node, const char *name, size_t len, uint64_t serial)
{
    globals_lock(node);
    int error = registry_claim(node->registry, name, len, serial, node_wall_ms());
    globals_changed(node, error);
    return error;
}

int globals_withdraw(struct rusm_node *node, const char *name, size_t len, uint64_t serial)
{
    globals_lock(node);
    int error = registry_withdraw(node->registry, name, len, serial, node_wall_ms());
    globals_changed(node, error);
    return error;
}

void globals_withdraw_all(struct rusm_node *node, uint64_t serial)
{
    globals_lock(node);
    registry_withdraw_all(node->registry, serial, node_wall_ms());
    globals_changed(node, 0);
}

int globals_whereis(struct rusm_node *node, const char *name, size_t len,
                    struct registry_holder *holder)
{
    globals_lock(node);
    int error = registry_whereis(node->registry, name, len, holder);
    globals_unlock(node);
    return error;
}

void globals_name(struct rusm_node *node, uint64_t serial, char name[RUSM_NAME_MAX + 1])
{
    globals_lock(node);
    const char *held = registry_name_held(node->registry, serial);
    strcpy(name, held ? held : "");
    globals_unlock(node);
}
