/* watch: descriptors that a process watches. The owner of the runtime looks at them: hooks->watch.
 * On the runtime's thread. */
#include <stdlib.h>

#include "actor/limits.h"
#include "actor/process.h"
#include "actor/watch.h"

struct watch {
    struct owned owned; /* in its process's list */
    struct map_node by_ref;
    struct rusm_process *owner;
    uint64_t ref;
    struct runtime_watch *at; /* the runtime's owner's */
};

void watch_init(struct runtime *rt, uint64_t seed)
{
    map_init(&rt->watches, seed);
}

void watch_fini(struct runtime *rt)
{
    map_fini(&rt->watches);
}

static bool watch_is(const struct map_node *n, const void *ref)
{
    return container_of(n, struct watch, by_ref)->ref == *(const uint64_t *)ref;
}

static void watch_free(struct watch *w)
{
    struct runtime *rt = w->owner->rt;

    rt->hooks->unwatch(rt->context, w->at);
    map_remove(&rt->watches, &w->by_ref);
    list_remove(&w->owned.link);
    free(w);
}

static void watch_end(struct rusm_process *owner, struct owned *owned)
{
    (void)owner;
    watch_free(container_of(owned, struct watch, owned));
}

/* Called outside of any behaviour. */
static void watch_ready(void *user)
{
    struct watch *w = user;
    struct rusm_process *owner = w->owner;
    uint64_t ref = w->ref;

    watch_free(w);
    process_signal(owner, RUSM_READY, process_pid(owner), ref, 0, NULL, 0);
}

int rusm_watch(struct rusm_process *self, int fd, enum rusm_watch_event event, uint64_t *ref)
{
    struct runtime *rt = self->rt;
    struct watch *w;
    int err;

    if (!rt->hooks->watch || (event != RUSM_READABLE && event != RUSM_CAN_WRITE)) {
        return RUSM_EINVAL;
    }
    if (rt->watches.count >= LIMIT_WATCHES / rt->schedulers) {
        return RUSM_ELIMIT;
    }
    w = malloc(sizeof(*w));
    if (!w) {
        return RUSM_ENOMEM;
    }
    *w = (struct watch){ .owned.end = watch_end, .owner = self, .ref = rt->ref + 1 };
    err = map_insert(&rt->watches, map_hash_u64(&rt->watches, w->ref), &w->by_ref);
    if (err) {
        free(w);
        return err;
    }
    err = rt->hooks->watch(rt->context, fd, event == RUSM_CAN_WRITE, watch_ready, w, &w->at);
    if (err) {
        map_remove(&rt->watches, &w->by_ref);
        free(w);
        return err;
    }
    list_init(&w->owned.link);
    list_append(&self->owned, &w->owned.link);
    process_has(self, PART_OWNED);
    *ref = ++rt->ref;
    return 0;
}

int rusm_unwatch(struct rusm_process *self, uint64_t ref)
{
    struct map *watches = &self->rt->watches;
    struct map_node *n = map_find(watches, map_hash_u64(watches, ref), watch_is, &ref);

    if (!n || container_of(n, struct watch, by_ref)->owner != self) {
        return RUSM_ENOPROC;
    }
    watch_free(container_of(n, struct watch, by_ref));
    return 0;
}
