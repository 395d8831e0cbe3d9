/* forward: passes a datagram that came to one scheduler's endpoint on to the scheduler that it is
 * for. There are next to none where the kernel deals datagrams by their connection ids: only
 * stateless resets, and datagrams of no connection. */
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "node/limits.h"
#include "node/node.h"
#include "node/forward.h"

struct forward {
    struct task task;
    struct scheduler *from, *to;
    struct endpoint_forward forward;
    uint8_t data[];
};

static void forward_run(struct task *task, struct runtime *there)
{
    struct forward *it = container_of(task, struct forward, task);
    (void)there;
    if (!atomic_load(&it->to->over)) { /* else its connections are gone */
        endpoint_take(it->to->endpoint, &it->forward);
    }
}

static void forward_done(struct task *task, struct runtime *here)
{
    struct forward *it = container_of(task, struct forward, task);
    (void)here;
    it->from->forwards--;
    free(it);
}

void forward_pass(void *context, unsigned to, const struct endpoint_forward *forward)
{
    struct scheduler *s = context;
    struct forward *it = s->forwards < LIMIT_FORWARDS ? malloc(sizeof(*it) + forward->len) : NULL;
    if (!it) {
        return; /* any datagram may be lost */
    }
    *it = (struct forward){ .task = { .run = forward_run, .done = forward_done },
                            .from = s,
                            .to = &s->node->schedulers[to],
                            .forward = *forward };
    if (forward->len) {
        memcpy(it->data, forward->data, forward->len);
    }
    it->forward.data = it->data;
    if (runtime_task(s->runtime, to, &it->task) != 0) {
        free(it);
    } else {
        s->forwards++;
    }
}
