/* globals: the registry as the processes and connections of all schedulers use it, behind one lock.
 * A node with one scheduler does not take the lock. A process that never had a global name does not
 * use the registry at its end. */
#include <string.h>

#include "node/clock.h"
#include "node/globals.h"
#include "node/node.h"

void globals_init(struct rusm_node *node)
{
    pthread_mutex_init(&node->registry_lock, NULL);
}

void globals_fini(struct rusm_node *node)
{
    registry_free(node->registry);
    pthread_mutex_destroy(&node->registry_lock);
}

void globals_lock(struct scheduler *s)
{
    if (s->node->scheduler_count > 1) {
        pthread_mutex_lock(&s->node->registry_lock);
    }
    s->node->registry_user = s;
}

void globals_unlock(struct scheduler *s)
{
    if (s->node->scheduler_count > 1) {
        pthread_mutex_unlock(&s->node->registry_lock);
    }
}

/* Unlocks the registry. If there is no error, it makes all schedulers gossip the change in their
 * next tick. */
static void globals_changed(struct scheduler *s, int error)
{
    struct rusm_node *node = s->node;
    globals_unlock(s);
    if (error) {
        return;
    }
    atomic_fetch_add(&node->names_changed, 1);
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        if (i != s->index) {
            loop_wake(&node->schedulers[i].loop);
        }
    }
}

int globals_claim(struct scheduler *s, const char *name, size_t len, uint64_t serial)
{
    globals_lock(s);
    int error = registry_claim(s->node->registry, name, len, serial, clock_wall_ms());
    globals_changed(s, error);
    return error;
}

int globals_withdraw(struct scheduler *s, const char *name, size_t len, uint64_t serial)
{
    globals_lock(s);
    int error = registry_withdraw(s->node->registry, name, len, serial, clock_wall_ms());
    globals_changed(s, error);
    return error;
}

void globals_withdraw_all(struct scheduler *s, uint64_t serial)
{
    globals_lock(s);
    registry_withdraw_all(s->node->registry, serial, clock_wall_ms());
    globals_changed(s, 0);
}

int globals_whereis(struct scheduler *s, const char *name, size_t len,
                    struct registry_holder *holder)
{
    globals_lock(s);
    int error = registry_whereis(s->node->registry, name, len, holder);
    globals_unlock(s);
    holder->node_name = NULL; /* another scheduler may free what it points to */
    return error;
}

void globals_name(struct scheduler *s, uint64_t serial, char name[RUSM_NAME_MAX + 1])
{
    globals_lock(s);
    const char *held = registry_name_held(s->node->registry, serial);
    strcpy(name, held ? held : "");
    globals_unlock(s);
}
