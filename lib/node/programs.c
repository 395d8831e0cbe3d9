/* programs: what the programs of exec: need of the node. The loop of the scheduler that runs a
 * program's process watches the program's descriptors. On that scheduler's thread. */
#include <stdlib.h>

#include "node/node.h"
#include "node/programs.h"

struct port_watch {
    struct loop_watch watch;
};

static struct port_watch *hook_watch(void *context, int fd, bool writable,
                                     void (*ready)(void *user), void *user)
{
    struct port_watch *w = calloc(1, sizeof(*w));
    (void)context;
    if (w) {
        loop_watch_once(&w->watch, fd, writable, ready, user);
    }
    return w;
}

static void hook_arm(void *context, struct port_watch *w)
{
    struct programs *p = context;
    loop_arm(p->loop, &w->watch);
}

static void hook_unwatch(void *context, struct port_watch *w)
{
    struct programs *p = context;
    if (w) {
        loop_unwatch(p->loop, &w->watch);
    }
    free(w);
}

/* Scheduler 0 may be leaving, and then waits for the last program. */
static void hook_ended(void *context)
{
    struct programs *p = context;
    loop_wake(&p->node->first->loop);
}

static const struct port_hooks hooks = {
    .watch = hook_watch, .arm = hook_arm, .unwatch = hook_unwatch, .ended = hook_ended
};

int programs_init(struct programs *p, struct rusm_node *node, struct loop *loop)
{
    p->node = node;
    p->loop = loop;
    return port_host_init(&p->host, &hooks, p, &node->port_node);
}

struct programs *programs_of(struct rusm_node *node, unsigned index)
{
    return &node->schedulers[index].programs;
}

struct port_host *programs_host(const struct rusm_process *self)
{
    return &((struct scheduler *)process_context(self))->programs.host;
}

bool programs_ended(struct rusm_node *node)
{
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        if (port_host_any(&programs_of(node, i)->host)) {
            return false;
        }
    }
    return true;
}
