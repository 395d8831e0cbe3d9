/* programs: what the programs of exec: need of the node: their descriptors are watched by the loop of
 * the scheduler that runs their process. On its thread. */
#include <stdlib.h>

#include "node/node.h"

struct port_watch {
    struct loop_watch watch;
};

static struct port_watch *hook_watch(void *context, int fd, bool writable,
                                     void (*ready)(void *user), void *user)
{
    struct port_watch *w = calloc(1, sizeof *w);
    (void)context;
    if (w)
        loop_watch_once(&w->watch, fd, writable, ready, user);
    return w;
}

static void hook_arm(void *context, struct port_watch *w)
{
    struct rusm_node *node = context;
    loop_arm(&node->loop, &w->watch);
}

static void hook_unwatch(void *context, struct port_watch *w)
{
    struct rusm_node *node = context;
    if (w)
        loop_unwatch(&node->loop, &w->watch);
    free(w);
}

static const struct port_hooks hooks = { .watch = hook_watch,
                                         .arm = hook_arm,
                                         .unwatch = hook_unwatch };

int programs_init(struct rusm_node *node)
{
    return port_host_init(&node->programs, &hooks, node, &node->log, node->name);
}

struct port_host *programs_host(const struct rusm_process *self)
{
    struct rusm_node *node = process_context(self);
    return &node->programs;
}
