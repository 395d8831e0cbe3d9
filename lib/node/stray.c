/* stray: datagrams that came to one scheduler's endpoint and are for another's. Where the system deals
 * them by their connection ids there are next to none: stateless resets, and those of no connection. */
#include <stdlib.h>
#include <string.h>

#include "node/limits.h"
#include "node/node.h"
#include "node/stray.h"

struct stray {
    struct errand errand; /* first */
    struct scheduler *from, *to;
    struct endpoint_stray stray;
    uint8_t data[];
};

static void stray_run(struct errand *errand, struct runtime *there)
{
    struct stray *it = (struct stray *)(void *)errand;
    (void)there;
    if (!atomic_load(&it->to->over)) { /* else its connections are gone */
        endpoint_take(it->to->endpoint, &it->stray);
    }
}

static void stray_done(struct errand *errand, struct runtime *here)
{
    struct stray *it = (struct stray *)(void *)errand;
    (void)here;
    it->from->strays--;
    free(it);
}

void stray_pass(void *context, unsigned to, const struct endpoint_stray *stray)
{
    struct scheduler *s = context;
    struct stray *it = s->strays < LIMIT_STRAYS ? malloc(sizeof(*it) + stray->len) : NULL;
    if (!it) {
        return; /* as any datagram may be lost */
    }
    *it = (struct stray){ .errand = { .run = stray_run, .done = stray_done },
                          .from = s,
                          .to = &s->node->schedulers[to],
                          .stray = *stray };
    if (stray->len) {
        memcpy(it->data, stray->data, stray->len);
    }
    it->stray.data = it->data;
    if (runtime_errand(s->runtime, to, &it->errand) != 0) {
        free(it);
    } else {
        s->strays++;
    }
}
