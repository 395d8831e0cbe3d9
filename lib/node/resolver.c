/* resolver: see the header. Each look-up is a detached thread with a struct lookup of its own, so
 * that the node can end while the name service still blocks it. */
#include "node/resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "node/helper.h"
#include "node/limits.h"

/* What helpers and the resolver share. The last one to leave frees it. */
struct resolver_shared {
    pthread_mutex_t lock;
    unsigned refs;
    struct loop *loop;    /* NULL: the resolver has ended */
    struct list answered; /* struct lookup */
};

struct lookup {
    struct list link;
    struct resolver_shared *shared;
    struct resolver_ask *ask; /* not touched by the helper */
    struct resolver_ask result;
};

void resolver_init(struct resolver *r, struct loop *loop)
{
    *r = (struct resolver){ .loop = loop };
    list_init(&r->waiting);
}

static void look_up(struct resolver_ask *ask)
{
    ask->count = resolve_srv_is(ask->host_port)
                     ? resolve_srv(ask->host_port, ask->found, RESOLVER_ADDRESSES, &ask->why)
                     : resolve(ask->host_port, false, ask->found, RESOLVER_ADDRESSES, &ask->why);
    if (ask->count == 0) {
        ask->count = RUSM_ENOCONN;
    }
}

/* Under the lock, which it releases. */
static void shared_leave(struct resolver_shared *shared)
{
    bool last = --shared->refs == 0;
    pthread_mutex_unlock(&shared->lock);
    if (last) {
        pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
}

static void *lookup_main(void *context)
{
    struct lookup *l = context;
    struct resolver_shared *shared = l->shared;
    look_up(&l->result);
    pthread_mutex_lock(&shared->lock);
    if (shared->loop) {
        list_append(&shared->answered, &l->link);
        loop_wake(shared->loop);
    } else {
        free(l);
    }
    shared_leave(shared);
    return NULL;
}

static int shared_new(struct resolver *r)
{
    struct resolver_shared *shared = calloc(1, sizeof(*shared));
    if (!shared) {
        return RUSM_ENOMEM;
    }
    pthread_mutex_init(&shared->lock, NULL);
    list_init(&shared->answered);
    shared->loop = r->loop;
    shared->refs = 1;
    r->shared = shared;
    return 0;
}

static int lookup_thread(struct lookup *l)
{
    pthread_t thread;
    int error = helper_start(&thread, lookup_main, l);
    if (!error) {
        pthread_detach(thread);
    }
    return error;
}

static int lookup_start(struct resolver *r, struct resolver_ask *ask)
{
    int error = r->shared ? 0 : shared_new(r);
    struct lookup *l = error ? NULL : calloc(1, sizeof(*l));
    if (!l) {
        return RUSM_ENOMEM;
    }
    list_init(&l->link);
    l->shared = r->shared;
    l->ask = ask;
    memcpy(l->result.host_port, ask->host_port, sizeof(ask->host_port));
    pthread_mutex_lock(&r->shared->lock);
    r->shared->refs++;
    pthread_mutex_unlock(&r->shared->lock);
    error = lookup_thread(l);
    if (error) {
        pthread_mutex_lock(&r->shared->lock);
        shared_leave(r->shared);
        free(l);
        return error;
    }
    r->running++;
    return 0;
}

void resolver_fini(struct resolver *r)
{
    if (!r->shared) {
        return;
    }
    pthread_mutex_lock(&r->shared->lock);
    r->shared->loop = NULL;
    list_each_safe(link, &r->shared->answered) {
        free(container_of(link, struct lookup, link));
    }
    list_init(&r->shared->answered);
    shared_leave(r->shared);
    r->shared = NULL;
}

int resolver_ask(struct resolver *r, struct resolver_ask *ask)
{
    if (resolve_is_literal(ask->host_port)) {
        look_up(ask);
        ask->done(ask);
        return 0;
    }
    if (r->running >= LIMIT_LOOKUPS) {
        list_append(&r->waiting, &ask->link);
    } else {
        int error = lookup_start(r, ask);
        if (error) {
            return error;
        }
    }
    ask->under_way = true;
    return 0;
}

/* Gives the answer to who asked. */
static void lookup_done(struct lookup *l)
{
    struct resolver_ask *ask = l->ask;
    memcpy(ask->found, l->result.found, sizeof(ask->found));
    ask->count = l->result.count;
    ask->why = l->result.why;
    ask->under_way = false;
    free(l);
    ask->done(ask);
}

/* One that waited. Without a thread for it, it has its answer: an error. */
static void resolver_next(struct resolver *r)
{
    struct list *first = list_first(&r->waiting);
    if (!first || r->running >= LIMIT_LOOKUPS) {
        return;
    }
    struct resolver_ask *ask = container_of(first, struct resolver_ask, link);
    list_remove(first);
    int error = lookup_start(r, ask);
    if (error) {
        ask->count = error;
        snprintf(ask->why.text, sizeof(ask->why.text), "no thread for a look-up of %s",
                 ask->host_port);
        ask->under_way = false;
        ask->done(ask);
    }
}

void resolver_collect(struct resolver *r)
{
    while (r->shared) {
        pthread_mutex_lock(&r->shared->lock);
        struct list *first = list_first(&r->shared->answered);
        if (first) {
            list_remove(first);
        }
        pthread_mutex_unlock(&r->shared->lock);
        if (!first) {
            return;
        }
        r->running--;
        lookup_done(container_of(first, struct lookup, link));
        resolver_next(r);
    }
}
